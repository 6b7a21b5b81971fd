"""What must hold between a council's routes, what their systems can do, and what the fields of a condition can be."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Dictionary
from typing import TYPE_CHECKING

from config.findings import Finding, Severity, did_you_mean, one_of, shown
from config.routes import Route
from config.site import Council
from connectors.documents import offered
from mappings import fieldpaths
from mappings.meta import Kind
from pipelines.facts import source_field, target_field
from pipelines.identifiers import PERSON_IDENTIFIERS
from pipelines.text_checks import paths_of_rows

if TYPE_CHECKING:
    from connectors.port import Connector
    from connectors.registry import Declared

    Opened = Connector | Declared

TEXT_KIND = "Text"


def routes(council: Council, opened: Dictionary[str, Opened], *, scanner: bool) -> Iterator[Finding]:
    """Check the routes of a council against those of its connectors that could be opened.

    `scanner`: the site names one.
    """
    for position, route in enumerate(council.settings.routes):
        yield from _source(council, position, route, opened)
        yield from _target(council, position, route, opened)
        yield from _condition(council, position, route)
        yield from _documents(council, position, route, opened, scanner=scanner)
    for name, connection in council.settings.connections.items():
        for kind, use in connection.records.items():
            for place, path in enumerate(use.match):
                wrong = fieldpaths.check(path)
                at = ("connections", name, "records", kind, "match", place)
                if wrong is not None:
                    yield council.document.finding(at, found=shown(path), expected=wrong, remedy="correct the path")
                elif fieldpaths.normalise(path) not in _exact(council):
                    yield council.document.finding(
                        at,
                        found=f"{shown(path)}, by which no record can be matched",
                        expected=f"an exact identifier: {one_of(_exact(council))}",
                        remedy="write one of these, or take the line out",
                    )


def _exact(council: Council) -> list[str]:
    """The fields by which records can be matched: the numbers of connected systems, and those of persons."""
    numbers = [field(name) for name in council.settings.connections for field in (source_field, target_field)]
    return [*map(fieldpaths.normalise, numbers), *PERSON_IDENTIFIERS]


def _source(council: Council, position: int, route: Route, opened: Dictionary[str, Opened]) -> Iterator[Finding]:
    source = opened.get(route.from_)
    if source is None:
        return  # unknown, or it could not be opened: told already
    used = [kind for kind in council.settings.connections[route.from_].records if kind in source.kinds()]
    if used and not any("changes" in source.offers(kind) for kind in used):
        yield council.document.finding(
            ("routes", position, "from"),
            found=f"{shown(route.from_)}, whose changes cannot be read",
            expected="a connection whose profile has `changes`",
            remedy="add `changes` to its profile, or begin the route elsewhere",
        )


def _target(council: Council, position: int, route: Route, opened: Dictionary[str, Opened]) -> Iterator[Finding]:
    target = opened.get(route.to)
    if target is None:
        return
    kind = route.record or TEXT_KIND
    if kind not in target.kinds():
        if route.text is not None:
            yield council.document.finding(
                ("routes", position, "to"),
                found=f"{shown(route.to)}, which sends no texts",
                expected="a connection that does",
                remedy="name the connection that sends texts",
            )
        return  # a kind that its profile does not have is told at the connection
    offers = target.offers(kind)
    wanted = [("create", Severity.ERROR)]
    if route.carries == "state":
        wanted.append(("update", Severity.WARNING))
    for name, severity in wanted:
        if name not in offers:
            yield council.document.finding(
                ("routes", position, "to"),
                found=f"{shown(route.to)}, whose profile has no `{name}` for {kind}",
                expected=f"a target that takes {'new records' if name == 'create' else 'changes to records'}",
                remedy=f"add `{name}` to its profile, or send the route elsewhere",
                severity=severity,
            )


def _documents(
    council: Council, position: int, route: Route, opened: Dictionary[str, Opened], *, scanner: bool
) -> Iterator[Finding]:
    if route.documents is None:
        return
    at = ("routes", position, "documents")
    for end, name, offer, does in (("from", route.from_, "fetch", "lends"), ("to", route.to, "create", "takes")):
        connection = opened.get(name)
        if connection is not None and offer not in offered(connection):
            section = "documents.fetch" if offer == "fetch" else "documents"
            yield council.document.finding(
                at,
                found=f"{shown(name)}, whose profile {does} no documents",
                expected=f"a connection at `{end}` whose profile has `{section}` for its records",
                remedy=f"add `{section}` to its profile, or take `documents` out of the route",
            )
    if route.documents.unscanned is None and not scanner:
        yield council.document.finding(
            at,
            found="documents that nothing would look at",
            expected="`scanner` in config/dolen.yaml, or `unscanned` with the reason why not",
            remedy="name the site's virus scanner, or write why these documents need none",
        )


def _condition(council: Council, position: int, route: Route) -> Iterator[Finding]:
    conditions = [(("when", path), path, codes) for path, codes in route.when.items()]
    for place, path, codes in [*conditions, *paths_of_rows(route)]:
        at = ("routes", position, *place)
        wrong = fieldpaths.check(path)
        if wrong is not None:
            yield council.document.finding(at, found=shown(path), expected=wrong, remedy="correct the path")
            continue
        declared = fieldpaths.type_of(path)
        known = ("true", "false") if declared.kind is Kind.BOOLEAN else declared.codes
        if not known:
            continue
        for code in codes:
            word = str(code).lower() if isinstance(code, bool) else code
            fits = isinstance(code, bool) == (declared.kind is Kind.BOOLEAN) and word in known
            if code is not None and not fits:
                yield council.document.finding(
                    at,
                    found=f"{shown(str(word))}, which {path} never is",
                    expected=one_of(known),
                    remedy=did_you_mean(str(word), known) or "write one of these codes",
                )
