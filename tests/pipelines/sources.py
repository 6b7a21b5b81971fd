"""Sources for tests of walks: they stand where a connector would, and count what they are asked."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update

from connectors.errors import PageUnreadable
from connectors.port import Page
from pipelines.processes import Presence
from pipelines.runs import Runs
from pipelines.tables import process
from pipelines.walks import Walker


class Shelf:
    """A source of numbered records, oldest first: `spoilt` places break any page that holds them."""

    def __init__(self, bench: Any, count: int, *, page: int = 50, spoilt: Sequence[int] = ()) -> None:
        self.real = bench.council.wired["contact"].connector
        self.items = [bench.request(f"C-{n}", minute=n) for n in range(count)]
        self.page, self.spoilt = page, set(spoilt)
        self.asked: list[tuple[str, str, int | None]] = []
        self.fails: dict[str, Exception] = {}
        self.steps = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)  # what it offers, and which tier it has

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        self.asked.append((watermark, cursor, limit))
        if cursor in self.fails:
            raise self.fails[cursor]
        at = int(cursor or watermark or 0)
        to = min(at + (limit or self.page), len(self.items))
        if self.spoilt & set(range(at, to)):
            raise PageUnreadable("an element is not closed", reply=b"<spoilt at %d" % at)
        return Page(self.items[at:to], str(to) if to < len(self.items) else "", str(len(self.items)))

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        return str(int(cursor or watermark or 0) + 1) if self.steps else None


def put(bench: Any, shelf: Any, name: str = "contact") -> Any:
    """Put a source in the place of a connection's connector; return the connection."""
    wired = bench.council.wired[name]
    wired._open, wired._connector = (lambda *_: shelf), None
    return wired


def walk(bench: Any, shelf: Any, **options: Any) -> Any:
    """Walk a source to its end."""
    wired = put(bench, shelf)
    return Walker(bench.plant, bench.council).walk(wired, wired.kinds["Request"], **options)


def alone(bench: Any, shelf: Any, **settings: Any) -> Any:
    """Let contact be the only source with a timetable."""
    for council in bench.plant.councils.values():
        for wired in council.wired.values():
            wired.settings = {**wired.settings, "every": None, "cron": None}
    wired = put(bench, shelf)
    wired.settings = {**wired.settings, "every": 60.0, "jitter": 0.0, **settings}
    return wired


def dies(bench: Any, boot: str) -> None:
    """A process is given up."""
    with bench.writing() as connection:
        connection.execute(update(process).where(process.c.boot == boot).values(ended=bench.clock.now()))


def runs_of(bench: Any, boot: str) -> Runs:
    """The runs of a process that lives."""
    Presence(bench.plant, boot, ["schedule"]).register()
    return Runs(bench.plant, boot)


def stops_at(bench: Any, place: str) -> Shelf:
    """Six records in pages of two; whoever asks for the page at this place is killed."""
    shelf = Shelf(bench, 6, page=2)
    shelf.fails[place] = KeyboardInterrupt()  # type: ignore[assignment]
    return shelf


class Stamped:
    """A source with a clock of its own: it shows what was changed since the watermark less the overlap, newest last.

    `visible`: of some records, from which moment of the source's clock they are shown: they were committed late.
    """

    def __init__(self, bench: Any, *, page: int = 3, overlap: int = 5) -> None:
        self.real = bench.council.wired["contact"].connector
        self.bench, self.page, self.overlap = bench, page, overlap
        self.now = 0  # minutes on its own clock
        self.held: dict[str, tuple[int, int]] = {}  # id -> (minute of its stamp, minute from which it is shown)
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def change(self, id: str, *, minute: int | None = None, shown: int | None = None) -> None:
        """Staff change a record; its stamp is the source's time unless another one is given."""
        stamp = self.now if minute is None else minute
        self.held[id] = (stamp, stamp if shown is None else shown)

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        self.asked.append(watermark)
        since = int(watermark or -1000) - self.overlap
        found = sorted((stamp, id) for id, (stamp, shown) in self.held.items() if stamp >= since and shown <= self.now)
        at = int(cursor or 0)
        page = found[at : at + (limit or self.page)]
        items = [self.bench.request(id, minute=stamp, version=stamp + 1) for stamp, id in page]
        onward = str(at + len(page)) if at + len(page) < len(found) else ""
        newest = max([int(watermark or -1000), *(stamp for stamp, _ in found)])
        return Page(items, onward, str(newest))

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        return None
