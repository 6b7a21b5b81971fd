"""Texts to residents: whom, in which language, in which words, or by which rule not at all. Pure.

Every rule is judged at the moment of sending, also when something is sent again, against what we know at that moment;
only the news itself (the status) is bound to its revision. The first rule that speaks is the one that is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.merge import IN_ERROR

#: `language.correspondence` -> which template. Who was never asked gets both, as the Welsh Language Standards ask.
_LANGUAGE = {"cy": "cy", "en": "en", "both": "both", "not-asked": "both", None: "both"}
_MOBILE = "person.telecom[system=phone,use=mobile].value"
_SAFE = "person.telecom[system=phone,use=mobile].safe_to_text"

#: Whose facts leave us with a text, by whom it goes to: the number, and what decides its words. Nothing else does.
CARRIED: Mapping[str, tuple[str, ...]] = {
    "person": (_MOBILE, "language.correspondence", "status", "citizen_reference"),
    "referrer": (
        "referrer.telecom[system=phone,use=mobile].value", "language.correspondence", "status", "citizen_reference",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextRules:
    """One texts file, as the worker needs it: status -> language -> template id."""

    name: str
    channel: str
    templates: Mapping[str, Mapping[str, str]]
    allow_safeguarding: bool = False
    quiet: Mapping[str, str] | None = None  # begins, ends: when texts wait, in the council's time
    digest: str = ""  # of the file's content, which the ledger keeps as it was when a text was sent
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """One text, ready for its connector. `repr` shows no number."""

    record: dict[str, Any]
    language: str

    def __repr__(self) -> str:
        return f"Message({self.language})"


def judge(rules: TextRules, recipient: str, event: Mapping[str, Any], now: Mapping[str, Any]) -> Message | str:
    """Return the text to send, or the name of the rule by which none is sent.

    `event`: facts of the revision that caused it. `now`: facts as they are at this moment.
    """
    status = event.get("status")
    if now.get("status") == IN_ERROR:
        return "entered in error"
    templates = rules.templates.get(str(status))
    if templates is None:
        return "no text for this status"
    if now.get("status") != status:
        return "overtaken by newer news"
    if now.get("restricted_record"):
        return "restricted record"
    if now.get("safeguarding_flag") and not rules.allow_safeguarding:
        return "safeguarding"
    if now.get("person.date_of_death"):
        return "deceased"
    number = _referrer(now) if recipient == "referrer" else _person(now)
    if number.startswith("!"):
        return number[1:]
    language = _LANGUAGE.get(now.get("language.correspondence"), "both")
    record = {
        "channel": "email" if rules.channel == "email" else "text",
        "to": number,
        "template_id": templates[language],
        "personalisation": {"reference": str(now.get("citizen_reference") or "")},
    }
    return Message(record, language)


def languages() -> Sequence[str]:
    """The languages in which each text must exist."""
    return ("cy", "en", "both")


def _person(now: Mapping[str, Any]) -> str:
    if now.get("notify.opt_in[channel=text].opted_in") is not True:
        return "!not opted in"
    if not now.get(_MOBILE) or now.get(_SAFE) is not True:
        return "!no safe number"
    return str(now[_MOBILE])


def _referrer(now: Mapping[str, Any]) -> str:
    if now.get("referrer.kind") != "family-friend" or now.get("referrer.wants_updates") is not True:
        return "!the referrer did not ask for updates"
    if now.get("referrer.person_agrees") is not True:
        return "!the person did not agree"
    number = next(
        (now[name] for name in now if name.startswith("referrer.telecom[") and name.endswith("].value") and now[name]),
        "",
    )
    return str(number) if number else "!no safe number"
