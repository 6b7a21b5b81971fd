"""How the support desk looks: causes, one delivery, a story, a preview. Field paths and sentences, never a value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from console.moments import moment
from console.show import SECOND, as_json, count, iso, safe, say, table, when
from console.site import zone_of

if TYPE_CHECKING:
    from pipelines.desk import Group
    from pipelines.plant import Plant
    from pipelines.previewing import Preview
    from pipelines.showing import Shown
    from pipelines.story import Story
    from pipelines.ticket import Ticket
    from pipelines.would_text import Texted

OPEN = ("waiting", "not sure", "needs attention")
MASK = "•••"
#: The steps at which something stops, as people say them.
STEPS = {
    "read": "when what it shows was read", "match": "when it was asked whose it is",
    "write": "when the record for it was written", "send": "when it was sent there",
    "look up": "when it was looked up there", "feed": "when its changes were fetched",
    "by hand": "waits to be typed in there",
}  # fmt: skip


def attention(plant: Plant, groups: Sequence[Group], conflicts: Sequence[Any], lacking: Sequence[Group] = ()) -> None:
    """Each cause: in words, where, since when, whom it touches, what to do, and the command to type."""
    if not groups and not conflicts:
        say("Nothing needs attention.")
    if groups:
        urgent = sum(group.urgent for group in groups)
        say(
            f"{count(sum(group.count for group in groups), 'item needs', 'items need')} attention, because of "
            f"{count(len(groups), 'cause')}" + (f"; {urgent} URGENT. Begin at the top." if urgent else "."),
            "",
        )
    for group in groups:
        _group(plant, group)
    for one in conflicts:
        say(
            f"c{one.id}  {safe(one.field)}: {one.winner} stands, {one.loser} had something else ({one.why})",
            f"  where    {one.council}, referral {one.referral_id}, since {when(one.at, zone_of(plant, one.council))}",
            f"  then     dolen trace {one.referral_id}",
            "",
        )
    if lacking:
        say("Left out, and listed until it arrives; the rest of these records goes on:")
        rows = [
            (f"{group.council}/{group.connection}", group.left_out, when(group.since, zone_of(plant, group.council)),
             group.words)
            for group in lacking
        ]  # fmt: skip
        table(["where", "records", "since", "what"], rows)


def _group(plant: Plant, group: Group) -> None:
    """One cause, as an officer needs it: what, where, since when and whom, who can mend it, what to type."""
    from console.where_words import whom
    from pipelines import menders

    ids = [f"v{number}" for number in group.versions] + [f"d{number}" for number in group.deliveries]
    zone, now = zone_of(plant, group.council), plant.clock.now()
    urgent = f", {group.urgent} of them URGENT" if group.urgent else ""
    mender = menders.of_cause(
        plant.councils[group.council], group.connection, step=group.step, field=group.field, code_list=group.code_list
    )
    lines = {
        "where": f"{group.council}/{group.connection}, {STEPS.get(group.step, group.step)}",
        "since": f"{moment(group.since, now, zone)} ({_ago(now - group.since)}); "
        f"{count(group.people, 'referral')}{urgent}",
        "what to do": group.remedy,
        "who can": whom(mender) if mender is not None else "",
        "ids": _some(ids),
        "then": _then(group),
        "to tell them": "" if group.code_list else f"dolen attention --ticket {group.fingerprint}",
    }
    say(f"{group.fingerprint}  {'URGENT  ' if group.urgent else ''}{safe(group.words)}")
    say(*(f"  {name:<12}  {safe(words)}" for name, words in lines.items() if words), "")


def _ago(span: int) -> str:
    """How long ago, in the largest unit that says enough."""
    minutes = span // (60 * SECOND)
    if minutes < 120:
        return f"{count(minutes, 'minute')} ago"
    return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def ticket(one: Ticket, zone: str) -> None:
    """A text to copy into an email or a supplier's own form: about the system, and nobody in it."""
    say(
        f"Subject: {one.council}, {one.system or one.connection}: {safe(one.words)} [{one.fingerprint}]",
        "",
        f"System:       {one.system} ({one.protocol}), the installation of {one.council}",
        f"What happens: {safe(one.words)}" + (f" (field {safe(one.field)})" if one.field else ""),
        f"When:         {STEPS.get(one.step, one.step)}; we count it as {safe(one.error)}",
        f"Since:        {when(one.first, zone)}, last {when(one.last, zone)} ({zone})",
        f"How many:     {one.count}" + (f", {one.urgent} of them urgent" if one.urgent else ""),
    )
    if one.calls:
        say("", "Our calls, as your log may show them (times begun and ended, our key, what came of it):")
        for call in one.calls:
            ended = when(call.ended, zone) if call.ended else "no end"
            say(f"  {when(call.at, zone)} - {ended}  {call.what}  {call.key}  {safe(call.outcome or 'under way')}")
    if one.owner is not None:
        ours = ", ".join(part for part in (one.owner.name, one.owner.phone, one.owner.email) if part)
        say("", f"Please answer to: {safe(ours)}")
    say("", "There is no personal data in this text. Please do not send any in your answer.")
    if one.supplier:
        say("", f"(Where to send it: {safe(one.supplier)})")


def _then(group: Group) -> str:
    """The command to type next."""
    if group.code_list:
        return f"dolen codes map {group.code_list} THEIRS OURS"
    return f"dolen replay --cause {group.fingerprint}"


def attention_plain(
    plant: Plant, groups: Sequence[Group], conflicts: Sequence[Any], lacking: Sequence[Group] = ()
) -> dict[str, Any]:
    """The same as data."""
    return {
        "causes": [_group_plain(plant, group) for group in groups],
        "left_out": [_group_plain(plant, group) for group in lacking],
        "conflicts": [
            {"id": f"c{one.id}", "council": one.council, "referral": one.referral_id, "field": one.field,
             "winner": one.winner, "loser": one.loser, "why": one.why,
             "since": iso(one.at, zone_of(plant, one.council))}
            for one in conflicts
        ],
    }  # fmt: skip


def _group_plain(plant: Plant, group: Group) -> dict[str, Any]:
    return dataclasses.asdict(group) | {
        "since": iso(group.since, zone_of(plant, group.council)),
        "ids": [f"v{n}" for n in group.versions] + [f"d{n}" for n in group.deliveries],
        "count": group.count,
        "remedy": group.remedy,
    }


def _some(ids: Sequence[str], most: int = 12) -> str:
    more = f" and {len(ids) - most} more (--json lists all)" if len(ids) > most else ""
    return " ".join(ids[:most]) + more


def shown(plant: Plant, one: Shown, preview: Preview | None) -> None:
    """One delivery or version."""
    from console.where_words import whom

    zone = zone_of(plant, one.council)
    place = f"by {one.route}, revision {one.revision}" if one.route else f"record {safe(one.number) or 'unknown'}"
    say(f"{one.id}  {one.council}/{one.connection} {one.kind}, {place}")
    now = plant.clock.now()
    lines = {
        "state": one.state + (f" ({safe(one.reason)})" if one.reason else ""), "referral": one.referral,
        "since": f"{moment(one.at, now, zone)} ({_ago(now - one.at)})",
        "next try": moment(one.due, now, zone) if one.due and one.state in OPEN else "",
        "cause": f"{one.cause}  {safe(one.words)}" if one.cause else "", "what to do": safe(one.remedy),
        "who can": safe(whom(one.mender)) if one.mender is not None else "",
        "to tell them": f"dolen show {one.id} --ticket" if one.cause else "",
        "left out": ", ".join(one.left_out), "mapping": _short(one.mapping) + _of_person(one.chosen),
    }  # fmt: skip
    say(*(f"  {name:<12}  {words}" for name, words in lines.items() if words))
    if one.tries:
        rows = [(when(at.at, zone), at.what, at.outcome, at.words, _short(at.mapping)) for at in one.tries]
        table(["tried", "what", "outcome", "words", "mapping"], rows)
    if preview is not None:
        say("", "Sent now, it would:")
        _preview(preview)


def _short(digest: str) -> str:
    return digest[:12]


def _of_person(chosen: bool) -> str:
    return " (chosen by a person)" if chosen else ""


def _preview(preview: Preview) -> None:
    say(f"  {preview.effect}" + (f": {safe(preview.words)}" if preview.words else ""))
    for path, value in preview.fields:
        say(f"    {safe(path)} = {'(empty)' if value is None else MASK}")
    if preview.against:
        say(f"  compared with {preview.against}:" if preview.differs else f"  {preview.against}")
    say(*(f"    {how}: {safe(path)}" for path, how in preview.differs))
    if preview.held_back:
        say(f"  not written, because {preview.held_back[0]} and such were edited there: {', '.join(preview.held_back)}")


def preview_plain(preview: Preview) -> dict[str, Any]:
    """A preview as data: paths, no values."""
    return {
        "effect": preview.effect, "words": preview.words, "fields": [path for path, _ in preview.fields],
        "held_back": list(preview.held_back), "against": preview.against,
        "differs": [{"path": path, "how": how} for path, how in preview.differs],
    }  # fmt: skip


def dry_run(previews: Mapping[str, Preview], texted: Texted, json: bool) -> None:
    """What sending again would do, one by one, and whom all of it would text."""
    if json:
        as_json([{"id": id} | preview_plain(one) for id, one in previews.items()])
        return
    for id, one in previews.items():
        say(id)
        _preview(one)
    least = f"at least (of {texted.asked}, {texted.looked_at} were looked at) " if texted.at_least else ""
    say(f"It would text {least}{count(texted.people, 'person', 'people')}.")
    say(f"Nothing was sent: {count(len(previews), 'item')} looked at.")


def story(plant: Plant, one: Story) -> None:
    """Where it stands now, then everything that happened, in order."""
    from console.where_words import sentence
    from pipelines import where

    zone = zone_of(plant, one.council)
    say(f"{one.citizen_reference}  {one.council}, status {one.status or 'unknown'}, revision {one.revision}")
    say(f"  referral {one.referral}", *(f"  {system}: {safe(number)}" for system, number in one.numbers))
    for place in where.of_referral(plant, one.referral).places:
        say(f"  {safe(sentence(place, now=plant.clock.now(), zone=zone))}")
    say("")
    table(
        ["when", "what", "id", "words"], [(when(line.at, zone), line.what, line.id, line.words) for line in one.lines]
    )


def story_plain(plant: Plant, one: Story) -> dict[str, Any]:
    """A story as data."""
    zone = zone_of(plant, one.council)
    lines = [dataclasses.asdict(line) | {"at": iso(line.at, zone)} for line in one.lines]
    return dataclasses.asdict(one) | {"numbers": dict(one.numbers), "lines": lines}


def never_shown(plant: Plant, sources: Sequence[Mapping[str, Any]]) -> None:
    """What to say of a reference that nobody has shown us."""
    say("Never shown to us.")
    for one in sources:
        name = f"{one['council']}/{one['connection']}"
        if one["completed"] is None:
            say(f"  {name} was never read to its end")
        else:
            say(f"  {name} was last read at {when(one['completed'], zone_of(plant, one['council']))}")
    if not sources:
        say("  No source was ever read here: is `dolen run` running? See `dolen status`.")


def last_read_plain(plant: Plant, sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same as data."""
    return [{**one, "completed": iso(one["completed"], zone_of(plant, one["council"]))} for one in sources]
