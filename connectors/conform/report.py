"""The report of a trial: for the supplier to read (Markdown) and for a script (JSON).

It holds what was asked, what came and what the contract wants; no value of a record, no secret and no address beyond
the host. The only numbers of records in it are those of the invented ones that were made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from connectors.conform.trial import Made, Told, Verdict

_SIGNS = {Verdict.HELD: "held", Verdict.BROKEN: "**BROKEN**", Verdict.NOT_TRIED: "not tried"}


@dataclass(frozen=True, slots=True)
class OfKind:
    """What became of the checks of one kind of record. `calls` says by which operation each verb is spoken."""

    kind: str
    calls: Mapping[str, str]
    told: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole trial."""

    connection: str
    system: str
    protocol: str
    host: str
    interface: str  # the pinned file's name, "" if there is none
    interface_digest: str  # SHA-256 of it, so that both sides speak of the same one
    version: str  # of Dolen
    at: datetime
    kinds: Sequence[OfKind]
    made: Sequence[Made]

    @property
    def well(self) -> bool:
        """Nothing was broken."""
        return not any(one.verdict is Verdict.BROKEN for kind in self.kinds for one in kind.told)

    def counts(self) -> dict[str, int]:
        """How many checks held, were broken, were not tried."""
        found = Counter(one.verdict for kind in self.kinds for one in kind.told)
        return {verdict.value: found[verdict] for verdict in Verdict}

    def as_data(self) -> dict[str, Any]:
        """The report for a script."""
        told = asdict(self)
        return {**told, "at": self.at.isoformat(timespec="seconds"), "counts": self.counts(), "well": self.well}

    def as_markdown(self) -> str:
        """The report for the supplier."""
        counts = self.counts()
        lines = [
            f"# What {self.system} does, held against what Dolen asks of it",
            "",
            f"Connection {self.connection}, {self.protocol}, at {self.host or 'no host'}. "
            f"{self.at:%Y-%m-%d %H:%M} UTC, Dolen {self.version}.",
            "",
            *([f"Interface: {self.interface}, SHA-256 {self.interface_digest}.", ""] if self.interface else []),
            f"{counts['held']} held, {counts['broken']} broken, {counts['not tried']} not tried. "
            "No value of a record stands in this report.",
        ]
        for kind in self.kinds:
            lines += ["", f"## {kind.kind}", ""]
            lines += [f"- {verb}: `{call}`" for verb, call in kind.calls.items()]
            lines += ["", "| | what was asked | what the contract wants | what came |", "|---|---|---|---|"]
            lines += [
                f"| {_SIGNS[one.verdict]} | {_cell(one.check)}: {_cell(one.asked)} | {_cell(one.wanted)} "
                f"| {_cell(one.came)} ({one.seconds:.1f} s) |"
                for one in kind.told
            ]
        lines += ["", "## Invented records that were made", ""]
        lines += [f"- {one.kind} {_cell(one.id)}, our key {_cell(one.key)}" for one in self.made] or ["None."]
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """One cell of a table, whatever the text."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
