"""What a demo shows while it runs and at its end: a live table by council, the story line by line, the verdict.

With `--json` all of it goes to standard error. A second console records the same for a picture, without the redrawing.
"""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

_WIDTH = 104


@dataclass(slots=True)
class Line:
    """One council at this moment."""

    name: str
    requests: int = 0  # taken by its contact centre
    cases: int = 0  # in its case system
    arrived: int = 0  # deliveries, settled ones included
    waiting: int = 0
    texts: int = 0
    attention: int = 0
    paused: tuple[str, ...] = ()


@dataclass(slots=True)
class Moment:
    """All councils at this moment, and how far the story is."""

    lines: list[Line] = field(default_factory=list)
    planned: int = 0
    started: int = 0


class Screen:
    """Use it as a context. `picture`: where to put an SVG of what was shown, None for none."""

    def __init__(self, console: Console, picture: Path | None = None) -> None:
        self._console = console
        self._picture = picture
        self._recorder = (
            Console(record=True, file=io.StringIO(), width=_WIDTH, force_terminal=True) if picture else None
        )
        self._live: Live | None = None
        self._bar = Progress(
            TextColumn("requests"), BarColumn(bar_width=None), TextColumn("{task.completed} of {task.total}")
        )
        self._task = self._bar.add_task("requests", total=None)
        self._began = time.monotonic()

    def __enter__(self) -> Screen:
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.calm()
        if self._recorder is not None and self._picture is not None:
            self._picture.parent.mkdir(parents=True, exist_ok=True)
            drawn = self._recorder.export_svg(title="dolen demo")
            # A page that shows the picture must not fetch letters from anywhere: the reader's own will do.
            self._picture.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")

    def tell(self, words: str, *, bad: bool = False) -> None:
        """Tell one thing that happened, with the time since the start."""
        line = Text(f"{time.monotonic() - self._began:5.1f}s  ", style="dim")
        line.append(words, style="bold red" if bad else "default")
        self.show(line)

    def show(self, what: RenderableType) -> None:
        """Print something that stays."""
        self._console.print(what)
        if self._recorder is not None:
            self._recorder.print(what)

    def follow(self, moment: Moment) -> None:
        """Redraw the live table."""
        self._bar.update(self._task, total=moment.planned or None, completed=moment.started)
        if self._live is not None:
            self._live.update(Group(_table(moment), self._bar.get_renderable()))

    def keep(self, moment: Moment) -> None:
        """Let the picture show the live table as it is now."""
        if self._recorder is not None:
            self._recorder.print(_table(moment))

    def calm(self) -> None:
        """End the live table: what follows stays. Idempotent."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _table(moment: Moment) -> Table:
    table = Table(expand=False, title_justify="left")
    table.add_column("council", min_width=18)
    for name in ("requests", "cases", "arrived", "on the way", "texts", "needs attention"):
        table.add_column(name, justify="right")
    table.add_column("paused")
    for line in moment.lines:
        attention = Text(str(line.attention), style="bold yellow" if line.attention else "dim")
        numbers = (line.requests, line.cases, line.arrived, line.waiting, line.texts)
        table.add_row(line.name, *(str(number) for number in numbers), attention, ", ".join(line.paused))
    return table
