"""The loss report of a site: what each mapping loses, and what each route carries to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.findings import Finding
from config.routes import Route
from config.site import Council, Site
from mappings.coverage import Loss, losses
from mappings.crossing import Crossing, carried, crossing
from pipelines import composition
from pipelines.library import Library
from pipelines.mapped import Mapped, mapped
from pipelines.texts import CARRIED


@dataclass(frozen=True, slots=True)
class MappingLoss:
    """What one mapping loses. `unknown`: why the fields of its system could not be counted, "" where they were."""

    mapping: str
    file: str
    digest: str = ""  # of the mapping and its code lists: what the report was signed for
    system: str = ""
    record: str = ""
    interface: str = ""
    unknown: str = ""
    losses: tuple[Loss, ...] = ()
    findings: tuple[Finding, ...] = ()  # the mapping cannot be used at all


@dataclass(frozen=True, slots=True)
class RouteLoss:
    """What one route carries. `lost_before`: what the source's own mapping does not read; `crossing`: what goes on."""

    council: str
    route: str
    from_: str
    to: str
    purpose: str
    lawful_basis: str
    agreement: str
    owner: str
    crossing: Crossing
    lost_before: tuple[Loss, ...] = ()
    lost_after: tuple[Loss, ...] = ()  # of what arrives: merged, defaulted or lossy when it is written there
    by_text: bool = False


@dataclass(frozen=True, slots=True)
class LossReport:
    """Everything of one site, or of one mapping of it."""

    mappings: tuple[MappingLoss, ...]
    routes: tuple[RouteLoss, ...]


def report(root: Path, name: str = "") -> LossReport:
    """The report on a site, or on one mapping and the routes that it takes part in.

    Raises SiteFaults if `dolen.yaml` cannot be used.
    """
    site = composition.load(root)
    library = Library(site.layers)
    all_mapped = {one.name: one for one in mapped(site, library)}
    wanted = [one for one in all_mapped.values() if name in ("", one.name)]
    return LossReport(tuple(_of_mapping(one) for one in wanted), tuple(_routes(site, all_mapped, name)))


def losses_in(site: Site, library: Library, name: str) -> tuple[Loss, ...]:
    """What one mapping of a site loses, without its routes: no other mapping is compiled."""
    return tuple(loss for one in mapped(site, library, name) for loss in _of_mapping(one).losses)


def _of_mapping(one: Mapped) -> MappingLoss:
    if one.mapping is None:
        return MappingLoss(one.name, one.file, findings=one.findings)
    return MappingLoss(
        one.name, one.file, one.mapping.digest, one.mapping.system, one.mapping.record,
        one.interface.file if one.interface is not None else "", one.unknown, losses(one.mapping, one.interface),
    )  # fmt: skip


def _routes(site: Site, known: Mapping[str, Mapped], name: str) -> Iterator[RouteLoss]:
    for council in site.councils.values():
        for route in council.settings.routes:
            for source in _sources(council, route):
                target = _target(council, route)
                if name in ("", source, target) and (found := _of_route(council, route, known, source, target)):
                    yield found


def _sources(council: Council, route: Route) -> Iterator[str]:
    """The mappings by which the source of a route is read."""
    connection = council.settings.connections.get(route.from_)
    yield from (use.mapping for use in connection.records.values()) if connection is not None else ()


def _target(council: Council, route: Route) -> str:
    """The mapping by which its target is written, "" for a text."""
    connection = council.settings.connections.get(route.to)
    use = connection.records.get(route.record or "") if connection is not None else None
    return use.mapping if use is not None else ""


def _of_route(
    council: Council, route: Route, known: Mapping[str, Mapped], source: str, target: str
) -> RouteLoss | None:
    one, other = known.get(source), known.get(target)
    if one is None or one.mapping is None or (not route.text and (other is None or other.mapping is None)):
        return None  # told where the mapping is reported on
    read = () if route.text else losses(one.mapping, one.interface)
    before = tuple(loss for loss in read if loss.way != "writing")
    after: tuple[Loss, ...] = ()
    if other is not None and other.mapping is not None:
        crossed = crossing(one.mapping, other.mapping)
        arrives = {field.ours for field in crossed.arrives}
        written = losses(other.mapping, other.interface)
        after = tuple(loss for loss in written if loss.way != "reading" and loss.ours in arrives)
    else:
        crossed = _texted(route)
    return RouteLoss(
        council.code, route.name, route.from_, route.to, route.purpose or "", route.lawful_basis or "",
        route.agreement or "", route.owner or "", crossed, before, after, by_text=bool(route.text),
    )  # fmt: skip


def _texted(route: Route) -> Crossing:
    """What a text tells: whom it goes to and in which language, that the status changed, and the reference."""
    whom = dict.fromkeys("person" if row.who == "person" else "referrer" for row in route.recipients)
    fields = tuple(carried(ours, ours, "") for ours in dict.fromkeys(name for who in whom for name in CARRIED[who]))
    return Crossing(fields, (), (), (), ())
