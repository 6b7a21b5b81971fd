"""What the pages say, in Welsh and English, and how each writes dates and numbers.

Every sentence stands once in `words/PAGE.toml` with both languages, so that a checker of the Welsh has one place to
read. Whatever is put into a sentence is escaped.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from console.said_words import pieces

Language = Literal["cy", "en"]
LANGUAGES: tuple[Language, ...] = ("en", "cy")
FOLDER = Path(__file__).with_name("words")
_SECOND = 1_000_000


@cache
def catalogue() -> Mapping[str, Mapping[Language, str]]:
    """Every key (`page.name`) with what it says in each language."""
    found: dict[str, Mapping[Language, str]] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        for name, said in tomllib.loads(file.read_text(encoding="utf-8")).items():
            found[f"{file.stem}.{name}"] = said
    return found


def language_of(words: str | None, otherwise: Language) -> Language:
    """The language that somebody named, or another one where nobody did."""
    return words if words in LANGUAGES else otherwise


@dataclass(frozen=True, slots=True)
class Speech:
    """One language. Called with a key, it says the sentence."""

    language: Language

    def __call__(self, key: str, **values: Any) -> Markup:
        """Say a sentence; each of `values` takes the place of its name in braces. Raises KeyError."""
        said = Markup(escape(catalogue()[key][self.language]))  # noqa: S704 - escaped in the same breath
        if not values:
            return said
        return said.format(**{name: plain(one) if type(one) is str else one for name, one in values.items()})

    def of(self, group: str, name: str, **values: Any) -> Markup:
        """Say what belongs to a name that comes from elsewhere (`state.` + `arrived`). A name that has no sentence is
        shown as it is, marked as English, which the sentences of the movement are."""
        key = f"{group}.{name.replace(' ', '_')}"
        if key in catalogue():
            return self(key, **values)
        return self.said(name)

    def english(self, words: str) -> Markup:
        """Words that exist in English alone, marked so that a Welsh page is read out rightly."""
        if self.language == "en" or not words:
            return escape(plain(words))
        return Markup('<span lang="en">{}</span>').format(plain(words))

    def said(self, words: str) -> Markup:
        """What the movement said: in the page's language where it is ours, otherwise marked as English."""
        found = pieces(words) if self.language == "cy" else None
        if found is None:
            return self.english(words)
        return Markup("").join(escape(plain(text)) if welsh else self.english(text) for text, welsh in found)

    def when(self, at: int | None, zone: str = "UTC") -> str:
        """The ledger's time as people read it, with the year where it is another one."""
        if at is None:
            return str(self("common.never"))
        moment = datetime.fromtimestamp(at / _SECOND, UTC).astimezone(ZoneInfo(zone))
        form = "d MMM HH:mm" if moment.year == datetime.now(UTC).year else "d MMM y HH:mm"
        return format_datetime(moment, form, locale=self.language)

    def day(self, at: int, zone: str = "UTC") -> str:
        """The day of one of the ledger's times."""
        return format_date(datetime.fromtimestamp(at / _SECOND, UTC).astimezone(ZoneInfo(zone)), "d MMMM y",
                           locale=self.language)  # fmt: skip

    def number(self, count: int, most: int | None = None) -> str:
        """A count; with a plus sign where nobody counted beyond `most`."""
        more = "+" if most is not None and count >= most else ""
        return format_decimal(count, locale=self.language) + more

    def length(self, seconds: float) -> str:
        """A length of time, in its largest unit."""
        return format_timedelta(timedelta(seconds=max(0.0, seconds)), locale=self.language)


def plain(value: Any) -> str:
    """Anything as one line of text, without signs that could turn or hide what stands beside them."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " if letter in "\n\r\t" else "?" for letter in text)
