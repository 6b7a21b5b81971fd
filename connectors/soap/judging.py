"""Has a SOAP system judge a record of its own by the operation that the profile names, for `dolen doctor`.

Nothing is kept by it, and it is asked once: where a system keeps something after all, there is one of it. What the
system refuses is Rejected, in a fault or in the answer itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lxml import etree

from connectors import xml
from connectors.errors import Rejected
from connectors.http import Reply
from connectors.port import Record
from connectors.soap.beside import without
from connectors.soap.profile import SoapRecord
from connectors.soap.profile_dry import SoapDryWrite


class Asks(Protocol):
    """The single call; raises `connectors.errors`."""

    def once(self, kind: str, operation: str, content: Mapping[str, Any]) -> tuple[etree._Element, Reply]:
        """Make one call, whose answer is as the interface says."""


def judge(kind: str, section: SoapRecord, told: SoapDryWrite, asks: Asks, record: Record) -> None:
    """Show the system a record. Raises Rejected where it would not take it, and whatever else a call raises."""
    content: Record = {}
    xml.put(content, told.record, without(record, [*section.leave_out, *told.leave_out]))
    for path, text in told.send.items():
        xml.put(content, path, text)
    answer, reply = asks.once(kind, told.operation, content)
    said = xml.text_at(xml.record_of(answer, frozenset()), told.accepted) if told.accepted else "true"
    if said not in ("true", "1"):
        raise Rejected(f"trying to write a {kind}: {told.operation} answers that it would not be taken",
                       reply=reply.body)  # fmt: skip
