"""Converters between one value and several: texts, names, addresses, telephone numbers.

Each says what cannot be told apart again: it is refused, or it is in `loses`, and then a row has to be declared lossy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

from mappings.converters import people
from mappings.converters.port import BadOption, Request, Several, SeveralRequest, TooLong, WrongType
from mappings.meta import Json, Kind

_TEXT = (Kind.TEXT, Kind.CODE)
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}", re.ASCII)


def _text(value: Json, expected: str = "text") -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise WrongType(expected)


def _words(value: Json) -> list[str]:
    """The words of a text, or of the members of a list."""
    texts = value if isinstance(value, list) else [value]
    return [word for text in texts for word in _text(text).split()]


def _texts_only(request: SeveralRequest) -> None:
    fits = all(kind in _TEXT and not many for kind, many in request.fields)
    request.must(fits, "ours", "fields that are one text each")


def parts(request: SeveralRequest) -> Several:
    """Texts with a separator between them, every part at its place, also where it is empty."""
    _texts_only(request)
    separator = request.options.get("separator")
    if not isinstance(separator, str) or not separator:
        raise BadOption("separator", "the text that stands between the parts, which is needed")
    several = request.parts

    def apart(whole: Json) -> Sequence[Json]:
        pieces = _text(whole).split(separator)
        if len(pieces) != several:
            raise WrongType(f"{several} parts with the separator between them")
        return [piece or None for piece in pieces]

    def together(pieces: Sequence[Json]) -> Json:
        texts = [_text(piece) for piece in pieces]
        if any(separator in text for text in texts) or separator.join(texts).split(separator) != texts:
            raise WrongType("parts without the separator in them")
        return separator.join(texts)

    return Several(request.name, apart, together, "every part keeps its place and comes back as it was")


def full_name(request: SeveralRequest) -> Several:
    """Given names and family name in one text: `ours` or `theirs` names the given names first, then the family name."""
    request.must(request.parts == 2, "ours" if request.ours_are_parts else "theirs", "given names, then family name")
    kinds_fit = all(kind in _TEXT for kind, _ in request.fields) and not request.fields[-1][1]
    request.must(kinds_fit and (request.ours_are_parts or not request.fields[0][1]), "ours",
                 "a field for given names and one for the family name, or one text for both")  # fmt: skip
    listed = request.fields[0][1]
    comma = request.choice("order", ("given-family", "family-comma-given"), "given-family") == "family-comma-given"

    def apart(whole: Json) -> Sequence[Json]:
        text = _text(whole)
        if comma:
            family, mark, rest = text.partition(",")
            if not mark or "," in rest:
                raise WrongType("a family name, a comma, and given names")
            given = rest.split()
            family = " ".join(family.split())
        else:
            *given, family = text.split() or [""]
        return [(given if listed else " ".join(given)) or None, family or None]

    def together(both: Sequence[Json]) -> Json:
        given, family = " ".join(_words(both[0])), " ".join(_words(both[1]))
        if comma:
            if "," in given + family:
                raise WrongType("names without a comma in them")
            return f"{family}, {given}" if given else f"{family},"
        if not family:
            raise WrongType("a family name: the last word would be taken for one")
        return f"{given} {family}".strip()

    spaces = "how names were spaced, and which given names belong together"
    loses = spaces if comma else f"where the family name begins (its last word is taken for it), {spaces}"
    return Several(request.name, apart, together, f"lost: {loses}", loses)


def given_names(request: SeveralRequest) -> Several:
    """A list of given names, the first of them apart from the others: `theirs` names the first, then the others."""
    request.must(request.theirs == 2, "theirs", "a path for the first given name and one for the others")
    kind, many = request.fields[0]
    request.must(kind in _TEXT and many, "ours", "a field that is a list of texts")

    def apart(whole: Json) -> Sequence[Json]:
        if not isinstance(whole, list):
            raise WrongType("a list of given names")
        names = [" ".join(words) for name in whole if (words := _text(name).split())]
        return [names[0] if names else None, " ".join(names[1:]) or None]

    def together(both: Sequence[Json]) -> Json:
        first = " ".join(_words(both[0]))
        if not first:
            raise WrongType("a first given name beside the others")
        return [first, *_words(both[1])]

    loses = "which of the other given names belong together, and how they were spaced"
    return Several(request.name, apart, together, f"lost: {loses}", loses)


def numbered(request: SeveralRequest) -> Several:
    """A list of texts whose members stand in places of their own: Address1, Address2, Address3."""
    kind, many = request.fields[0]
    request.must(not request.ours_are_parts and kind in _TEXT and many, "ours", "one field that is a list of texts")
    places = request.parts

    def apart(whole: Json) -> Sequence[Json]:
        members = whole if isinstance(whole, list) else None
        if members is None or not all(isinstance(member, str) for member in members):
            raise WrongType("a list of texts")
        members = [trimmed for member in members if (trimmed := member.strip())]
        if len(members) > places:
            raise TooLong(f"at most {places} items")
        return [*members, *([None] * (places - len(members)))]

    def together(several: Sequence[Json]) -> Json:
        return [trimmed for member in several if (trimmed := _text(member).strip())] or None

    loses = "which of their places was left empty before a later one, and spaces around a text"
    return Several(request.name, apart, together, f"lost: {loses}", loses)


def address_text(request: SeveralRequest) -> Several:
    """An address in one text, town and postcode last: `ours` names the lines, the town and the postcode."""
    request.must(len(request.fields) == 3, "ours", "address lines, town and postcode, in this order")
    fits = request.fields == ((Kind.TEXT, True), (Kind.TEXT, False), (Kind.TEXT, False))
    request.must(fits, "ours", "a list of lines, then a text for the town and one for the postcode")
    separator = request.options.get("separator", "\n")
    if not isinstance(separator, str) or not separator:
        raise BadOption("separator", "a text that is not empty")
    mark = separator.strip() or separator
    postcode = people.postcode(Request("postcode", {}, request.zone)).read
    expected = "lines, a town and a postcode, in this order"

    def apart(whole: Json) -> Sequence[Json]:
        pieces = [trimmed for piece in _text(whole, expected).split(mark) if (trimmed := piece.strip())]
        code = str(postcode(pieces[-1]) or "") if len(pieces) > 1 else ""
        if not _POSTCODE.fullmatch(code):
            raise WrongType(expected)  # which piece is the town would be a guess
        return [pieces[:-2] or None, pieces[-2], code]

    def together(three: Sequence[Json]) -> Json:
        lines = three[0] if isinstance(three[0], list) else [three[0]]
        pieces = [trimmed for line in lines if (trimmed := _text(line).strip())]
        town, code = _text(three[1]).strip(), _text(three[2]).strip()
        if not town or not _POSTCODE.fullmatch(code) or any(mark in piece for piece in (*pieces, town)):
            raise WrongType("a town and a postcode, and no separator in any piece")
        return separator.join([*pieces, town, code])

    loses = "empty lines, spaces around a line, and how the postcode was spelled"
    return Several(request.name, apart, together, f"lost: {loses}", loses)


def area_and_number(request: SeveralRequest) -> Several:
    """A telephone number of ours whose area code stands apart over there: `theirs` names the area code first."""
    request.must(request.theirs == 2, "theirs", "a path for the area code and one for the number")
    request.must(request.fields[0] == (Kind.TEXT, False), "ours", "one field that is a text")
    country = request.options.get("country", "GB")
    read = people.phone(Request("phone", {"country": country}, request.zone)).read

    def apart(whole: Json) -> Sequence[Json]:
        text = _text(whole)
        try:
            number = phonenumbers.parse(text, None)
        except phonenumbers.NumberParseException:
            return [None, text]
        if number.country_code != phonenumbers.country_code_for_region(str(country)):
            return [None, text]
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        digits = "".join(filter(str.isdigit, national))
        prefix = len(digits) - len(phonenumbers.national_significant_number(number))  # the 0 before the area code
        length = phonenumbers.length_of_national_destination_code(number)
        two = [digits[: prefix + length], digits[prefix + length :]]
        return two if length and read("".join(two)) == text else [None, text]

    def together(both: Sequence[Json]) -> Json:
        area, number = (_text(part).strip() for part in both)
        if not number:
            raise WrongType("a number beside the area code")
        return read(area + number)

    loses = "how the number was spelled, and which of its digits were taken for the area code"
    return Several(request.name, apart, together, f"lost: {loses}", loses)
