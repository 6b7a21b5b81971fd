"""An invented look-alike of a live record: the same keys, lists and codes, and nobody in it.

Every value that could tell who somebody is gives way to one of its kind that is invented and valid: also what no row
maps, as a supplier's own fields are personal too. Kept are codes, yes and no, and small numbers. It is drawn from a
seed, never from the values themselves, so nothing leads back. At the end every value is looked through once more: what
of the original survived, four letters or digits of it, stops the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from mappings import inventing
from mappings.guessing import meant
from mappings.meta import Json
from mappings.realness import national

_TOKEN = re.compile(r"[^\W_]{4,}")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})(?P<s>[/.-])(?P<m>\d{1,2})[/.-](?P<y>\d{4})(?P<rest>(?: .*)?)", re.ASCII)
_YEAR_FIRST = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?P<rest>(?:[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)", re.ASCII
)
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_PHONE = re.compile(r"(?:\+44|0044|\(?0)[\d ()-]{8,16}", re.ASCII)
_NHS = re.compile(r"\d{10}|\d{3}[ -]\d{3}[ -]\d{4}", re.ASCII)
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.ASCII | re.IGNORECASE)
_INSURANCE = re.compile(r"[A-Z]{2}(?: ?\d\d){3} ?[A-D]", re.ASCII | re.IGNORECASE)
_REFERENCE = re.compile(r"(?=\S*\d)[A-Za-z0-9]+(?:[-/_.:][A-Za-z0-9]+)*", re.ASCII)
_KEPT = frozenset({"", "true", "false", "yes", "no", "y", "n", "0", "1"})
_OURS = frozenset({"example", "07700", "01632", "7700", "4477", "9999", "rhywun"})  # what every invented value may hold
_TRIES = 40
_FIRST_REAL_YEAR, _LAST_REAL_YEAR = 1880, 2200  # 0001-01-01 and 9999-12-31 stand for nothing
_SHORT = ("tŷ", "dŵr", "môr", "tân", "pêl", "iâ", "ŷd", "sŵn", "ŵy", "gŵr")

Path = tuple[str | int, ...]


class SomethingSurvived(RuntimeError):
    """The look-alike still holds something of the original. The message names places, never a value."""

    def __init__(self, places: Sequence[str]) -> None:
        super().__init__(f"something of the original is still there, so nothing was made: at {', '.join(places)}")


def look_alike(record: Mapping[str, Any], seed: str, codes: Collection[str] = ()) -> dict[str, Any]:
    """Invent a record that looks like this one. `codes`: the words of code lists and enumerations, which are kept.

    The same seed gives the same look-alike. Raises SomethingSurvived.
    """
    inventor = _Inventor(record, Random(f"look-alike {seed}"), _KEPT | set(codes))  # noqa: S311 - not a secret
    made: dict[str, Any] = inventor.made(dict(record), ())
    if places := survivors(record, made, inventor.kept):
        raise SomethingSurvived(places)
    return made


def survivors(record: Json, made: Json, kept: Collection[str]) -> list[str]:
    """The places in `made` where four letters or digits of a value of `record` stand that is no code."""
    taken = _tokens(record, kept)
    before = {text for _, text in _texts(record) if text not in kept and not _sentinel(text)}
    found = []
    for path, text in _texts(made):
        if text in kept or _sentinel(text):
            continue
        own = set() if _moment(text) else {token.casefold() for token in _TOKEN.findall(text)} - _OURS
        if (text in before and len(text) > 3) or own & taken:
            found.append("/".join(str(step) for step in path))
    return found


def _tokens(record: Json, kept: Collection[str]) -> set[str]:
    texts = (text for _, text in _texts(record) if text not in kept and not _moment(text))
    return {token.casefold() for text in texts for token in _TOKEN.findall(text)} - _OURS


def _texts(value: Json, at: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*at, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*at, number))
    elif isinstance(value, str):
        yield at, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield at, str(value)


def _moment(text: str) -> re.Match[str] | None:
    return _YEAR_FIRST.fullmatch(text) or _DAY_FIRST.fullmatch(text)


def _sentinel(text: str) -> bool:
    found = _moment(text)
    return found is not None and not _FIRST_REAL_YEAR < int(found["y"]) < _LAST_REAL_YEAR


class _Inventor:
    """Walks one record. It knows what the original holds, so that nothing drawn is by chance the same."""

    def __init__(self, record: Mapping[str, Any], chance: Random, kept: frozenset[str] | set[str]) -> None:
        self.kept = kept
        self._chance = chance
        self._taken = _tokens(record, kept)
        self._values = {text for _, text in _texts(record)}
        # One shift for all, so that what came first still does; never a whole year, so that no day stays.
        self._days = chance.choice((-1, 1)) * chance.randrange(40, 340)

    def made(self, value: Json, at: Path) -> Json:
        """The value's look-alike."""
        if isinstance(value, Mapping):
            return {key: self.made(inner, (*at, str(key))) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.made(inner, (*at, number)) for number, inner in enumerate(value)]
        if isinstance(value, str):
            return self._text(value, "/".join(str(step) for step in at if not isinstance(step, int)))
        if isinstance(value, bool) or value is None:
            return value
        return self._number(value)

    def _number(self, value: float) -> float:
        if isinstance(value, float):
            return round(self._chance.random() * 1000, 2)
        if -10 < value < 10:
            return value
        least = 10 ** (len(str(abs(value))) - 1)
        return int(self._drawn(lambda: str(self._chance.randrange(least, least * 10)), str(least + 7)))

    def _text(self, value: str, path: str) -> str:
        if value in self.kept or _sentinel(value):
            return value
        if (moment := _moment(value)) is not None:
            about = meant(path)
            # A birthday moves by itself: whoever knows when something was received would know how far.
            alone = about is not None and about[0] in ("person.date_of_birth", "person.date_of_death")
            return self._shifted(value, moment, self._chance.randrange(370, 1400) if alone else self._days)
        chance, length = self._chance, len(value)
        text = value.strip()
        if _EMAIL.fullmatch(text):
            return self._drawn(lambda: inventing.email(chance))
        if _NHS.fullmatch(text) and not text.startswith("0"):
            return self._drawn(lambda: _as_spaced(inventing.nhs_number(chance), text))
        if _PHONE.fullmatch(text):
            return self._drawn(lambda: self._phone(text))
        if _INSURANCE.fullmatch(text):
            return self._drawn(lambda: f"QQ{chance.randrange(10**5, 10**6)}C")
        if _POSTCODE.fullmatch(text):
            return self._drawn(lambda: inventing.postcode(chance))
        if (named := self._named(path, length)) is not None:
            return named
        if _REFERENCE.fullmatch(text):
            return self._drawn(lambda: inventing.alike(chance, text))
        return self._drawn(lambda: inventing.text(chance, max(length, 3)), self._short(length))

    def _named(self, path: str, length: int) -> str | None:
        """An invented value for a field whose name says what it is; None for every other."""
        found = meant(path)
        last = found[0].rsplit(".", 1)[-1] if found else ""
        lists: dict[str, Sequence[str]] = {
            "given": inventing.GIVEN, "family": inventing.FAMILY, "preferred": inventing.PREFERRED,
            "town": inventing.TOWNS, "organisation": inventing.ORGANISATIONS, "relationship": inventing.RELATIONSHIPS,
        }  # fmt: skip
        chance = self._chance
        if last in lists:
            return self._drawn(lambda: _near(lists[last], length, chance), self._short(length))
        if last in ("lines",):
            return self._drawn(lambda: inventing.line(chance), self._short(length))
        if last == "uprn":
            return self._drawn(lambda: inventing.uprn(chance)[-max(length, 5) :])
        if last in ("worker_ref", "name"):
            return self._drawn(
                lambda: f"{_near(inventing.GIVEN, length // 2, chance)} {_near(inventing.FAMILY, length // 2, chance)}",
                self._short(length),
            )
        return None

    def _phone(self, value: str) -> str:
        plain = national(value)
        made = inventing.phone(self._chance, mobile=plain.startswith("07"))
        if not value.startswith("0") and not value.startswith("("):
            made = "+44 " + made[1:]
        return made if " " in value else made.replace(" ", "")

    def _shifted(self, value: str, found: re.Match[str], days: int) -> str:
        try:
            day = datetime(int(found["y"]), int(found["m"]), int(found["d"]))  # noqa: DTZ001 - a day, wherever it is
        except ValueError:
            return self._drawn(lambda: inventing.alike(self._chance, value))
        moved = day + timedelta(days=days)
        rest = found["rest"]
        if re.match(r"[T ]0[0-3]", rest):  # the hours that a change of clocks may leave out or bring twice
            rest = f"{rest[0]}09{rest[3:]}" if not re.match(r"[T ]00:00(?::00)?(?:\D|$)", rest) else rest
        if "s" not in found.re.groupindex:
            return f"{moved:%Y-%m-%d}{rest}"
        sign = found["s"]
        return f"{moved:%d}{sign}{moved:%m}{sign}{moved:%Y}{rest}"

    def _short(self, length: int) -> str:
        """Words of fewer than four letters, of which no original can hold anything."""
        made = self._chance.choice(_SHORT)
        while len(made) + 4 <= length:
            made = f"{made} {self._chance.choice(_SHORT)}"
        return made

    def _drawn(self, draw: Callable[[], str], otherwise: str = "") -> str:
        """Draw until nothing of the original is in it."""
        for _ in range(_TRIES):
            made = draw()
            tokens = {token.casefold() for token in _TOKEN.findall(made)} - _OURS
            if not tokens & self._taken and made not in self._values:
                return made
        return otherwise or self._short(8)


def _near(choices: Sequence[str], length: int, chance: Random) -> str:
    """One of the choices that are not much longer than the original; the shortest where none is."""
    fitting = [choice for choice in choices if len(choice) <= length + 3]
    return chance.choice(fitting or sorted(choices, key=len)[:3])


def _as_spaced(digits: str, original: str) -> str:
    sign = original[3] if len(original) == 12 else ""
    return sign.join((digits[:3], digits[3:6], digits[6:]))
