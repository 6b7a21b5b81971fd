"""Texts to residents: whom, by which channel, in which language and words, or by which rule not at all. Pure.

Every rule is judged at the moment of sending, also when something is sent again, against what we know at that moment;
only the news itself (the status) is bound to its revision. The first rule that speaks is the one that is recorded.
Where somebody who asked for news cannot be sent it, a person rings: that is a task, and not a rule by which nothing
happens.
What hangs on the time of day and on what was sent before is `pipelines.telling`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.merge import IN_ERROR
from pipelines.routing import Hears

#: `language.correspondence` -> which words. Who was never asked gets both, as the Welsh Language Standards ask.
_LANGUAGE = {"cy": "cy", "en": "en", "both": "both", "not-asked": "both", None: "both"}
_MOBILE = "person.telecom[system=phone,use=mobile].value"
_SAFE = "person.telecom[system=phone,use=mobile].safe_to_text"
#: Of whoever referred, by channel. Their landline is nobody's alone, and Notify would read a text out to it.
_REFERRERS = {
    "text": "referrer.telecom[system=phone,use=mobile]", "email": "referrer.telecom[system=email]",
}  # fmt: skip
_EMAIL, _EMAIL_SAFE = "person.telecom[system=email].value", "person.telecom[system=email].safe_to_text"
_FAMILY, _PROFESSIONAL = "family-friend", "professional"
_KINDS = {"family": (_FAMILY,), "professional": (_PROFESSIONAL,), "referrer": (_FAMILY, _PROFESSIONAL)}
#: What a text, an email or a letter in ordinary print cannot give: staff see to it.
_FORMATS = frozenset({"large-print", "braille", "audio", "easy-read", "sign-language"})
_SIGNED = frozenset({"bfi", "isg"})  # BCP 47: British and Irish Sign Language

#: Whose facts leave us with a text, by whom it goes to: the number, and what decides its words. Nothing else does.
CARRIED: Mapping[str, tuple[str, ...]] = {
    "person": (_MOBILE, "language.correspondence", "status", "citizen_reference"),
    "referrer": (
        "referrer.telecom[system=phone,use=mobile].value", "referrer.language", "status", "citizen_reference",
    ),
}  # fmt: skip

OVERTAKEN = "overtaken by newer news"
_PLACEHOLDER = re.compile(r"\(\(([^()]*)\)\)")


@dataclass(frozen=True, slots=True)
class Preference:
    """What our own register knows of one number or address. `language` is "" where it says nothing."""

    opted_out: bool = False
    wrong: bool = False
    language: str = ""
    opted_out_at: str = ""  # when they said so, in UTC as facts write it


Known = Callable[[str], Preference]


def nothing_known(_to: str) -> Preference:
    """A register in which nobody stands."""
    return Preference()


@dataclass(frozen=True, slots=True)
class TextRules:
    """One texts file, as the worker needs it: status -> language -> template id, and -> language -> words."""

    name: str
    channel: str
    templates: Mapping[str, Mapping[str, str]]
    wordings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # status -> cy, en
    subjects: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    two: bool = False  # both languages are two messages, Welsh first
    allow_safeguarding: bool = False
    ring_when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # field -> codes that are rung about
    rings: str = ""  # who rings
    quiet: Sequence[Mapping[str, Any]] = ()  # windows in which texts wait, in the council's time
    window: float = 0.0  # seconds: what comes within them after a text becomes one
    most_a_recipient: int = 0  # a day; 0: as many as there are
    most_a_council: int = 0
    digest: str = ""  # of the file's content, which the ledger keeps as it was when a text was sent
    body: bytes = b""

    def uses(self, status: str, language: str) -> tuple[str, ...]:
        """The placeholders of the words that a reader of this language gets, each once."""
        wording = self.wordings.get(status, {})
        words = [wording.get(one, "") for one in (("cy", "en") if language == "both" else (language,))]
        return tuple(dict.fromkeys(name for one in words for name in placeholders(one)))


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: one message, or two with the Welsh first. `repr` shows no number."""

    rules: TextRules
    recipient: str  # who of the table
    status: str
    language: str  # cy, en, both
    to: str = field(repr=False)
    address: tuple[str, ...] = field(default=(), repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"Message({self.language})"

    @property
    def languages(self) -> tuple[str, ...]:
        """The language of each message, in the order in which they are sent: Welsh never after English."""
        return ("cy", "en") if self.language == "both" and self.rules.two else (self.language,)

    def record(self, language: str, *, words: bool = False) -> dict[str, Any]:
        """One message as its connector takes it: by a template, or (`words`) with the words themselves."""
        record: dict[str, Any] = {"channel": self.rules.channel}
        record |= {"address": list(self.address)} if self.address else {"to": self.to}
        if words:
            record["body"] = self._filled(self.rules.wordings[self.status], language)
            record["subject"] = self._filled(self.rules.subjects.get(self.status) or _SUBJECT, language, " / ")
            return record
        used = self.rules.uses(self.status, language)
        record["template_id"] = self.rules.templates[self.status][language]
        record["personalisation"] = {name: self.values[name] for name in used}
        return record

    def _filled(self, pair: Mapping[str, str], language: str, between: str = "\n\n") -> str:
        said = [pair[one] for one in (("cy", "en") if language == "both" else (language,))]
        return between.join(filled(one, self.values) for one in said)


#: The subject of an email whose texts file has none.
_SUBJECT = {"cy": "Eich cais ((reference))", "en": "Your request ((reference))"}


@dataclass(frozen=True, slots=True)
class Silence:
    """No message goes, by this rule. `ring`: who rings instead, "" where nobody does."""

    rule: str
    ring: str = ""


def judge(
    rows: Sequence[Hears],
    texts: Mapping[str, TextRules],
    event: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    values: Mapping[str, str | None],
    known: Known = nothing_known,
    recipient: str = "",
    beginning: str = "",
) -> Message | Silence:
    """Return what to send, or the rule by which nothing is.

    `event`: facts of the revision that caused it. `now`: facts as they are at this moment. `values`: what the
    placeholders stand for, None where it is not known. `recipient`: of these rows alone; `beginning`: with this text
    and those behind it alone, where an earlier one could not be delivered.
    """
    among = [row for row in rows if recipient in ("", row.who)]
    status = str(event.get("status"))
    if now.get("status") == IN_ERROR:
        return Silence("entered in error")
    if not any(status in texts[name].wordings for row in among for name in row.texts):
        return Silence("no text for this status")
    if now.get("status") != status:
        return Silence(OVERTAKEN)
    if now.get("restricted_record"):
        return Silence("restricted record")
    if now.get("person.date_of_death"):
        return Silence("deceased")
    silent: list[tuple[str, str]] = []
    for row in among:
        said = _by_row(row, texts, status, now, values, known, beginning)
        if isinstance(said, Message) or said.ring:
            return said
        silent.append((row.who, said.rule))
    if len(silent) == 1:
        return Silence(silent[0][1])
    return Silence("; ".join(dict.fromkeys(f"{who}: {rule}" for who, rule in silent)))


def _by_row(
    row: Hears,
    texts: Mapping[str, TextRules],
    status: str,
    now: Mapping[str, Any],
    values: Mapping[str, str | None],
    known: Known,
    beginning: str,
) -> Message | Silence:
    missed = next((name for name, allowed in row.when.items() if now.get(name) not in allowed), "")
    if missed:
        return Silence(f"condition of the row: {missed}")
    refused = _may_not_hear(row.who, now)
    if refused:
        return Silence(refused)
    names = row.texts[row.texts.index(beginning) :] if beginning in row.texts else row.texts
    silence = Silence("no text for this status")
    for at, rules in enumerate(texts[name] for name in names):
        if status not in rules.wordings:
            continue
        said = _by_text(row.who, rules, status, now, values, known)
        if isinstance(said, Message) or said.ring:
            return said
        silence = said if at == 0 else silence  # the rule of the way that is tried first is the one that is told
    return silence


def _by_text(
    who: str,
    rules: TextRules,
    status: str,
    now: Mapping[str, Any],
    values: Mapping[str, str | None],
    known: Known,
) -> Message | Silence:
    if who == "person":
        refused = _not_opted_in(rules.channel, now)
        if refused:
            return Silence(refused)
    rung = _rung_about(who, rules, now)
    if rung:
        return Silence(rung, rules.rings)
    to, address = _persons(rules.channel, now) if who == "person" else _referrers(rules.channel, now)
    if not to:
        return Silence("no safe number" if rules.channel == "text" else f"no safe {_WAY[rules.channel]}")
    there = known(to)
    if there.opted_out and not (who == "person" and _asked_again(rules.channel, there.opted_out_at, now)):
        return Silence("opted out by reply")
    if there.wrong:
        return Silence("wrong number", rules.rings)
    own = now.get("language.correspondence") if who == "person" else now.get("referrer.language")
    language = there.language or _LANGUAGE.get(own, "both")
    lacking = next((name for name in rules.uses(status, language) if values.get(name) is None), "")
    if lacking:
        return Silence(f"nothing known for (({lacking}))", rules.rings)
    filled_in = {name: value for name, value in values.items() if value is not None}
    return Message(rules, who, status, language, to, address, filled_in)


_WAY = {"email": "email address", "letter": "postal address"}


def _may_not_hear(who: str, now: Mapping[str, Any]) -> str:
    """The rule by which a recipient hears nothing by any channel, "" if they may."""
    wished = now.get("notify.recipient")
    if who == "person":
        return "the person asked that the one who referred them hears" if wished == "referrer" else ""
    if wished == "person":
        return "the person asked to be the only one who hears"
    if now.get("referrer.kind") not in _KINDS[who] or now.get("referrer.wants_updates") is not True:
        return "the referrer did not ask for updates"
    waived = now.get("referrer.agreement_waiver.by") and now.get("referrer.agreement_waiver.reason")
    if now.get("referrer.person_agrees") is not True and not waived:
        return "the person did not agree"
    return ""


def _not_opted_in(channel: str, now: Mapping[str, Any]) -> str:
    own = f"notify.opt_in[channel={channel}]"
    if now.get(f"{own}.opted_in") is not True:
        return "not opted in"
    withdrawn, asked = now.get(f"{own}.withdrawn_at"), now.get(f"{own}.at")
    if withdrawn and (not asked or str(withdrawn) >= str(asked)):
        return "opt-in withdrawn"
    return ""


def _asked_again(channel: str, left: str, now: Mapping[str, Any]) -> bool:
    """Whether the person opted in anew after they had texted us to stop: a system says so, with a later time."""
    asked = now.get(f"notify.opt_in[channel={channel}].at")
    return bool(left and asked) and str(asked) > left


def _rung_about(who: str, rules: TextRules, now: Mapping[str, Any]) -> str:
    """The rule by which somebody who asked for news is rung instead, "" if none."""
    if now.get("safeguarding_flag") and not rules.allow_safeguarding:
        return "safeguarding"
    if any(now.get(name) in codes for name, codes in rules.ring_when.items() if now.get(name) is not None):
        return "sensitive news"
    if who != "person":
        return ""
    if now.get("language.interpreter_required") is True or now.get("language.spoken") in _SIGNED:
        return "interpreter needed"
    if _FORMATS.intersection(now.get("communication_needs") or ()):
        return "accessible format needed"
    return ""


def _persons(channel: str, now: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Where the person is reached, and the lines of a letter's address; "" where nowhere is safe."""
    if channel == "text":
        return (str(now[_MOBILE]), ()) if now.get(_MOBILE) and now.get(_SAFE) is True else ("", ())
    if channel == "email":
        return (str(now[_EMAIL]), ()) if now.get(_EMAIL) and now.get(_EMAIL_SAFE) is not False else ("", ())
    lines = [_name(now), *(now.get("person.address.lines") or ()), now.get("person.address.town")]
    lines = [str(line) for line in lines if line]
    postcode = now.get("person.address.postcode")
    if not postcode or len(lines) < 2:
        return "", ()
    return str(postcode), (*lines[:6], str(postcode))


def _name(now: Mapping[str, Any]) -> str:
    given = now.get("person.name.given") or ()
    first = now.get("person.name.preferred") or (given[0] if given else "")
    return " ".join(str(part) for part in (first, now.get("person.name.family")) if part)


def _referrers(channel: str, now: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Where the one who referred is reached: their own number, and none that is not safe for the person."""
    own = _REFERRERS.get(channel, "")
    to = now.get(f"{own}.value") if own else None
    if not to or now.get(f"{own}.safe_to_text") is False:
        return "", ()
    unsafe = {
        _bare(now.get(name))
        for name, safe in ((_MOBILE, now.get(_SAFE)), (_EMAIL, now.get(_EMAIL_SAFE)))
        if safe is False
    }
    return ("", ()) if _bare(to) in unsafe else (str(to), ())


def _bare(to: Any) -> str:
    return re.sub(r"[\s().-]", "", str(to or "")).casefold()


def placeholders(words: str) -> list[str]:
    """The placeholders of some words, as often as they stand there."""
    return [name.strip() for name in _PLACEHOLDER.findall(words)]


def filled(words: str, values: Mapping[str, str]) -> str:
    """Words with the placeholders filled in. Raises KeyError where one has no value."""
    return _PLACEHOLDER.sub(lambda found: values[found.group(1).strip()], words)


def languages() -> Sequence[str]:
    """The languages in which each text must exist."""
    return ("cy", "en", "both")
