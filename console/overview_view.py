"""How the overview looks: one table of connections, and the counts by state."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from console.show import count, iso, safe, say, table, when
from console.site import zone_of

if TYPE_CHECKING:
    from pipelines.called import Calls
    from pipelines.code_drift_known import Known
    from pipelines.interfaces_seen import Seen
    from pipelines.overview import Overview
    from pipelines.plant import Plant
    from pipelines.proofs import Proved

Beat = dict[str, int | str]


def plain(plant: Plant, seen: Overview, alive: bool, beat: Beat | None) -> dict[str, Any]:
    """The overview as data, times as ISO 8601 in each council's zone."""
    links = []
    for link in seen.links:
        zone = zone_of(plant, link.council)
        times = {name: iso(getattr(link, name), zone) for name in ("paused_until", "last_read", "oldest")}
        links.append(dataclasses.asdict(link) | times)
    return {
        "site": str(plant.root), "stage": plant.stage, "running": alive, "last_seen": iso(_at(beat)),
        "referrals": seen.referrals, "versions": seen.versions, "deliveries": seen.deliveries, "open": seen.open,
        "attention": seen.attention, "late": seen.late, "sums_agree": seen.sums_agree, "connections": links,
        "codes": [dataclasses.asdict(one) | {"at": iso(one.at, zone_of(plant, one.council))} for one in seen.codes],
        "interfaces": [_interface_plain(plant, one) for one in seen.interfaces],
        "calls": [dataclasses.asdict(one) | {"last": iso(one.last, zone_of(plant, one.council))} for one in seen.calls],
        "proofs": [dataclasses.asdict(one) | {"at": iso(one.at, zone_of(plant, one.council))} for one in seen.proofs],
    }  # fmt: skip


def show(plant: Plant, seen: Overview, alive: bool, beat: Beat | None) -> None:
    """The overview for people."""
    zones = {council.zone for council in plant.councils.values()}
    zone = zones.pop() if len(zones) == 1 else "UTC"
    state = f"running (process {beat['pid']})" if alive and beat else "running" if alive else "not running"
    seen_at = "" if alive else f"; last ran {when(_at(beat), zone)}" if beat else "; never ran here"
    say(f"{plant.root}, stage {plant.stage}: {state}{seen_at}")
    rows = [
        (
            link.council, link.connection, _paused(link, zone_of(plant, link.council)),
            when(link.last_read, zone_of(plant, link.council)) if link.last_read else "-",
            link.waiting, link.not_sure, link.attention,
            when(link.oldest, zone_of(plant, link.council)) if link.oldest else "-",
        )
        for link in seen.links
    ]  # fmt: skip
    table(["council", "connection", "state", "last read", "waiting", "not sure", "attention", "oldest"], rows)
    for link in seen.links:
        if link.last_words:
            say(f"{link.council}/{link.connection}: its last read stopped early: {link.last_words}")
        if link.told:
            say(f"{link.council}/{link.connection}: {link.told}")
    for calls in seen.calls:
        say(f"{calls.council}/{calls.connection}: {_calls(calls, zone_of(plant, calls.council))}")
    for proved in seen.proofs:
        say(f"{proved.council}/{proved.route}: {_proof(proved, zone_of(plant, proved.council))}")
    for known in seen.codes:
        say(f"{known.council}/{known.connection}: {_codes(known, zone_of(plant, known.council))}")
    for one in seen.interfaces:
        if one.attention:
            say(f"{one.council}/{one.connection}: {_interface(one, zone_of(plant, one.council))}")
    states = f"deliveries: {_counts(seen.deliveries)}; versions: {_counts(seen.versions)}"
    say(f"{count(seen.referrals, 'referral')}; {states}")
    if seen.late:
        say(f"{count(seen.late, 'delivery', 'deliveries')} later than the route's arrive_within")
    if seen.attention:
        say(f"{seen.attention} need attention: dolen attention")
    if not seen.sums_agree:
        say("THE SUMS DO NOT AGREE: something arrived without proof, or has no known state. Report this.")


def _calls(calls: Calls, zone: str) -> str:
    """When a system last called us, in a few words."""
    last = f"it last called us {when(calls.last, zone)}" if calls.last else "it has not called us in the last week"
    return last + (f"; {count(calls.waiting, 'call')} not taken in yet" if calls.waiting else "")


def _proof(proved: Proved, zone: str) -> str:
    """The newest proof of a route in a few words."""
    if proved.at is None:
        words = "never compared"
    else:
        verdict = "agrees" if proved.agrees else f"DIFFERS in {proved.differ}" if proved.differ else safe(proved.doubt)
        words = f"compared {when(proved.at, zone)}: {verdict} ({proved.compared} compared, {proved.open} on the way)"
    return words + (f"; a newer comparison could not be finished: {safe(proved.words)}" if proved.words else "")


def _codes(known: Known, zone: str) -> str:
    """The newest look at a system's own code lists in a few words."""
    new, gone = sum(len(one.new) for one in known.drifts), sum(len(one.gone) for one in known.drifts)
    not_asked = sum(bool(one.words) for one in known.drifts)
    told = [f"{count(new, 'NEW CODE', 'NEW CODES')}"] if new else []
    told += [f"{count(gone, 'CODE', 'CODES')} GONE"] if gone else []
    told += [f"{count(not_asked, 'list')} could not be asked for"] if not_asked else []
    verdict = ", ".join(told) + f"; see dolen codes drift {known.connection}" if told else "agree"
    return f"code lists compared {when(known.at, zone)}: {verdict} ({known.compared} compared)"


def _interface(seen: Seen, zone: str) -> str:
    """An interface that changed, in a few words."""
    worst = f"{seen.breaks} BREAK" if seen.breaks else "none breaks"
    return (
        f"the system shows another interface since {when(seen.since, zone)}: {worst}, {seen.may_break} may break: "
        f"dolen interface drift {seen.council}/{seen.connection}"
    )


def _interface_plain(plant: Plant, seen: Seen) -> dict[str, Any]:
    zone = zone_of(plant, seen.council)
    return dataclasses.asdict(seen) | {
        "at": iso(seen.at, zone), "since": iso(seen.since, zone), "attention": seen.attention,
    }  # fmt: skip


def _counts(states: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"


def _paused(link: Any, zone: str) -> str:
    if not link.paused:
        return "runs"
    return f"paused: {link.paused}" + (f", tried again {when(link.paused_until, zone)}" if link.paused_until else "")


def _at(beat: Beat | None) -> int | None:
    return int(beat["at"]) if beat else None
