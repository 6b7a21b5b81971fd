"""How a reference to a secret is written. What resolves one is `config.secrets`."""

from __future__ import annotations

#: env:NAME, or file:PATH.
REFERENCE = r"(?:env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00-\x1f]{1,500})"
