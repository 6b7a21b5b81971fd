"""The bench for whoever writes the texts: each as its reader gets it, what it costs, and how it reads.

Nothing is sent and no ledger is opened. Placeholders are filled with the council's own values and with an invented
reference and day, by the same code that fills them when a text is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from config.findings import did_you_mean, one_of
from config.reading import grade
from config.site import Council, Site
from config.text_parts import cost
from config.text_words import LANGUAGES
from config.texts import StatusText, Text
from pipelines import placeholders
from pipelines.looking import NotPossible
from pipelines.texts import filled

#: What stands for the resident's reference and the day of a visit.
REFERENCE = "H7K-2MT-9FF"
_FACTS = {"citizen_reference": REFERENCE, "appointments[kind=visit].start": "2026-12-08"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as one reader gets it. `grade` is of English alone, None elsewhere."""

    text: str
    status: str
    language: str
    channel: str
    subject: str
    words: str
    signs: int
    parts: int
    unicode: bool
    because: str
    grade: float | None
    template: str


def show(site: Site, *, council: str = "", text: str = "", status: str = "", now: datetime) -> list[Shown]:
    """Every message, or those of one text or status, as readers of one council get them. Raises NotPossible."""
    files = _council(site, council)
    if text and text not in site.texts:
        near = did_you_mean(text, site.texts)
        known = one_of(site.texts) if site.texts else "there is none"
        raise NotPossible(f"there is no texts/{text}.yaml that can be used{near and f': {near}'}; write {known}")
    shown = [
        one
        for name, said in site.texts.items()
        if text in ("", name)
        for code, words in said.statuses.items()
        if status in ("", code)
        for one in _messages(files, name, said, code, words, now)
    ]
    if not shown:
        said_of = sorted({code for name, said in site.texts.items() if text in ("", name) for code in said.statuses})
        where = f"texts/{text}.yaml" if text else "no text"
        near = did_you_mean(status, said_of)
        raise NotPossible(
            f"{where} says {'nothing' if text else 'anything'} about that status{near and f': {near}'}; "
            f"it is one of {', '.join(said_of)}"
        )
    return shown


def _council(site: Site, code: str) -> Council:
    if not site.councils:
        raise NotPossible("the site has no council whose file can be used: see `dolen check`")
    return site.councils[code] if code else next(iter(site.councils.values()))


def _messages(
    council: Council, name: str, text: Text, status: str, said: StatusText, now: datetime
) -> Iterator[Shown]:
    identity = council.settings.council
    known = placeholders.values_of(
        _FACTS,
        status=status,
        names={"cy": identity.name.cy, "en": identity.name.en},
        phone=identity.phone,
        zone=identity.time_zone,
        now=now,
    )
    values = {key: value for key, value in known.items() if value is not None}
    wording, subject = said.wording.model_dump(), said.subject.model_dump() if said.subject else None
    for language in (*LANGUAGES, *(("both",) if text.both == "one" else ())):
        several = LANGUAGES if language == "both" else (language,)
        words = "\n\n".join(filled(wording[one], values) for one in several)
        needs = cost(words) if text.channel == "text" else None
        yield Shown(
            name,
            status,
            language,
            text.channel,
            " / ".join(filled(subject[one], values) for one in several) if subject else "",
            words,
            needs.signs if needs else len(words),
            needs.parts if needs else 0,
            bool(needs and needs.unicode),
            needs.because if needs else "",
            grade(said.wording.en) if language == "en" else None,
            str(getattr(said.template, language)) if said.template else "",
        )
