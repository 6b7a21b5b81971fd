"""`dolen bench`: what is typed, and how the result looks."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.guard import WrongUse
from console.show import complain, say, table

if TYPE_CHECKING:
    from console.bench.faults import Run

bench = typer.Typer(help="The benches: proof on your own machine.", no_args_is_help=True)


@bench.command()
def faults(
    kills: Annotated[int, typer.Option(min=0, help="How often a process is killed.")] = 40,
    referrals: Annotated[int, typer.Option(min=1, help="How many requests are typed.")] = 400,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws the same run again; without it a new one.")] = None,
    weather: Annotated[
        float, typer.Option(min=0, max=5, help="How often systems fail: 1 is as declared, 0 never.")
    ] = 1.0,
    ledger: Annotated[
        str, typer.Option(help="A PostgreSQL in which databases may be made: its URL, or env:NAME.", metavar="URL")
    ] = "",
    broker: Annotated[
        str, typer.Option(help="A RabbitMQ and a place there of the bench's own: URL or env:NAME.", metavar="URL")
    ] = "",
    restart_ledger: Annotated[str, typer.Option(help="Kills the database and starts it again.", metavar="CMD")] = "",
    restart_broker: Annotated[str, typer.Option(help="Kills the broker and starts it again.", metavar="CMD")] = "",
    keep: Annotated[Path | None, typer.Option(help="Keep site, ledger and logs in this new folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Move referrals between pretend systems while everything is killed, and prove that none was lost or doubled."""
    from console.bench.asking import NoAnswer
    from console.bench.blows import NotRestarted
    from console.bench.crew import CrewFault
    from console.bench.faults import Run
    from console.bench.peers import PeersGone
    from console.bench.servers import given
    from console.bench.site import Bench

    if not hasattr(signal, "SIGSTOP"):
        raise WrongUse("The fault bench needs signals that this system does not have; run it on Linux")
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise WrongUse(f"{keep} is not empty: name a folder that is new")
    servers = given(ledger, broker, restart_ledger, restart_broker)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    if seed is None:
        seed = random.randrange(1, 1_000_000)  # noqa: S311 - a story, not a secret
    folder = keep or Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(
        seed=seed,
        kills=kills,
        referrals=referrals,
        weather=weather,
        servers=servers,
        tell=complain,
        keep=keep is not None,
    )
    try:
        result = run.perform(Bench(folder.resolve()))
        _tell(result, as_json)
        _offender(run)
    except (CrewFault, PeersGone, NoAnswer, NotRestarted) as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(0 if run.verdict.well and not result["unexplained"] else 1)


@bench.command()
def pipeline(
    records: Annotated[int, typer.Option(min=100, help="How many requests one run moves.")] = 5000,
    runs: Annotated[int, typer.Option(min=1, help="How many runs; the median of each contender counts.")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="This result alone; may be given again.")] = None,
    ledger: Annotated[
        str, typer.Option(help="A PostgreSQL database of the bench's own: its URL, or env:NAME.", metavar="URL")
    ] = "",
    broker: Annotated[
        str, typer.Option(help="A RabbitMQ and a place there of the bench's own: URL or env:NAME.", metavar="URL")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Records a second from a source's page to the proof, against a plain loop in the same run."""
    from console.bench import pipeline as contest
    from console.bench.servers import given

    unknown = set(only or ()) - set(contest.RESULTS)
    if unknown:
        raise WrongUse(f"--only takes one of: {', '.join(contest.RESULTS)}")
    servers = given(ledger, broker, "", "")
    try:
        result = contest.pipeline(records, runs, servers, only or ())
    except contest.Failed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    if told_as_json(result, as_json):
        return
    tell_results(result)


@bench.command()
def peers(
    records: Annotated[int, typer.Option(min=100, help="How many requests one run moves.")] = 2000,
    runs: Annotated[int, typer.Option(min=1, help="How many runs; the median of each contender counts.")] = 3,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processes that send, on each side.")] = 1,
    only: Annotated[list[str] | None, typer.Option(help="This result alone; may be given again.")] = None,
    ledger: Annotated[
        str, typer.Option(help="A PostgreSQL in which databases may be made: its URL, or env:NAME.", metavar="URL")
    ] = "",
    broker: Annotated[
        str, typer.Option(help="A RabbitMQ and a place there of the bench's own: URL or env:NAME.", metavar="URL")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """The same work done by Celery, and changes read by dlt, where they are installed; in the same run."""
    from console.bench import pipeline as contest
    from console.bench import rivals
    from console.bench.servers import given

    if set(only or ()) - set(rivals.RESULTS):
        raise WrongUse(f"--only takes one of: {'; '.join(rivals.RESULTS)}")
    servers = given(ledger, broker, "", "")
    try:
        result = rivals.peers(records, runs, workers, servers, only or ())
    except contest.Failed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    for note in result["notes"]:
        complain(note)
    if told_as_json(result, as_json):
        return
    tell_results(result)


@bench.command()
def privacy(
    records: Annotated[int, typer.Option(min=0, help="Requests that one run moves; 0 leaves the pipeline out.")] = 5000,
    runs: Annotated[int, typer.Option(min=1, help="How many runs; the median of each contender counts.")] = 3,
    messages: Annotated[
        int, typer.Option(min=0, help="Messages in the ledger in which a person is shown and erased; 0 leaves it out.")
    ] = 100_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """What encryption and redaction cost, with and without in one run; and a person's rights in a large ledger."""
    from console.bench import pipeline as contest
    from console.bench import privacy as bench_of_privacy

    try:
        result = bench_of_privacy.privacy(records, runs, messages)
    except contest.Failed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    if told_as_json(result, as_json):
        return
    tell_results(result)


@bench.command()
def mapping(
    runs: Annotated[int, typer.Option(min=1, help="How many turns each contender has; the median counts.")] = 15,
    seconds: Annotated[float, typer.Option(min=0.0, max=10, help="How long one turn takes, about.")] = 0.2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Records a second that a compiled mapping reads and writes, against hand-written Python and other engines."""
    from console.bench import mapping as contest

    try:
        result = contest.mapping(runs, seconds)
    except contest.Disagreed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    for note in result["notes"]:
        complain(note)
    if told_as_json(result, as_json):
        return
    tell_results(result)


@bench.command()
def connectors(
    runs: Annotated[int, typer.Option(min=1, help="How many turns each contender has; the median counts.")] = 15,
    only: Annotated[list[str] | None, typer.Option(help="This result alone; may be given again.")] = None,
    back_fill: Annotated[
        int, typer.Option(min=0, help="Also read so many records through each feed and watch the memory; 0 is not.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Calls of the connectors against bare requests and zeep, on one loopback server."""
    from console.bench import connectors as contest

    if set(only or ()) - set(contest.RESULTS):
        raise WrongUse(f"--only takes one of: {', '.join(contest.RESULTS)}")
    if (back_fill or "back-fill" in (only or ())) and sys.platform != "linux":
        raise WrongUse("The back-fill watches memory as Linux tells it; run it there")
    try:
        result = contest.connectors(runs, only or (), back_fill)
    except contest.Disagreed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    if told_as_json(result, as_json):
        return
    tell_results(result)


@bench.command()
def texts(
    changes: Annotated[int, typer.Option(min=5, help="How many changes of status one run makes.")] = 120,
    runs: Annotated[int, typer.Option(min=1, help="How many runs; the median of each counts.")] = 3,
    only: Annotated[str, typer.Option(help="This result alone: polled, pushed or safe.")] = "",
    rate: Annotated[float, typer.Option(min=0.5, max=100, help="Changes a second of `safe`.")] = 20.0,
    seed: Annotated[int, typer.Option(min=0, help="Draws the same `safe` run again.")] = 1,
    ledger: Annotated[
        str, typer.Option(help="For `safe`: a PostgreSQL for a database of its own: URL or env:NAME.", metavar="URL")
    ] = "",
    broker: Annotated[
        str, typer.Option(help="For `safe`: a RabbitMQ and a place there of the bench's own.", metavar="URL")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """From a change of status to the text that Notify took; `--only safe`: nobody told twice, wrongly or unasked."""
    from console.bench import texts as contest
    from console.bench.servers import given
    from console.demo.stage import StageFault

    if only not in ("", "polled", "pushed", "safe"):
        raise WrongUse("--only takes one of: polled, pushed, safe")
    servers = given(ledger, broker, "", "")
    if servers.apart and only != "safe":
        raise WrongUse("--ledger and --broker go with --only safe")
    try:
        if only == "safe":
            result = contest.safe(changes, seed=seed, rate=rate, tell=complain, servers=servers)
        else:
            result = contest.texts(changes, runs, tell=complain, only=only)
    except (contest.Failed, StageFault) as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    if not told_as_json(result, as_json):
        tell_results(result)
    raise typer.Exit(0 if all(one["ratio"] >= 1 for one in result["results"]) else 1)


@bench.command()
def console(
    messages: Annotated[int, typer.Option(min=500, help="How many messages the ledger holds.")] = 1_000_000,
    turns: Annotated[int, typer.Option(min=1, help="How often each page and each search is asked for.")] = 10,
    replay: Annotated[int, typer.Option(min=0, help="Deliveries that are sent again; 0 leaves it out.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Draws the same cases and references again.")] = 1,
    ledger: Annotated[
        str, typer.Option(help="A PostgreSQL in which databases may be made: its URL, or env:NAME.", metavar="URL")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """How long the pages and their search take in a large ledger, and what a bulk replay takes of memory."""
    from console.bench import console as contest
    from console.bench.desk_asks import NotKnown
    from console.bench.servers import given_ledger
    from pipelines import logs

    if replay and sys.platform != "linux":
        raise WrongUse("The replay watches memory as Linux tells it; leave it out with --replay 0")
    logs.configure("warning", "json")
    try:
        result = contest.console(messages, turns, replay, given_ledger(ledger), tell=complain, seed=seed)
    except (contest.Failed, NotKnown) as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    if not told_as_json(result, as_json):
        tell_results(result)
    raise typer.Exit(0 if all(one["ratio"] >= 1 for one in result["results"]) else 1)


@bench.command()
def gate(
    only: Annotated[list[str] | None, typer.Option(help="This bench alone; may be given again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Short runs whose ratios of processor time must not have fallen well below those that are recorded."""
    from console.bench import gate as held
    from console.bench.connectors import Disagreed as OnTheWire
    from console.bench.mapping import Disagreed as InWords
    from console.bench.start import Failed

    if set(only or ()) - set(held.MEASURES):
        raise WrongUse(f"--only takes one of: {', '.join(held.MEASURES)}")
    try:
        result = held.gate(only or ())
    except (OnTheWire, InWords, Failed, held.NotRecorded) as fault:
        complain(f"The gate cannot judge: {fault}")
        raise typer.Exit(1) from None
    if not told_as_json(result, as_json):
        tell_results(result)
    red = [one for one in result["results"] if not one["well"]]
    for one in red:
        complain(held.words_of(one))
    raise typer.Exit(1 if red else 0)


def told_as_json(result: dict[str, Any], as_json: bool) -> bool:
    """Print a result for a script, where that was asked for; whether it was."""
    if as_json:
        say(json.dumps(result))
    return as_json


def tell_results(result: dict[str, Any]) -> None:
    """Print the results of a bench as a table."""
    names = ("name", "ours", "against", "theirs", "ratio", "unit", "our_cpu", "their_cpu", "runs")
    shown = [name for name in names if any(name in one for one in result["results"])]
    table(
        ["result", *(name.replace("_", " ") for name in shown[1:])],
        [[str(one.get(name, "")) for name in shown] for one in result["results"]],
    )


@bench.command()
def capacity(
    rows: Annotated[int, typer.Option(min=1000, help="How many messages the ledger is filled with.")] = 20_000,
    messages: Annotated[int, typer.Option(min=1000, help="For how many it is extrapolated.")] = 12_000_000,
    years: Annotated[float, typer.Option(min=0.1, help="In how many years they come.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what a message takes in an SQLite ledger, what years of them need, and which looks grow with them."""
    from console.bench.capacity import capacity as measured

    found = measured(rows, messages, years)
    if as_json:
        say(json.dumps(found))
        return
    need = found["need"]
    say(
        f"A message takes {found['bytes_a_message']:.0f} bytes of metadata at most, measured with {rows} of them.",
        f"{messages} of them in {years:g} years: {need['all_metadata'] / 1e9:.1f} GB if nothing were let go of.",
        f"With the default retention at rest: {need['metadata_at_rest'] / 1e9:.1f} GB of metadata and "
        f"{need['payloads_at_rest'] / 1e9:.1f} GB of payloads.",
    )
    table(
        ["look", f"ms at {rows // 4}", f"ms at {rows}", "growth", f"ms at {messages}"],
        [
            [one["name"], one["quarter"], one["whole"], one["growth"],
             "as it is" if one["at_all"] is None else one["at_all"]]
            for one in found["looks"]
        ],
    )  # fmt: skip


def _tell(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        say(json.dumps(result))
        return
    heads = ["tier", *next(iter(result["by_tier"].values()), {})]
    table(heads, [[tier, *counts.values()] for tier, counts in sorted(result["by_tier"].items())])
    say(
        f"{result['kills']} kills, {result['referrals']} referrals, {result['versions']} versions in "
        f"{result['seconds']:.0f} seconds: "
        + ", ".join(f"{result[fault]} {fault}" for fault in ("lost", "doubled", "stale", "wiped", "stuck")),
        *result["notes"],
        f"The same again, as far as time allows: --kills {result['kills']} --referrals {result['referrals']} "
        f"--seed {result['seed']}",
    )


def _offender(run: Run) -> None:
    """The story of the first one that something is wrong with; on standard error, as the result is for scripts."""
    for offence in run.verdict.offences[:10]:
        complain(f"{offence.what.upper()} tier {offence.tier} {offence.token} ({offence.number}): {offence.words}")
    if run.story:
        complain(run.story)


def _as_ctrl_c(*_: Any) -> None:
    sys.stderr.write("Stopping; nothing of the bench is left running.\n")
    raise KeyboardInterrupt
