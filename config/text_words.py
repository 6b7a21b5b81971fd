"""What is looked for in the words of a text: both languages alike, a way to a person, length, ease, tone, a checker.

Everything is found offline and with its line. A placeholder that differs by language ends in _cy or _en and counts as
one; there is none that could carry a supplier's free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from config.findings import Problem, Severity, did_you_mean, one_of, shown
from config.reading import grade
from config.text_parts import cost
from config.texts import Pair, Text

LANGUAGES = ("cy", "en")
#: What is filled in when a text is sent, by what it is: references, dates, and names of codes in both languages.
PLACEHOLDERS: Mapping[str, str] = {
    "reference": "the resident's reference",
    "phone": "the number that residents ring, from the council's file",
    "council_cy": "the council's name in Welsh",
    "council_en": "the council's name in English",
    "status_cy": "the status in Welsh",
    "status_en": "the status in English",
    "visit_cy": "the day of the visit, in Welsh",
    "visit_en": "the day of the visit, in English",
    "today_cy": "the day of sending, in Welsh",
    "today_en": "the day of sending, in English",
}
#: The longest that each becomes, as signs that cost as much as it may: for counting parts without a person at hand.
LONGEST: Mapping[str, str] = {
    "reference": "X" * 11,
    "phone": "0" * 13,
    "council_cy": "Castell-nedd Port Talbot",
    "council_en": "Neath Port Talbot",
    "status_cy": "Wedi'i anfon ymlaen",
    "status_en": "Not accepted",
    "visit_cy": "Dydd Mercher 23 Tachwedd",
    "visit_en": "Wednesday 23 September",
    "today_cy": "Dydd Mercher 23 Tachwedd",
    "today_en": "Wednesday 23 September",
}
_PLACEHOLDER = re.compile(r"\(\(([^()]*)\)\)")


def placeholders(words: str) -> tuple[str, ...]:
    """List the placeholders of a text in order, each once."""
    return tuple(dict.fromkeys(name.strip() for name in _PLACEHOLDER.findall(words)))


def fill(words: str, values: Mapping[str, str]) -> str:
    """Put values in; a placeholder without one stays as it stands."""
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(1).strip(), found.group(0)), words)


def together(pair: Pair) -> str:
    """Both languages as one message, Welsh first, as the templates for `both` have them."""
    return f"{pair.cy}\n\n{pair.en}"


def problems_of(text: Text, *, live: bool = False) -> Iterator[Problem]:
    """Find everything that is wrong with the words of a text."""
    for status, said in text.statuses.items():
        path = ("statuses", status, "wording")
        for key, pair in (("subject", said.subject), ("wording", said.wording)):
            if pair is not None:
                yield from _alike(("statuses", status, key), pair)
                yield from _tone(("statuses", status, key), pair, text)
        yield from _reaches_a_person(path, said.wording)
        if text.channel == "text":
            yield from _length(path, said.wording, text)
        found = grade(said.wording.en)
        if found > text.reading_grade:
            yield Problem(
                (*path, "en"),
                f"English of grade {found}",
                f"grade {text.reading_grade:g} or lower (Flesch-Kincaid)",
                "write shorter sentences and shorter words",
                Severity.WARNING,
            )
    if live and text.welsh_checked is None:
        remedy = "have the Welsh read, then add for instance `welsh_checked: {by: A. Checker, on: 2026-11-30}`"
        yield Problem(("welsh_checked",), "nothing", "who read the Welsh and when, because the stage is live", remedy)


def _alike(path: tuple[str, ...], pair: Pair) -> Iterator[Problem]:
    """Find placeholders that one language has and the other lacks, and those that nobody fills in."""
    said = {language: placeholders(getattr(pair, language)) for language in LANGUAGES}
    # One that nobody fills in is told as such, and asked for in neither language.
    held = {language: {_bare(name) for name in names if name in PLACEHOLDERS} for language, names in said.items()}
    for language, other in (("cy", "en"), ("en", "cy")):
        here = (*path, language)
        for name in sorted(held[other] - held[language]):
            yield Problem(
                here,
                f"no (({_safe(name)}))",
                f"the same placeholders as in `{other}`",
                f"add (({_safe(_of(name, language))})) here, or take it out of `{other}`",
            )
        for name in said[language]:
            if name not in PLACEHOLDERS:
                near = did_you_mean(name, PLACEHOLDERS)
                remedy = near or "use one of these, or write the words out"
                yield Problem(here, f"the placeholder {shown(name)}", one_of(PLACEHOLDERS), remedy)
            elif name.endswith(f"_{other}"):
                remedy = f"write (({_bare(name)}_{language}))"
                yield Problem(here, f"the placeholder {shown(name)}, of the other language", "its own", remedy)


def _reaches_a_person(path: tuple[str, ...], pair: Pair) -> Iterator[Problem]:
    for language in LANGUAGES:
        if "phone" not in placeholders(getattr(pair, language)):
            yield Problem(
                (*path, language),
                "no ((phone))",
                "how to reach a person, in every text",
                "add ((phone)): the number in the council's file is filled in",
            )


def _length(path: tuple[str, ...], pair: Pair, text: Text) -> Iterator[Problem]:
    whole = {"cy": pair.cy, "en": pair.en, **({"both": together(pair)} if text.both == "one" else {})}
    for language, words in whole.items():
        needs = cost(fill(words, LONGEST))
        if needs.parts > text.most_parts:
            yield Problem(
                (*path, "cy" if language == "both" else language),
                f"{needs.parts} billed parts{' for both languages' if language == 'both' else ''}",
                f"{text.most_parts} at the most",
                "write shorter, or send both languages as `both: two`; `dolen text check` shows the cost of each",
            )


def _tone(path: tuple[str, ...], pair: Pair, text: Text) -> Iterator[Problem]:
    for language in LANGUAGES:
        words = getattr(pair, language).casefold()
        for avoided, instead in getattr(text.avoid, language).items():
            if re.search(rf"(?<!\w){re.escape(avoided.casefold())}(?!\w)", words):
                yield Problem(
                    (*path, language),
                    f"the word {shown(avoided)}",
                    "words of the content guide",
                    f"write {shown(instead)}",
                    Severity.WARNING,
                )


def _bare(name: str) -> str:
    return name.removesuffix("_cy").removesuffix("_en")


def _of(name: str, language: str) -> str:
    return name if name in PLACEHOLDERS else f"{name}_{language}" if f"{name}_{language}" in PLACEHOLDERS else name


def _safe(name: str) -> str:
    return shown(name).strip("'")
