"""The words of alerts, in Welsh and English: counts, connection, route, cause and a link by id, and never a person.

The Welsh awaits a Welsh checker. The words of a cause come from the ledger and are English alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pipelines.alert_rules import Told
from pipelines.clock import to_instant

One = Literal["cy", "en"]

#: What each kind of alert says; the names in braces are filled in.
SAYS: dict[str, dict[One, str]] = {
    "attention": {
        "en": "{count} need attention in {place}: {words}", "cy": "Mae angen sylw ar {count} yn {place}: {words}",
    },
    "late": {
        "en": "{count} are late for {place} (route {route})", "cy": "Mae {count} yn hwyr i {place} (llwybr {route})",
    },
    "lag": {"en": "{place} was last read {since}", "cy": "Darllenwyd {place} ddiwethaf {since}"},
    "paused": {
        "en": "{place} is paused since {since}: {words}", "cy": "Mae {place} wedi'i oedi ers {since}: {words}",
    },
    "backlog": {"en": "{count} wait for {place}", "cy": "Mae {count} yn aros am {place}"},
    "interface": {
        "en": "{place} shows another interface since {since}: {count} changes break something, or may",
        "cy": "Mae {place} yn dangos rhyngwyneb gwahanol ers {since}: mae {count} newid yn torri rhywbeth, neu fe all",
    },
    "difference": {
        "en": "The two ends of {route} in {place} differ in {count}",
        "cy": "Mae dau ben {route} yn {place} yn wahanol mewn {count}",
    },
    "not picked up": {
        "en": "{count} arrived in {place} and nobody has picked them up, the oldest {since}",
        "cy": "Cyrhaeddodd {count} {place} a does neb wedi ymgymryd â nhw, yr hynaf {since}",
    },
    "quiet": {
        "en": "{place} has shown nothing, or almost nothing, since {since}: it never was so quiet at this hour",
        "cy": "Nid yw {place} wedi dangos dim, neu bron dim, ers {since}: ni fu erioed mor dawel ar yr awr hon",
    },
    "expiry": {
        "en": "The {words} of {place} ends in {count} days ({since})",
        "cy": "Daw {words} {place} i ben ymhen {count} diwrnod ({since})",
    },
    "break-glass": {
        "en": "{count} restricted referrals of {place} were opened in an emergency, and no review since {since}",
        "cy": "Agorwyd {count} atgyfeiriad cyfyngedig yn {place} mewn argyfwng, heb adolygiad ers {since}",
    },
    "restricted": {
        "en": "Nothing is sent about {count} requests of {place}: they are restricted, the first since {since}",
        "cy": "Ni anfonir dim am {count} cais yn {place}: maent wedi'u cyfyngu, y cyntaf ers {since}",
    },
    "disk": {
        "en": "The disk is nearly full: {count} megabytes are free",
        "cy": "Mae'r ddisg bron yn llawn: {count} megabeit yn rhydd",
    },
    "clock": {"en": "A clock is off by {count} seconds", "cy": "Mae cloc {count} eiliad ohoni"},
    "keys": {
        "en": "The key store or the main key is not there: nothing can be opened, or not after the next start",
        "cy": "Nid yw'r storfa allweddi na'r brif allwedd yno: ni ellir agor dim, neu ddim ar ôl y cychwyn nesaf",
    },
    "down": {
        "en": "Dolen does not run since {since}: nothing {words}",
        "cy": "Nid yw Dolen yn rhedeg ers {since}: nid oes dim yn {words}",
    },
    "lost": {
        "en": "{count} of Dolen's processes fell silent {since}; others go on",
        "cy": "Aeth {count} o brosesau Dolen yn dawel {since}; mae eraill yn parhau",
    },
    "test": {
        "en": "This is a test. Nothing is amiss, and nothing need be done",
        "cy": "Prawf yw hwn. Nid oes dim o'i le, ac nid oes angen gwneud dim",
    },
}  # fmt: skip
#: What to do about each kind.
REMEDY: dict[str, dict[One, str]] = {
    "attention": {"en": "dolen attention, or the page", "cy": "dolen attention, neu'r dudalen"},
    "late": {"en": "dolen status, then dolen where", "cy": "dolen status, yna dolen where"},
    "lag": {"en": "dolen status, then dolen doctor", "cy": "dolen status, yna dolen doctor"},
    "paused": {
        "en": "dolen doctor; ring the supplier; dolen resume",
        "cy": "dolen doctor; ffoniwch y cyflenwr; dolen resume",
    },
    "backlog": {"en": "dolen status: is it slow, or paused?", "cy": "dolen status: a yw'n araf, neu wedi'i oedi?"},
    "interface": {"en": "dolen interface drift", "cy": "dolen interface drift"},
    "difference": {"en": "dolen reconcile", "cy": "dolen reconcile"},
    "not picked up": {"en": "ask the team whose tray it is in", "cy": "gofynnwch i'r tîm y mae yn ei hambwrdd"},
    "quiet": {
        "en": "ask whoever looks after it whether it runs",
        "cy": "gofynnwch i bwy bynnag sy'n gofalu amdano a yw'n rhedeg",
    },
    "expiry": {"en": "ask for a new one in good time", "cy": "gofynnwch am un newydd mewn da bryd"},
    "break-glass": {
        "en": "data protection: dolen sight list --unreviewed",
        "cy": "diogelu data: dolen sight list --unreviewed",
    },
    "restricted": {
        "en": "ring whoever holds a copy, decide, then dolen person unrestrict",
        "cy": "ffoniwch bwy bynnag sydd â chopi, penderfynwch, yna dolen person unrestrict",
    },
    "disk": {"en": "make room where Dolen writes", "cy": "gwnewch le lle mae Dolen yn ysgrifennu"},
    "clock": {
        "en": "look at the clocks of this machine and the database",
        "cy": "edrychwch ar glociau'r peiriant a'r gronfa ddata",
    },
    "keys": {
        "en": "do not restart; put the keys back from where they are kept",
        "cy": "peidiwch ag ailgychwyn; rhowch yr allweddi yn ôl",
    },
    "down": {"en": "start it: dolen run, or its service", "cy": "cychwynnwch ef: dolen run, neu ei wasanaeth"},
    "lost": {"en": "dolen status; look at that machine", "cy": "dolen status; edrychwch ar y peiriant hwnnw"},
    "test": {"en": "nothing", "cy": "dim"},
}  # fmt: skip
STATE: dict[str, dict[One, str]] = {
    "opened": {"en": "", "cy": ""},
    "again": {"en": "NOT ANSWERED YET: ", "cy": "HEB EI ATEB ETO: "},
    "closed": {"en": "OVER: ", "cy": "DROSODD: "},
    "test": {"en": "TEST: ", "cy": "PRAWF: "},
}  # fmt: skip
WORDS: dict[str, dict[One, str]] = {
    "urgent": {"en": "URGENT. ", "cy": "BRYS. "},
    "do": {"en": "What to do", "cy": "Beth i'w wneud"},
    "answer": {"en": "Say that you have taken it on", "cy": "Dywedwch eich bod wedi ymgymryd ag ef"},
    "page": {"en": "Page", "cy": "Tudalen"},
    "duty": {"en": "On duty", "cy": "Ar ddyletswydd"},
    "several": {"en": "{number} alerts", "cy": "{number} rhybudd"},
    "work": {"en": "is sent", "cy": "cael ei anfon"},
    "schedule": {"en": "is read", "cy": "cael ei ddarllen"},
    "login": {"en": "login", "cy": "mewngofnodi"},
    "certificate": {"en": "certificate", "cy": "tystysgrif"},
    "certificate of the system": {"en": "certificate of the system", "cy": "tystysgrif y system"},
    "by a person": {"en": "by a person", "cy": "gan berson"},
    "login refused": {"en": "its login is refused", "cy": "gwrthodir y mewngofnodi"},
    "not reachable": {"en": "it does not answer", "cy": "nid yw'n ateb"},
    "cannot be read": {"en": "it cannot be read", "cy": "ni ellir ei ddarllen"},
}  # fmt: skip
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is told: the alert as its row has it, and whether it opened, goes on or is over."""

    id: str  # by which a receiver drops what it was told before
    what: str  # opened, again, closed, test
    kind: str
    number: int = 0  # a12
    council: str = ""
    connection: str = ""
    route: str = ""
    cause: str = ""
    words: str = ""
    urgent: bool = False
    count: int = 0
    since: int = 0
    opened: int = 0
    closed: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What one way is given."""

    id: str
    subject: str
    text: str
    data: Mapping[str, Any]  # for a webhook of our own form


def message(entries: Sequence[Entry], told: Told, *, id: str, console: str = "") -> Message:
    """Put one or several into words, in the languages that the council asked for."""
    languages: tuple[One, ...] = ("cy", "en") if told.language == "both" else (told.language,)
    heads = [sentence(one, told, language) for language in languages for one in entries[:1]]
    if len(entries) > 1:
        subject = "Dolen: " + " / ".join(
            WORDS["several"][language].format(number=len(entries)) for language in languages
        )
    else:
        subject = "Dolen: " + " / ".join(heads)
    blocks = ["\n\n".join(_block(one, told, language, console) for one in entries) for language in languages]
    data = {
        "dolen": 1, "id": id, "subject": clean(subject),
        "alerts": [_plain(one, told, languages, console) for one in entries],
    }  # fmt: skip
    return Message(id, clean(subject)[:200], "\n\n----\n\n".join(blocks) + "\n", data)


def sentence(one: Entry, told: Told, language: One) -> str:
    """What it says, on one line."""
    words = WORDS.get(one.words, {}).get(language, one.words)
    place = "/".join(part for part in (one.council, one.connection) if part)
    text = SAYS[one.kind][language].format(
        count=one.count, place=place, route=one.route, words=words, since=_when(one.since, told.zone)
    )
    urgent = WORDS["urgent"][language] if one.urgent and one.what != "closed" else ""
    return clean(urgent + STATE[one.what][language] + text)


def clean(text: str) -> str:
    """One line without signs that could colour a terminal, turn its direction or begin another header."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:_LONGEST]


def link(one: Entry, console: str) -> str:
    """The page that shows what is amiss, by ids and names of connections alone; "" where no address is known."""
    return f"{console.rstrip('/')}/{page(one)}" if console and one.number else ""


def page(one: Entry) -> str:
    """The path of that page on the console, without a first stroke."""
    match one.kind:
        case "attention":
            return f"attention/{one.cause}"
        case "difference":
            return "reconcile"
        case "break-glass":
            return "sight"
        case _ if one.council and one.connection and one.kind != "late":
            return f"connection/{one.council}/{one.connection}"
    return "overview"


def batch_id(ids: Sequence[str]) -> str:
    """The id of a message that tells several, the same for the same ones."""
    return hashlib.sha256("\x1f".join(ids).encode()).hexdigest()[:32]


def _block(one: Entry, told: Told, language: One, console: str) -> str:
    lines = [sentence(one, told, language) + "."]
    if one.what in ("opened", "again"):
        lines.append(f"{WORDS['do'][language]}: {REMEDY[one.kind][language]}")
        if one.urgent:
            lines.append(f"{WORDS['answer'][language]}: dolen alerts answer a{one.number}")
            lines += [f"{WORDS['duty'][language]}: {clean(told.duty)}"] if told.duty else []
    address = link(one, console)
    lines += [f"{WORDS['page'][language]}: {address}"] if address else []
    return "\n".join([*lines, f"[{one.id}]"])


def _plain(one: Entry, told: Told, languages: Sequence[One], console: str) -> dict[str, Any]:
    return {
        "id": one.id, "alert": f"a{one.number}" if one.number else "", "state": one.what, "kind": one.kind,
        "council": one.council, "connection": one.connection, "route": one.route, "cause": one.cause,
        "urgent": one.urgent, "count": one.count, "since": _iso(one.since), "opened": _iso(one.opened),
        "closed": None if one.closed is None else _iso(one.closed), "link": link(one, console),
        "words": {language: sentence(one, told, language) for language in languages},
    }  # fmt: skip


def _when(at: int, zone: str) -> str:
    return to_instant(at).astimezone(ZoneInfo(zone)).strftime("%d/%m/%Y %H:%M")


def _iso(at: int) -> str:
    return to_instant(at).strftime("%Y-%m-%dT%H:%M:%SZ")
