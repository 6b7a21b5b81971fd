"""`dolen reconcile`: proof that a route's target holds what its source shows, by reading both systems.

The ledger says only which record belongs to which, what is still on its way, and under which stamps two records agreed
when they were last read whole; those are not read whole again. The target is read first, into a temporary table of
keyed hashes; then the source, page by page, so memory stays flat. What seems wrong is read once more on both sides
before it is reported: records change while they are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.port import Item, UnreadableItem
from pipelines import facts as fact_store
from pipelines.agreement import Agreement
from pipelines.comparing import HashOf, Shown, differing, hashed, is_stale
from pipelines.courtesy import Courtesy
from pipelines.crosswalk import Crosswalk, Linked
from pipelines.feeds import Progress, pages
from pipelines.holdings import Held, Holdings
from pipelines.jobs import TEXT_KIND
from pipelines.listing import gone_from
from pipelines.looking import NotPossible
from pipelines.merge import group_of
from pipelines.plant import Council, Kind, Plant
from pipelines.report import Line, Report
from pipelines.routing import Route

__all__ = ["Line", "Report", "councils_with", "reconcile"]

#: Takes in a record that the source's feed never showed; says whether it was news.
TakeIn = Callable[[Kind, Item], bool]


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


def reconcile(
    plant: Plant,
    council: Council,
    route: str,
    progress: Progress | None = None,
    *,
    whole: bool = False,
    take_in: TakeIn | None = None,
    courtesy: Courtesy | None = None,
) -> Report:
    """Compare both systems of one route. Nothing is written in either.

    `whole`: read every record whole, whatever its stamps say. `take_in` is given the records that the source's feed
    never showed; without it they are only reported. Raises NotPossible, PutOff, and what the connectors raise when a
    system is down.
    """
    (known,) = [one for one in councils_with(plant, route, council.code)[0].routes if one.name == route]
    comparison = _Comparison(
        plant, council, known, progress or (lambda _what, _number: None), courtesy or Courtesy(plant), take_in
    )
    return comparison.run(whole=whole)


class _Comparison:
    """One route of one council, being compared."""

    def __init__(
        self,
        plant: Plant,
        council: Council,
        route: Route,
        progress: Progress,
        courtesy: Courtesy,
        take_in: TakeIn | None,
    ) -> None:
        source, target = council.wired.get(route.source), council.wired.get(route.target)
        if source is None or target is None:
            raise NotPossible(f"the site no longer has both ends of {route.name}")
        self._council, self._route, self._progress, self._courtesy = council, route, progress, courtesy
        self._source, self._target, self._take_in = source, target, take_in
        self._kind = target.kinds[route.kind]
        self._crosswalk = Crosswalk(plant, council, route)
        self._agreement = Agreement(plant, council, route)
        self._hash: HashOf = lambda name, value: plant.vault.hash_value(council.code, name, value)
        self._report = Report(council.code, route.name, source.name, target.name)
        self._walked = "changes" in target.offers(route.kind)
        self._fetched = "fetch" in target.offers(route.kind)

    def run(self, *, whole: bool) -> Report:
        """Read the target, then the source, then whatever seemed wrong once more."""
        report = self._report
        for kind in self._source.kinds.values():
            if "changes" not in self._source.offers(kind.name):
                raise NotPossible(f"{self._source.name} cannot be walked through, so it cannot be compared")
        if whole:
            self._agreement.forget()
        with Holdings() as holdings:
            if self._walked:
                for page in pages(self._target, self._kind, self._courtesy, self._progress):
                    self._keep_page(page, holdings)
            for kind in self._source.kinds.values():
                for page in pages(self._source, kind, self._courtesy, self._progress):
                    self._judge_page(kind, page, holdings)
            self._agreement.write()
            for name, number in holdings.doubts():
                self._again(self._source.kinds[name], number, holdings)
            self._agreement.write()
            for kind in self._source.kinds.values():
                shown = gone_from(self._source, kind, self._crosswalk, holdings, self._courtesy)
                report.doubt = report.doubt or shown.doubt
                for line in shown.named:
                    report.add("gone", line)
                report.totals["gone"] += shown.more
            self._extras(holdings)
        return report

    # --- The target ---------------------------------------------------------------------------------------------------

    def _keep_page(self, page: Sequence[Item | UnreadableItem], holdings: Holdings) -> None:
        known = self._agreement.by_target(item.id for item in page if item.id) if self._fetched else {}
        for item in page:
            self._report.in_target += 1
            if isinstance(item, UnreadableItem):
                line = Line("", item.id, "", (), f"{self._target.name}: {item.reason}")
                self._report.add("unreadable", line)
                continue
            mark, before = self._agreement.mark(item), known.get(item.id)
            if before is not None and mark and before.target_mark == mark:
                holdings.keep(Held(item.id, item.our_key, before.number, mark, None))
            else:
                holdings.keep(self._look_at(item))

    def _look_at(self, item: Item) -> Held:
        shown = hashed(self._kind.mapping, item.record, self._hash)
        number = shown.get(fact_store.source_field(self._source.name)) or ""
        return Held(item.id, item.our_key, number, self._agreement.mark(item), shown)

    def _held(self, linked: Linked, holdings: Holdings, *, fresh: bool) -> Held | None:
        """What the target holds of it: by the crosswalk, else by our key."""
        held = holdings.of(linked.target, linked.referral) if self._walked else None
        number = held.id if held else linked.target
        unread = held is not None and held.shown is None
        if number and self._fetched and (fresh or unread or not self._walked):
            item = self._courtesy.call(self._target, lambda: self._target.connector.fetch(self._route.kind, number))
            held = self._look_at(item) if item else None
            if held is not None and self._walked:
                holdings.keep(held)
        return held

    # --- The source ---------------------------------------------------------------------------------------------------

    def _judge_page(self, kind: Kind, page: Sequence[Item | UnreadableItem], holdings: Holdings) -> None:
        self._report.in_source += len(page)
        holdings.see(kind.name, (item.id for item in page))
        known = self._agreement.by_source(kind.name, [item.id for item in page if isinstance(item, Item)])
        rest: list[Item] = []
        for item in page:
            if isinstance(item, UnreadableItem):
                self._unreadable(kind, item)
                continue
            before, mark = known.get(item.id), self._agreement.mark(item)
            if before is not None and mark and before.source_mark == mark and holdings.unchanged(before.target):
                self._report.compared += 1
                self._report.unchanged += 1
            else:
                rest.append(item)
        linked = self._crosswalk.of_many(kind.name, [item.id for item in rest])
        may_read_again = "fetch" in self._source.offers(kind.name)
        for item in rest:
            if not self._judge(kind, item, linked[item.id], holdings, last=not may_read_again):
                holdings.doubt(kind.name, item.id)

    def _again(self, kind: Kind, number: str, holdings: Holdings) -> None:
        """Read once more what seemed wrong, on both sides."""
        if "fetch" not in self._source.offers(kind.name):
            return  # reported already
        item = self._courtesy.call(self._source, lambda: self._source.connector.fetch(kind.name, number))
        if item is None:
            return  # taken away meanwhile
        self._judge(kind, item, self._crosswalk.of(kind.name, number), holdings, last=True)

    def _judge(self, kind: Kind, item: Item, linked: Linked, holdings: Holdings, *, last: bool) -> bool:
        """Judge one record of the source. False: it is wrong, or seems so and is to be read again; `last` reports."""
        on_its_way = linked.on_its_way
        if not on_its_way and (not last or item.modified is not None):
            on_its_way = self._crosswalk.unread(kind.name, item, linked)
        if on_its_way:
            self._report.add("open", Line(item.id, linked.target, linked.referral, (), on_its_way, kind.name))
            return True
        facts = kind.mapping.read(item.record).facts
        held = self._held(linked, holdings, fresh=last)
        if held is None:
            return self._not_there(kind, item, linked, facts, last=last)
        shown = held.shown or {}
        fields = self._fields(facts, item, linked, shown)
        if not fields:
            self._report.compared += 1
            marks = self._agreement.mark(item), held.mark
            self._agreement.note(kind.name, item.id, marks[0], held.id, marks[1], held.source_number)
            return True
        if last:
            self._report.compared += 1
            words = "its feed never showed this" if self._crosswalk.never_shown(item, linked) else ""
            stale = is_stale(fields, shown, linked.base)
            line = Line(item.id, held.id, linked.referral, tuple(fields), words, kind.name)
            self._wrong("stale" if stale else "different", kind, item, linked, line)
        return False

    def _wrong(self, what: str, kind: Kind, item: Item, linked: Linked, line: Line) -> None:
        """Report a difference; what the feed never showed is taken in, and is on its way instead."""
        never = self._take_in is not None and self._crosswalk.never_shown(item, linked)
        if never and self._take_in is not None and self._take_in(kind, item):
            self._report.taken_in += 1
            what, words = "open", "its feed never showed this: taken in now"
            line = Line(line.source, line.target, line.referral, line.fields, words, kind.name)
        self._report.add(what, line)

    def _not_there(self, kind: Kind, item: Item, linked: Linked, facts: Mapping[str, Any], *, last: bool) -> bool:
        if self._misses(facts, linked):
            self._report.not_meant += 1
            return True
        if linked.target and not (self._walked or self._fetched):
            self._report.not_read += 1
            return True
        if linked.closed:
            self._report.add("open", Line(item.id, linked.target, linked.referral, (), linked.closed, kind.name))
            return True
        if last:
            words = f"{self._target.name} no longer shows {linked.target}" if linked.target else ""
            if self._crosswalk.never_shown(item, linked):
                words = words or "its feed never showed this"
            self._wrong(
                "missing", kind, item, linked, Line(item.id, linked.target, linked.referral, (), words, kind.name)
            )
        return False

    def _misses(self, facts: Mapping[str, Any], linked: Linked) -> bool:
        """Whether the route is not for it: the source's word where it owns the field, else what was merged."""
        if not self._route.when:
            return False
        owners = self._council.owners
        merged = dict(self._crosswalk.merged(linked))
        for name, value in facts.items():
            if owners.get(group_of(name)) in (None, self._source.name) or name not in merged:
                merged[name] = value
        return bool(self._route.misses(merged))

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
        line = Line(item.id, "", "", (), waits or f"{self._source.name}: {item.reason}", kind.name)
        self._report.add("open" if waits else "unreadable", line)

    def _extras(self, holdings: Holdings) -> None:
        """What the target holds too often, or under a key of ours that belongs to nothing."""
        told: set[str] = set()
        for held, words in holdings.doubles():
            if held not in told:
                self._report.add("extra", Line("", held, "", (), words))
            told.add(held)
        for part in holdings.keyed():
            numbers = self._crosswalk.numbers_of([key for _, key in part])
            for held, key in part:
                if key not in numbers:
                    words = "it carries our key of no referral that we know"
                    self._report.add("extra", Line("", held, "", (), words))
                    continue
                known = numbers[key]
                if known and known != held and holdings.shows(known) and not told & {known, held}:
                    self._report.add("extra", Line("", held, key, (), f"the same request is held as {known}"))
