"""What an assessment of data protection must know of a council's flows, taken from the files that it runs on.

One flow a route: which fields go from where to where, how sensitive each is by its own declaration, and what the
council has said about why. Nothing is asked of any system and no ledger is opened; what the files do not say is named
as missing and never filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from config.declared import Declared
from config.findings import SiteFaults
from config.routes import LIVE_NEEDS, Route
from config.site import Council, Site
from mappings import fieldpaths
from mappings.crossing import Carried, carried, crossing
from mappings.mapping import Mapping as FieldMapping
from mappings.meta import STRICTNESS, Sensitivity
from pipelines import composition
from pipelines.library import Library
from pipelines.texts import CARRIED

#: A route whose flow nobody outside sees: it is listed by itself, because people's data is processed all the same.
SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class System:
    """One installation that data comes from or goes to."""

    name: str
    profile: str
    supplier: str
    owner: str


@dataclass(frozen=True, slots=True)
class Flow:
    """What one route carries. `unsaid`: what the council has not said of it. `untold`: why fields are missing here."""

    route: str
    mode: str  # "live", or SHADOW
    source: str
    target: str
    carries: str  # state, event
    purpose: str
    lawful_basis: str
    agreement: str
    owner: str
    retention: str  # an ISO 8601 duration after closure
    condition: str
    fields: tuple[Carried, ...] = ()
    documents: str = ""  # which documents go along
    by_text: bool = False
    unsaid: tuple[str, ...] = ()
    untold: str = ""

    @property
    def strictest(self) -> Sensitivity:
        """The strictest sensitivity of what goes; a document may hold anything."""
        found = [one.sensitivity for one in self.fields] + ([Sensitivity.SPECIAL] if self.documents else [])
        return max(found, key=STRICTNESS.__getitem__, default=Sensitivity.NONE)

    def count(self, sensitivity: Sensitivity) -> int:
        """How many fields count as that."""
        return sum(one.sensitivity is sensitivity for one in self.fields)


@dataclass(frozen=True, slots=True)
class Pack:
    """All of one council."""

    council: str
    name: Mapping[str, str]  # cy, en
    stage: str
    digest: str  # of the council's file and the mappings that it uses: a pack of another digest is out of date
    systems: tuple[System, ...]
    flows: tuple[Flow, ...]
    kept: Mapping[str, str]  # class of data -> ISO 8601 duration


def packs(root: Path, council: str = "") -> tuple[Pack, ...]:
    """The pack of one council, or of each. Raises SiteFaults if `dolen.yaml` cannot be used."""
    site = composition.load(root)
    library = Library(site.layers)
    return tuple(_pack(site, one, library) for code, one in site.councils.items() if council in ("", code))


def _pack(site: Site, council: Council, library: Library) -> Pack:
    settings = council.settings
    used = sorted({use.mapping for one in settings.connections.values() for use in one.records.values()})
    known = {name: _compiled(library, name, settings.council.time_zone) for name in used}
    systems = tuple(
        System(name, one.profile, one.supplier, one.owner.name) for name, one in settings.connections.items()
    )
    digests = [one.digest for one in known.values() if one is not None]
    made_of = "\n".join([settings.model_dump_json(by_alias=True), site.settings.retention.model_dump_json(), *digests])
    return Pack(
        council.code, {"cy": settings.council.name.cy, "en": settings.council.name.en}, site.settings.stage,
        sha256(made_of.encode()).hexdigest(), systems,
        tuple(_flow(council, route, known) for route in settings.routes), _kept(site.settings.retention),
    )  # fmt: skip


def _compiled(library: Library, name: str, zone: str) -> FieldMapping | None:
    try:
        return library.mapping(name, zone)
    except (SiteFaults, LookupError):
        return None  # the flow says so; what is wrong is told by `dolen check`


def _flow(council: Council, route: Route, known: Mapping[str, FieldMapping | None]) -> Flow:
    fields, untold = (_texted(route), "") if route.text else _fields(council, route, known)
    documents = route.documents
    return Flow(
        route=route.name,
        mode=str(getattr(route, "mode", "live")),
        source=route.from_,
        target=route.to,
        carries=route.carries,
        purpose=route.purpose or "",
        lawful_basis=route.lawful_basis or "",
        agreement=route.agreement or "",
        owner=route.owner or "",
        retention=duration(route.retention),
        condition="; ".join(f"{path}: {', '.join(map(str, codes))}" for path, codes in route.when.items()),
        fields=fields,
        documents=f"{', '.join(documents.types)} (<= {documents.most_megabytes} MB)" if documents else "",
        by_text=bool(route.text),
        unsaid=tuple(name for name in LIVE_NEEDS if getattr(route, name) is None),
        untold=untold,
    )


def _fields(
    council: Council, route: Route, known: Mapping[str, FieldMapping | None]
) -> tuple[tuple[Carried, ...], str]:
    """Everything that is written at the target, each field once, and where each kind of source record holds it."""
    connections = council.settings.connections
    source, target = connections.get(route.from_), connections.get(route.to)
    use = target.records.get(route.record or "") if target is not None else None
    other = known.get(use.mapping) if use is not None else None
    if other is None:
        return (), "the mapping of the target cannot be used: run dolen check"
    found: dict[str, Carried] = {}
    untold = ""
    for record in source.records.values() if source is not None else ():
        one = known.get(record.mapping)
        if one is None:
            untold = "a mapping of the source cannot be used: run dolen check"
            continue
        crossed = crossing(one, other)
        for each in (*crossed.arrives, *crossed.elsewhere, *crossed.numbers):
            before = found.get(each.ours)
            if before is None or not before.from_:
                found[each.ours] = each
    return tuple(sorted(found.values(), key=_rank)), untold


def _texted(route: Route) -> tuple[Carried, ...]:
    whose = [CARRIED["person" if row.who == "person" else "referrer"] for row in route.recipients]
    return tuple(carried(ours, ours, "") for ours in dict.fromkeys(field for fields in whose for field in fields))


def _rank(one: Carried) -> tuple[int, str]:
    return -STRICTNESS[one.sensitivity], one.ours


def called(ours: str) -> Mapping[str, str]:
    """What people call a field, in both languages; its path where it has no name of its own."""
    found = None if ours.startswith("extensions") else fieldpaths.field_of(ours)
    return {"en": found.meta.en, "cy": found.meta.cy} if found is not None else {"en": ours, "cy": ours}


def _kept(retention: Declared) -> dict[str, str]:
    told = {name: getattr(retention, name) for name in type(retention).model_fields}
    return {name: duration(time) for name, time in told.items() if isinstance(time, timedelta)}


def duration(value: timedelta | None) -> str:
    """A time as ISO 8601 in whole days, "" where nothing is said."""
    return "" if value is None else f"P{value.days}D" if value.days else f"PT{int(value.total_seconds())}S"


def flows_of(pack: Pack) -> Iterator[Flow]:
    """Its flows, those that are shown to somebody first and the shadows behind them."""
    yield from (flow for flow in pack.flows if flow.mode != SHADOW)
    yield from (flow for flow in pack.flows if flow.mode == SHADOW)
