"""Going live and back: a route's `mode` is turned in the council's file, after a look at all that should hold before.

Out of shadow a route is led once and by a new start, because what it sends cannot be taken back; so what would make it
send something wrong stands in the way, and the rest is told to whoever decides. Into shadow it is led at once: running
processes notice it before their next batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from config.editing import set_values
from config.findings import errors
from config.routes import LIVE_NEEDS
from config.site import COUNCIL_FOLDER, Site
from connectors.errors import ConnectorError
from pipelines import audit, council_file, doctor, first_day
from pipelines.check import check
from pipelines.clock import to_instant
from pipelines.courtesy import PutOff
from pipelines.feeds import Progress
from pipelines.looking import NotPossible
from pipelines.plant import Council, Plant
from pipelines.routing import Route
from pipelines.shadow_report import Shadowed, report
from pipelines.unmapped import unmapped

#: Days in shadow below which whoever goes live is told that it was short: a week has every kind of day.
ENOUGH_DAYS = 7
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list that is gone through before a route goes live."""

    what: str
    well: bool
    words: str
    stops: bool = False  # while it is not well, the route does not go live
    remedy: str = ""


def steps(
    plant: Plant, site: Site, council: Council, route: Route, *, read: bool = True, progress: Progress | None = None
) -> list[Step]:
    """Go through the list. `read`: look at both systems too; without it those lines say that nobody looked."""
    found = [_files(site, council), _declared(site, council, route), _paired(plant, council, route)]
    found += [_doctor(plant, council, name) for name in (route.source, route.target)] if read else []
    told: Shadowed | None
    try:
        told = report(plant, council, route, read=read, progress=progress)
    except (ConnectorError, PutOff, NotPossible) as fault:
        words = fault.reason if isinstance(fault, ConnectorError) else str(fault)
        told = report(plant, council, route, read=False)
        found.append(Step("comparison", False, f"could not be made: {words}", remedy="run it again later"))
    found += [_time(plant, told), _compared(told), _stopped(told), _codes(plant, council, route)]
    return found


def turn(plant: Plant, site: Site, council: Council, route: Route, mode: str, *, who: str, why: str) -> bool:
    """Write `mode` at the route in the council's file, with who and why, and note it in the audit. False: it was so.

    Raises SiteFaults where the file would not be sound afterwards, CannotChange where it cannot be written.
    """
    position = _position(site, council, route)
    on = to_instant(plant.clock.now()).astimezone(ZoneInfo(council.zone)).date()
    changed = set_values(
        site.root / COUNCIL_FOLDER / f"{council.code}.yaml",
        {("routes", position, "mode"): mode},
        author=who,
        reason=why,
        on=on,
        check=partial(council_file.faults, site, council.code),
    )
    if changed:
        with plant.ledger.writing() as connection:
            audit.write(
                connection,
                plant.vault,
                council=council.code,
                who=who,
                action=f"route {mode}",
                subject=route.name,
                why=why,
                now=plant.clock.now(),
            )
        plant.nudge.set()
    return changed


def _position(site: Site, council: Council, route: Route) -> int:
    names = [one.name for one in site.councils[council.code].settings.routes]
    return names.index(route.name)


# --- The lines of the list --------------------------------------------------------------------------------------------


def _files(site: Site, council: Council) -> Step:
    others = {f"{COUNCIL_FOLDER}/{code}.yaml" for code in site.councils if code != council.code}
    wrong = [one for one in errors(check(site.root, live=True)) if one.file not in others]
    if not wrong:
        return Step("files", True, "dolen check finds no error")
    words = f"dolen check finds {len(wrong)}; the first is {wrong[0]}"
    return Step("files", False, words, True, "mend them")


def _declared(site: Site, council: Council, route: Route) -> Step:
    declared = site.councils[council.code].settings.routes[_position(site, council, route)]
    lacking = [key for key in LIVE_NEEDS if getattr(declared, key) is None]
    if not lacking:
        return Step("agreement", True, "purpose, lawful basis, agreement, owner, retention and time are written down")
    words = f"not written down: {', '.join(lacking)}"
    return Step("agreement", False, words, True, "ask the data-protection officer, and write them at the route")


def _paired(plant: Plant, council: Council, route: Route) -> Step:
    if not first_day.needs_matching(replace(route, shadow=False)):
        return Step("cases", True, "nothing to pair: the route says so, or it carries no records")
    with plant.ledger.reading() as connection:
        done = first_day.is_paired(connection, council.code, route)
    if done:
        return Step("cases", True, "the cases that both systems hold are paired")
    return Step(
        "cases",
        False,
        f"the cases that {route.source} and {route.target} both hold are not paired: each would be made a second time",
        True,
        f"run `dolen match {council.code}/{route.source} {council.code}/{route.target}`",
    )


def _doctor(plant: Plant, council: Council, connection: str) -> Step:
    wrong = [one for _, _, one in doctor.examine(plant, council.code, connection) if not one.well]
    if not wrong:
        return Step(f"doctor {connection}", True, "answers, and nothing is wrong with it")
    words = "; ".join(f"{one.subject}: {one.words}" for one in wrong)
    return Step(f"doctor {connection}", False, words, True, wrong[0].remedy or "run `dolen doctor`")


def _time(plant: Plant, told: Shadowed) -> Step:
    if told.since is None:
        words = "it has not been in shadow, or nothing came by"
        return Step("shadow", False, words, remedy="let it run in shadow first")
    days = (plant.clock.now() - told.since) // _DAY
    words = f"{days} days in shadow, {told.referrals} referrals"
    return Step("shadow", days >= ENOUGH_DAYS, words, remedy="" if days >= ENOUGH_DAYS else "let it run for a week")


def _compared(told: Shadowed) -> Step:
    if told.text:
        would = told.effects.get("text", 0)
        return Step("texts", True, f"{would} would have been told; nobody else, by rules that the report names")
    if told.beside is None:
        return Step("comparison", False, "nobody looked at both systems", remedy="run it without --no-read")
    differ = told.beside.totals["different"] + told.beside.totals["stale"]
    words = f"{told.typed} typed by hand and known again, {differ} of them otherwise; {told.not_typed} not found there"
    remedy = "" if not differ else "look at `dolen shadow report`: which side is right, and does the mapping say so?"
    return Step("comparison", not differ, words, remedy=remedy)


def _stopped(told: Shadowed) -> Step:
    words = f"{told.stopped} could not have been sent, {told.waiting} not looked at yet"
    return Step("attention", not told.stopped, words, remedy="" if not told.stopped else "see `dolen attention`")


def _codes(plant: Plant, council: Council, route: Route) -> Step:
    wait = [one for one in unmapped(plant, [council.code]) if one.connection in (route.source, route.target)]
    if not wait:
        return Step("codes", True, "no code waits for a meaning")
    return Step("codes", False, f"{len(wait)} codes wait for a meaning", remedy="see `dolen codes unmapped`")

