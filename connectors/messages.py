"""What every service that carries messages to people calls its kinds of record, so that nobody else need know it."""

from __future__ import annotations

#: What is sent; how it went; what somebody sent back.
TEXT, REPORT, RECEIVED = "Text", "Report", "ReceivedText"
