"""The sentences of "where is it?", in English and in Welsh, made of the coded parts that `pipelines.where` gives.

The Welsh awaits a Welsh checker. What a system said itself of a cause, and the words of its remedy, are English alone.
"""

from __future__ import annotations

from console.moments import Language, moment
from console.said_words import in_welsh
from pipelines.menders import Mender
from pipelines.where import Known, Place, Source, Stands, Waits, Whereabouts

#: What each phrase says; the names in braces are filled in.
PHRASES: dict[str, dict[Language, str]] = {
    "arrived": {
        "en": "It arrived in {to} as {number}", "cy": "Mae wedi cyrraedd {to} fel {number}",
    },
    "arrived without number": {"en": "It arrived in {to}", "cy": "Mae wedi cyrraedd {to}"},
    "by hand": {
        "en": "It was entered by hand in {to} as {number}", "cy": "Fe'i rhoddwyd â llaw yn {to} fel {number}",
    },
    "by hand without number": {"en": "It was dealt with by hand in {to}", "cy": "Deliwyd ag ef â llaw yn {to}"},
    "tray": {"en": ", in the tray of {tray}", "cy": ", yn hambwrdd {tray}"},
    "picked up": {"en": ", and it has been picked up", "cy": ", ac mae rhywun wedi ymgymryd ag ef"},
    "not picked up": {"en": ", and nobody has picked it up yet", "cy": ", a does neb wedi ymgymryd ag ef eto"},
    "waiting": {"en": "It waits for {to}; next try {due}", "cy": "Mae'n aros am {to}; cynnig nesaf {due}"},
    "waiting now": {"en": "It waits for {to}; it is tried now", "cy": "Mae'n aros am {to}; ceisir ei anfon nawr"},
    "waiting paused": {
        "en": "It waits: {to} is paused ({pause})", "cy": "Mae'n aros: mae {to} wedi'i oedi ({pause})",
    },
    "tried again": {"en": "; next try {due}", "cy": "; cynnig nesaf {due}"},
    "until resumed": {"en": "; until somebody resumes it", "cy": "; nes i rywun ei ailgychwyn"},
    "waiting closed": {
        "en": "It waits: {to} is closed for now, until {due}", "cy": "Mae'n aros: mae {to} ar gau am y tro, tan {due}",
    },
    "waiting behind": {
        "en": "It waits for {to}, behind what stands before it",
        "cy": "Mae'n aros am {to}, y tu ôl i'r hyn sydd o'i flaen",
    },
    "waiting switched off": {
        "en": "It waits for {to}, which the site no longer has", "cy": "Mae'n aros am {to}, nad yw ar y safle mwyach",
    },
    "being sent": {"en": "It is being sent to {to} at this moment", "cy": "Mae'n cael ei anfon i {to} y funud hon"},
    "not sure": {
        "en": "It was sent to {to}, which did not answer: it is looked up {due}",
        "cy": "Fe'i hanfonwyd i {to}, ond ni chafwyd ateb: chwilir amdano {due}",
    },
    "held": {
        "en": "{to} showed it; it waits until we know what became of another one there",
        "cy": "Dangosodd {to} ef; mae'n aros nes y gwyddom beth ddigwyddodd i un arall yno",
    },
    "needs attention": {
        "en": "It needs attention on its way to {to}: {words}",
        "cy": "Mae angen sylw arno ar ei ffordd i {to}: {words}",
    },
    "not read": {
        "en": "{to} showed it, but it could not be taken in: {words}",
        "cy": "Dangosodd {to} ef, ond ni ellid ei dderbyn: {words}",
    },
    "not sent": {
        "en": "It is not sent to {to}, by the rule {rule} of the route {route}",
        "cy": "Ni chaiff ei anfon i {to}, yn ôl rheol {rule} y llwybr {route}",
    },
    "closed": {"en": "It was closed without being sent to {to}", "cy": "Fe'i caewyd heb ei anfon i {to}"},
    "expired": {"en": "It expired before it reached {to}", "cy": "Daeth i ben cyn cyrraedd {to}"},
    "erased": {"en": "What was sent to {to} has been erased", "cy": "Mae'r hyn a anfonwyd i {to} wedi'i ddileu"},
    "older": {
        "en": "; {to} holds an earlier version as {number}", "cy": "; mae gan {to} fersiwn gynharach fel {number}",
    },
    "late": {"en": ". IT IS LATE", "cy": ". MAE'N HWYR"},
    "urgent": {"en": "URGENT. ", "cy": "BRYS. "},
    "mend": {"en": "To mend it: {remedy}", "cy": "I'w drwsio: {remedy}"},
    "who": {"en": "Who can mend it: {who}", "cy": "Pwy all ei drwsio: {who}"},
    "code owner": {
        "en": "whoever owns the code list {codes}; ask {who}",
        "cy": "perchennog y rhestr godau {codes}; gofynnwch i {who}",
    },
    "supplier": {"en": "supplier: {supplier}", "cy": "cyflenwr: {supplier}"},
    "nowhere": {"en": "It goes nowhere: no route takes it", "cy": "Nid yw'n mynd i unman: nid oes llwybr iddo"},
    "never shown": {"en": "Never shown to us", "cy": "Ni ddangoswyd hyn i ni erioed"},
    "last read": {"en": "{source} was last read {at}", "cy": "darllenwyd {source} ddiwethaf {at}"},
    "never read": {"en": "{source} was never read to its end", "cy": "ni ddarllenwyd {source} i'w ddiwedd erioed"},
    "source paused": {"en": " and is paused ({pause})", "cy": " ac mae wedi'i oedi ({pause})"},
    "no source": {"en": "No source is read here", "cy": "Nid oes ffynhonnell yn cael ei darllen yma"},
    "by a person": {"en": "by a person", "cy": "gan berson"},
    "login refused": {"en": "its login is refused", "cy": "gwrthodir y mewngofnodi"},
    "not reachable": {"en": "it does not answer", "cy": "nid yw'n ateb"},
    "cannot be read": {"en": "it cannot be read", "cy": "ni ellir ei ddarllen"},
}  # fmt: skip
_WAITS = {
    Waits.CLOSED_NOW: "waiting closed",
    Waits.BEHIND: "waiting behind",
    Waits.SWITCHED_OFF: "waiting switched off",
}
_OPEN = (Stands.ATTENTION, Stands.NOT_READ, Stands.NOT_SURE, Stands.WAITING, Stands.SENDING, Stands.HELD)


def sentence(place: Place, *, now: int, zone: str, language: Language = "en") -> str:
    """One sentence: how it stands at one place."""

    def say(name: str) -> str:
        due = moment(place.due, now, zone, language)
        return PHRASES[name][language].format(
            to=place.connection, number=place.number, tray=place.tray, due=due,
            pause=_pause(place.pause, language), words=_cause(place.words, language), rule=place.rule,
            route=place.route,
        )  # fmt: skip

    match place.stands:
        case Stands.ARRIVED | Stands.BY_HAND:
            name = place.stands.value
            text = say(name if place.number else f"{name} without number")
            text += say("tray") if place.tray else ""
            if place.picked_up is not None:
                text += say("picked up" if place.picked_up else "not picked up")
            return f"{text} ({moment(place.since, now, zone, language)})."
        case Stands.WAITING if place.waits is Waits.PAUSED:
            text = say("waiting paused") + say("tried again" if place.due is not None else "until resumed")
        case Stands.WAITING if place.waits in _WAITS:
            text = say(_WAITS[place.waits])
        case Stands.WAITING:
            text = say("waiting" if place.due is not None and place.due > now else "waiting now")
        case _:
            text = say(place.stands.value)
    if place.number and place.stands not in (Stands.NOT_READ, Stands.HELD, Stands.ERASED):
        text += say("older")
    text += say("late") if place.late else ""
    return (say("urgent") if place.urgent and place.stands in _OPEN else "") + text.rstrip(".") + "."


def sentences(one: Whereabouts, *, now: int, zone: str, language: Language = "en") -> list[str]:
    """Everything there is to say of one answer, the most pressing first; each is a sentence on a line of its own."""
    if one.known is Known.NEVER_SHOWN:
        read = [_read(source, now, zone, language) for source in one.sources]
        return [PHRASES["never shown"][language] + ".", *(read or [PHRASES["no source"][language] + "."])]
    lines = []
    for place in one.places:
        lines.append(sentence(place, now=now, zone=zone, language=language))
        if place.remedy:
            lines.append(PHRASES["mend"][language].format(remedy=place.remedy) + ".")
        if place.mender is not None:
            lines.append(PHRASES["who"][language].format(who=whom(place.mender, language)) + ".")
    return lines or [PHRASES["nowhere"][language] + "."]


def whom(mender: Mender, language: Language = "en") -> str:
    """Whom to ring: name, telephone, hours, and how the supplier is reached."""
    person = ", ".join(part for part in (mender.name, mender.phone, mender.hours, mender.email) if part)
    if mender.code_list:
        return PHRASES["code owner"][language].format(codes=mender.code_list, who=person)
    supplier = PHRASES["supplier"][language].format(supplier=mender.supplier) if mender.supplier else ""
    return "; ".join(part for part in (person, supplier) if part)


def _cause(words: str, language: Language) -> str:
    return (in_welsh(words) if language == "cy" else None) or words


def _pause(why: str, language: Language) -> str:
    return PHRASES[why][language] if why in PHRASES else why


def _read(source: Source, now: int, zone: str, language: Language) -> str:
    name = f"{source.council}/{source.connection}"
    words = PHRASES["last read" if source.read is not None else "never read"][language]
    text = words.format(source=name, at=moment(source.read, now, zone, language))
    if source.pause:
        text += PHRASES["source paused"][language].format(pause=_pause(source.pause, language))
    return text[:1].upper() + text[1:] + "."
