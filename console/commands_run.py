"""Commands that run a site and watch it run: run, sync, pause, resume, sandbox, demo."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, complain, count, progress, safe, say, table
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name, opened, zone_of
from pipelines.rights import Right

if TYPE_CHECKING:
    from config.metrics import Metrics as MetricsSettings
    from config.site import Site
    from pipelines.plant import Plant
    from pipelines.running import Part

Connection = Annotated[str, typer.Argument(help="A connection: contact, or torfaen/contact.", metavar="CONNECTION")]


AtOnce = Annotated[
    int,
    typer.Option(
        "--at-once",
        min=1,
        max=64,
        help="Calls under way at one connection in this process; limits.at_once holds over all processes.",
    ),
]


def run(at_once: AtOnce = 8, site: SiteFolder = HERE) -> None:
    """Run the site: read, send, keep time. One process does it all; Ctrl-C or SIGTERM stops it cleanly."""
    _run(site, "run", ("work", "schedule"), at_once)


def work(at_once: AtOnce = 8, site: SiteFolder = HERE) -> None:
    """Only send: one of several workers that share a PostgreSQL ledger and a RabbitMQ broker."""
    _run(site, "work", ("work",), at_once)


def schedule(site: SiteFolder = HERE) -> None:
    """Only read sources when they are due: one of several that share a PostgreSQL ledger and a RabbitMQ broker."""
    _run(site, "schedule", ("schedule",), 1)


def _run(site: Path, command: str, roles: tuple[str, ...], at_once: int) -> None:
    from pipelines import composition, erasing, first_day, logs, processes, running
    from pipelines.anchors import Anchorer
    from pipelines.artifacts import Sweeper
    from pipelines.code_drift import CodeWatch
    from pipelines.drift_watch import DriftWatch
    from pipelines.numbering import Numberer
    from pipelines.prover import Prover
    from pipelines.purger import Purger
    from pipelines.restored import Restoring
    from pipelines.watchman import Watchman

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # a second one changes nothing
        signal.signal(number, lambda *_: stop.set())
    with opened(site) as plant:
        if command != "run":
            try:
                running.check_roles(plant, command)
            except running.NeedsServers as fault:
                raise WrongUse(str(fault)) from None
        again = erasing.repeat(plant)
        if again:
            say(f"Erased again, because the ledger was restored from before: {count(again, 'person', 'people')}.")
        held_back = first_day.hold_back(plant)
        for words in held_back:
            complain(f"{words}.")
        if held_back and not plant.councils:
            raise WrongUse("No council of this site can go live yet")
        laid = composition.load(site)
        settings = laid.settings
        logs.configure(settings.log.level, settings.log.format)
        shown = laid if command == "run" else None
        if not (plant.ledger.embedded and processes.is_running(plant)):
            councils = count(len(plant.councils), "council")
            what = f"{councils}, stage {plant.stage}, process {os.getpid()}"
            say(f"Dolen runs {plant.root} ({what}, dolen {command}). Stop: Ctrl-C.")
        assert plant.alerts is not None  # the composition root gives every plant its rules
        chores = (
            Prover(plant), CodeWatch(plant), Sweeper(plant), DriftWatch(plant), Numberer(plant),
            Purger(plant, settings.purge.cron), Anchorer(plant), Watchman(plant, plant.alerts), Restoring(plant),
        )  # fmt: skip
        beside = partial(_beside, plant, shown, settings.metrics)
        running.run(plant, stop, roles=roles, chores=chores, tell=say, at_once=at_once, beside=beside)
        say("Stopped; what waits goes on from the same place next time.")


def _beside(plant: Plant, site: Site | None, measured: MetricsSettings | None) -> list[tuple[str, Part]]:
    """What runs beside the site's own parts: tasks, and figures where they are asked for; of `dolen run` also the
    listener and the pages. Raises WrongUse."""
    from pipelines.task_runs import TaskRuns

    parts: list[tuple[str, Part]] = [("tasks", TaskRuns(plant))]
    if measured is not None:
        from console.gauges.server import Gauged

        assert plant.alerts is not None  # the composition root gives every plant its rules
        try:
            tell = partial(_say_where, "Figures", "/metrics")
            parts.append(("figures", Gauged(plant, measured, plant.alerts.data, tell)))
        except OSError as fault:  # what carries referrals does not stand still for want of figures
            words = _nothing_can_listen(measured.host, measured.port, fault, "metrics")
            complain(f"No figures: {words}. Referrals are carried all the same.")
    if site is not None and (listening := site.settings.listener) is not None:
        from console.listener.server import Listener

        try:
            parts.append(("listener", Listener(plant, listening, lambda address: say(f"Listening at {address}/push."))))
        except OSError as fault:
            raise WrongUse(_nothing_can_listen(listening.host, listening.port, fault, "listener")) from None
    if site is not None and (showing := site.settings.console) is not None:
        from console.web.server import Console

        try:
            parts.append(("console", Console(plant, site, showing, _told, who=ask.who())))
        except OSError as fault:  # what carries referrals does not stand still for want of pages
            words = _nothing_can_listen(showing.host, showing.port, fault, "console")
            complain(f"No pages: {words}. Referrals are carried all the same.")
    return parts


def _told(address: str, link: str) -> None:
    say(f"Pages at {address}/.")
    if link:
        say(f"Open this to sign in; it works once, for ten minutes: {link}")


def _say_where(what: str, path: str, address: str) -> None:
    say(f"{what} at {address}{path}.")


def _nothing_can_listen(host: str, port: int, fault: OSError, key: str) -> str:
    return (
        f"nothing can listen at {host}:{port} ({type(fault).__name__}): "
        f"look whether another program does, and correct `{key}` in config/dolen.yaml"
    )


def serve(site: SiteFolder = HERE) -> None:
    """Only show: the web pages for staff, beside a `dolen run` or by themselves. Ctrl-C or SIGTERM stops them."""
    from config.settings import Console as Settings
    from console.web.server import Console
    from pipelines import composition, logs

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened(site) as plant:
        laid = composition.load(site)
        logs.configure(laid.settings.log.level, laid.settings.log.format)
        chosen = laid.settings.console or Settings()
        try:
            console = Console(plant, laid, chosen, _told, who=ask.who())
        except OSError as fault:
            raise WrongUse(_nothing_can_listen(chosen.host, chosen.port, fault, "console")) from None
        console.run(stop)


def sync(
    connection: Annotated[str, typer.Argument(help="Which: contact, torfaen/contact; all if left out.")] = "",
    council: CouncilName = "",
    start: Annotated[
        str, typer.Option("--from", help="Back-fill from this time: 2026-03-01 or 2026-03-01T08:00.")
    ] = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Read sources now: once, to the end of what is new; with --from, everything since then."""
    from pipelines import control

    with for_officer(site, Right.CONTROL) as plant, progress(json) as told:
        chosen = control.connections(plant, connection, known_council(plant, council))
        zones = {zone_of(plant, wired.council) for wired in chosen}
        since = _instant(start, zones.pop() if len(zones) == 1 else "UTC") if start else ""
        done = list(control.sync(plant, chosen, since=since, progress=told))
    if json:
        as_json([dataclasses.asdict(one) for one in done])
    else:
        rows = [(one.council, one.connection, one.kind, "?" if one.news is None else one.news,
                 "complete" if one.complete else f"stopped: {one.words}") for one in done]  # fmt: skip
        table(["council", "connection", "record", "new", "walk"], rows)
    raise typer.Exit(0 if all(one.complete for one in done) else 1)


def _instant(text: str, zone: str) -> str:
    """A moment as it is typed, read in the council's zone; answered in UTC. Raises WrongUse."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse("--from must be a date or a time such as 2026-03-01 or 2026-03-01T08:00") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    if moment > datetime.now(UTC):
        raise WrongUse("--from lies in the future: there is nothing to read from there")
    return moment.astimezone(UTC).isoformat()


def pause(connection: Connection, council: CouncilName = "", site: SiteFolder = HERE) -> None:
    """Leave a connection alone until it is resumed. What is for it waits and burns no try. The reason is asked."""
    from pipelines import control

    with for_officer(site, Right.CONTROL) as plant:
        wired = control.one_connection(plant, connection, known_council(plant, council))
        control.pause(plant, wired, who=officer_name(plant), why=ask.why(f"pause {wired.council}/{wired.name}"))
        say(f"{wired.council}/{wired.name} is paused; go on with: dolen resume {wired.council}/{wired.name}")


def resume(connection: Connection, council: CouncilName = "", site: SiteFolder = HERE) -> None:
    """Take a paused connection up again."""
    from pipelines import control

    with for_officer(site, Right.CONTROL) as plant:
        wired = control.one_connection(plant, connection, known_council(plant, council))
        ended = control.resume(plant, wired, who=officer_name(plant))
        say(f"{wired.council}/{wired.name} {'goes on' if ended else 'was not paused'}.")


def doctor(
    connection: Annotated[str, typer.Argument(help="Which: contact, torfaen/contact; all if left out.")] = "",
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Look at every live connection: name, route, TLS, clock, login, permission, interface, one page, one dry write.

    Nothing is changed. Of what is not well it says who has to mend it.
    """
    from pipelines import control
    from pipelines import doctor as surgery

    found, mends = [], []
    with for_officer(site, Right.CONTROL) as plant, progress(json) as told:
        for wired in control.connections(plant, connection, known_council(plant, council)):
            told(f"{wired.council}/{wired.name}", 0)
            looked = surgery.examine(plant, wired.council, wired.name)
            found += looked
            mends += [surgery.who_mends(wired, one) for _, _, one in looked]
    if json:
        rows = zip(found, mends, strict=True)
        as_json(
            [
                {"council": code, "connection": name, **dataclasses.asdict(one), "mends": who}
                for (code, name, one), who in rows
            ]
        )
    else:
        heads = ["council", "connection", "what", "", "found"]
        table(heads, [(*at, one.subject, "well" if one.well else "NOT WELL", one.words) for *at, one in found])
        for (code, name, one), who in zip(found, mends, strict=True):
            if not one.well:
                say(f"{code}/{name} {one.subject}: {safe(one.remedy)} (to be mended by {safe(who)})")
    raise typer.Exit(0 if all(one.well for _, _, one in found) else 1)


def sandbox(ctx: typer.Context) -> None:
    """Start the pretend systems: what follows goes to `python -m sandbox`, such as: serve --dir DIR --port 8765."""
    arguments = list(ctx.args)
    child = subprocess.Popen([sys.executable, "-m", "sandbox", *(arguments or ["--help"])])  # noqa: S603 - our own
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:  # the terminal told it too: let it end in order
            continue
        raise typer.Exit(2 if code == 2 else min(abs(code), 1))


def demo(ctx: typer.Context) -> None:
    """Three councils, pretend systems with faults, referrals moving; ends with proof read from the systems."""
    from console.demo import command  # the demo is large, and wanted by nobody who runs a site

    program = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    program.command()(command.demo)
    typer.main.get_command(program)(args=list(ctx.args), prog_name="dolen demo")
