"""`dolen reconcile`: proof that a route's target holds what its source shows, by reading both systems.

The ledger says only which record belongs to which, and what is still on its way. The target is read first, into a
temporary table of keyed hashes; then the source, page by page, so memory stays flat. What seems wrong is read once more
on both sides before it is reported: records change while they are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.port import Item, UnreadableItem
from pipelines import facts as fact_store
from pipelines.comparing import HashOf, Shown, differing, hashed, is_stale
from pipelines.crosswalk import Crosswalk, Linked
from pipelines.feeds import everything
from pipelines.holdings import Held, Holdings
from pipelines.looking import NotPossible
from pipelines.merge import group_of
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.routing import Route
from pipelines.sending import TEXT_KIND

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One request that is not as it should be, or not yet. Numbers, field names and sentences, never a value."""

    source: str  # its number in the source, "" if there is none
    target: str
    referral: str
    fields: tuple[str, ...] = ()
    words: str = ""


@dataclass(slots=True)
class Report:
    """What a comparison found. `open` is legitimately on its way, or waits for a person, and is no difference."""

    council: str
    route: str
    source: str
    target: str
    in_source: int = 0
    in_target: int = 0
    compared: int = 0
    not_meant: int = 0  # the route's condition does not hold
    not_read: int = 0  # there, but the target lets nobody read it
    missing: list[Line] = field(default_factory=list)
    extra: list[Line] = field(default_factory=list)
    different: list[Line] = field(default_factory=list)
    stale: list[Line] = field(default_factory=list)
    unreadable: list[Line] = field(default_factory=list)
    open: list[Line] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Nothing is missing, extra, different, stale or unreadable."""
        return not (self.missing or self.extra or self.different or self.stale or self.unreadable)


def councils_with(plant: Plant, route: str, council: str = "") -> list[Council]:
    """The councils that have a route of this name. Raises NotPossible if none has, or if it carries texts."""
    among = [one for one in plant.councils.values() if council in ("", one.code)]
    found = [one for one in among if one.route(route) is not None]
    if not found:
        names = sorted({known.name for one in among for known in one.routes if known.kind != TEXT_KIND})
        raise NotPossible(f"no route has that name; there are {', '.join(names) or 'none'}")
    if any(known.kind == TEXT_KIND for one in found for known in one.routes if known.name == route):
        raise NotPossible(
            f"{route} carries texts, which no system holds as records; `dolen trace` shows their receipts"
        )
    return found


def reconcile(plant: Plant, council: Council, route: str, progress: Progress | None = None) -> Report:
    """Compare both systems of one route. Raises NotPossible, and what the connectors raise when a system is down."""
    (known,) = [one for one in councils_with(plant, route, council.code)[0].routes if one.name == route]
    return _Comparison(plant, council, known, progress or (lambda _what, _number: None)).run()


class _Comparison:
    """One route of one council, being compared."""

    def __init__(self, plant: Plant, council: Council, route: Route, progress: Progress) -> None:
        source, target = council.wired.get(route.source), council.wired.get(route.target)
        if source is None or target is None:
            raise NotPossible(f"the site no longer has both ends of {route.name}")
        self._council, self._route, self._progress = council, route, progress
        self._source, self._target = source, target
        self._kind = target.kinds[route.kind]
        self._crosswalk = Crosswalk(plant, council, route)
        self._hash: HashOf = lambda name, value: plant.vault.hash_value(council.code, name, value)
        self._report = Report(council.code, route.name, source.name, target.name)
        self._walked = "changes" in target.offers(route.kind)
        self._fetched = "fetch" in target.offers(route.kind)

    def run(self) -> Report:
        """Read the target, then the source, then whatever seemed wrong once more."""
        doubts: list[tuple[Kind, Item]] = []
        with Holdings() as holdings:
            if self._walked:
                self._read_target(holdings)
            for kind in self._source.kinds.values():
                if "changes" not in self._source.offers(kind.name):
                    raise NotPossible(f"{self._source.name} cannot be walked through, so it cannot be compared")
                for item in self._reading(self._source, kind):
                    self._report.in_source += 1
                    if isinstance(item, UnreadableItem):
                        self._unreadable(kind, item)
                    elif not self._judge(kind, item, holdings, last=False):
                        doubts.append((kind, Item(item.id, {}, b"")))
            for kind, seen in doubts:
                again = self._source.connector.fetch(kind.name, seen.id)
                if again is not None:
                    self._judge(kind, again, holdings, last=True)
            self._extras(holdings)
        return self._report

    def _reading(self, wired: Wired, kind: Kind) -> Iterator[Item | UnreadableItem]:
        for number, item in enumerate(everything(wired, kind), 1):
            if number % 50 == 0:
                self._progress(f"{wired.council}/{wired.name}", number)
            yield item

    def _read_target(self, holdings: Holdings) -> None:
        number_in_source = fact_store.source_field(self._source.name)
        for item in self._reading(self._target, self._kind):
            self._report.in_target += 1
            if isinstance(item, UnreadableItem):
                self._report.unreadable.append(Line("", item.id, "", (), f"{self._target.name}: {item.reason}"))
                continue
            shown = hashed(self._kind.mapping, item.record, self._hash)
            holdings.keep(Held(item.id, item.our_key, shown.get(number_in_source) or "", shown))

    def _judge(self, kind: Kind, item: Item, holdings: Holdings, *, last: bool) -> bool:
        """Judge one record of the source. False: it seems wrong and is to be read again; `last` reports it."""
        linked = self._crosswalk.of(kind.name, item)
        on_its_way = linked.on_its_way if last else linked.on_its_way or self._crosswalk.unread(kind.name, item, linked)
        if on_its_way:
            self._report.open.append(Line(item.id, linked.target, linked.referral, (), on_its_way))
            return True
        facts = kind.mapping.read(item.record).facts
        held = self._held(linked, holdings, fresh=last)
        if held is None:
            return self._not_there(item, linked, facts, last=last)
        fields = self._fields(facts, item, linked, held.shown)
        if not fields:
            self._report.compared += 1
            return True
        if last:
            self._report.compared += 1
            line = Line(item.id, held.id, linked.referral, tuple(fields))
            (self._report.stale if is_stale(fields, held.shown, linked.base) else self._report.different).append(line)
        return False

    def _not_there(self, item: Item, linked: Linked, facts: Mapping[str, Any], *, last: bool) -> bool:
        if self._misses(facts, linked):
            self._report.not_meant += 1
            return True
        if linked.target and not (self._walked or self._fetched):
            self._report.not_read += 1
            return True
        if linked.closed:
            self._report.open.append(Line(item.id, linked.target, linked.referral, (), linked.closed))
            return True
        if last:
            gone = f"{self._target.name} no longer shows {linked.target}" if linked.target else ""
            self._report.missing.append(Line(item.id, linked.target, linked.referral, (), gone))
        return False

    def _misses(self, facts: Mapping[str, Any], linked: Linked) -> bool:
        """Whether the route is not for it: the source's word where it owns the field, else what was merged."""
        owners = self._council.owners
        merged = dict(linked.merged)
        for name, value in facts.items():
            if owners.get(group_of(name)) in (None, self._source.name) or name not in merged:
                merged[name] = value
        return bool(self._route.misses(merged))

    def _held(self, linked: Linked, holdings: Holdings, *, fresh: bool) -> Held | None:
        """What the target holds of it: by the crosswalk, else by our key."""
        held = holdings.of(linked.target, linked.referral) if self._walked else None
        number = held.id if held else linked.target
        if number and self._fetched and (fresh or not self._walked):
            item = self._target.connector.fetch(self._route.kind, number)
            shown: Shown = hashed(self._kind.mapping, item.record, self._hash) if item else {}
            return Held(item.id, item.our_key, "", shown) if item else None
        return held

    def _fields(self, facts: Mapping[str, Any], item: Item, linked: Linked, shown: Shown) -> list[str]:
        numbers = {fact_store.target_field(self._source.name): item.id}
        if linked.born_in == self._source.name:
            numbers[fact_store.source_field(self._source.name)] = item.id
        return differing(
            {**facts, **numbers},
            shown,
            target=self._target.name,
            source=self._source.name,
            mapping=self._kind.mapping,
            owners=self._council.owners,
            hash_of=self._hash,
        )

    def _unreadable(self, kind: Kind, item: UnreadableItem) -> None:
        waits = self._crosswalk.waits(kind.name, item)
        line = Line(item.id, "", "", (), waits or f"{self._source.name}: {item.reason}")
        (self._report.open if waits else self._report.unreadable).append(line)

    def _extras(self, holdings: Holdings) -> None:
        """What the target holds too often, or under a key of ours that belongs to nothing."""
        told: set[str] = set()
        for held, words in holdings.doubles():
            if held not in told:
                self._report.extra.append(Line("", held, "", (), words))
            told.add(held)
        for held, key in holdings.keyed():
            known = self._crosswalk.number_of(key)
            if known is None:
                self._report.extra.append(Line("", held, "", (), "it carries our key of no referral that we know"))
            elif known and known != held and holdings.shows(known) and not told & {known, held}:
                self._report.extra.append(Line("", held, key, (), f"the same request is held as {known}"))
