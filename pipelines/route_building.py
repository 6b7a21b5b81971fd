"""From a route as a council's file has it to the route by which deliveries are made."""

from __future__ import annotations

from config.routes import Comparison
from config.routes import Hears as HearsSettings
from config.routes import Route as RouteSettings
from mappings import fieldpaths
from pipelines.jobs import TEXT_KIND
from pipelines.routing import DocumentRules, Hears, Route


def _hears(row: HearsSettings, text: str) -> Hears:
    when = {fieldpaths.normalise(path): tuple(codes) for path, codes in row.when.items()}
    return Hears(row.who, tuple(row.texts) or (text,), when)


def route_of(route: RouteSettings, site_wide: Comparison) -> Route:
    """The route that a council's file describes. `site_wide`: when both ends are compared, where it says nothing."""
    return Route(
        name=route.name,
        source=route.from_,
        target=route.to,
        kind=route.record or TEXT_KIND,
        carries=route.carries,
        when={fieldpaths.normalise(path): tuple(codes) for path, codes in route.when.items()},
        text=route.text or "",
        recipients=tuple(_hears(row, route.text or "") for row in route.recipients),
        tells_each=route.tells == "each",
        replies_to=tuple(route.replies_to),
        creates_persons=route.creates_persons,
        arrive_within=route.arrive_within,
        when_deleted=route.when_deleted or "",
        # In shadow the target is not what the source is yet: a person compares them with `dolen shadow report`.
        reconcile=""
        if route.carries == "event" or route.mode == "shadow"
        else (route.reconcile or site_wide).cron or "",
        nothing_to_match=route.first_day == "nothing-to-match",
        shadow=route.mode == "shadow",
        retention=route.retention,
        documents=None
        if route.documents is None
        else DocumentRules(
            route.documents.most_megabytes, tuple(route.documents.types), scan=route.documents.unscanned is None
        ),
    )
