"""Invented people and words, valid for their kind: what golden pairs are made of, so that nobody real is in one.

NHS numbers begin with 999, telephones are from the ranges that are kept free for fiction, addresses end in example.org
and the streets do not exist. Everything is drawn from a `Random` that the caller seeds.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

GIVEN = (
    "Siân", "Gwenllïan", "Angharad", "Lowri", "Heulwen", "Rhŷs", "Llŷr", "Ifan", "Owain", "Gethin", "Emrys", "Tomos",
    "Bethan", "Eluned", "Mared", "Macsen", "Iolo", "Morfudd", "Gwilym", "Dafydd",
)  # fmt: skip
FAMILY = (
    "O'Llŷr-Ŵyn", "Ap Gwilym", "Bŷthell", "Ŵynne", "Penhâl", "Glyndŵr", "Prys-Jones", "Maddocks", "Cadwgan", "Hopcyn",
    "Beddoe", "Gîbbon", "Llywelyn-Hughes", "Tŵr",
)  # fmt: skip
PREFERRED = ("Nansi'r Tŷ", "Guto", "Pegi", "Siwsi", "Twm", "Nel")
TITLES = ("Mrs", "Mr", "Ms", "Dr")
STREETS = ("Heol yr Onnen Ddychmygol", "Clos yr Ŵyl", "Ffordd Pendragon", "Rhodfa'r Ddraig", "Llwybr yr Afanc")
TOWNS = ("Trefaen", "Pont-y-Dychymyg", "Glyn Dychmygol", "Castell-y-Nant")
SENTENCES = (
    "Angen help i ymolchi a gwisgo yn y bore, a rhywun i gâl sgwrs ag ef.",
    "Mae'r grisiau yn y tŷ yn anodd ar ôl iddi gwympo ddwywaith.",
    "Cannot manage the stairs since a fall; asks for a rail by the bath.",
    "Bydd yr ŵyr yn galw bob dydd Llun â bwyd poeth.",
    "Lives alone and would like somebody to call in the morning.",
    "Hoffai gael cymorth gyda'r siopa, a gŵyr sut i ffonio.",
)
WORDS = ("tŷ", "dŵr", "gŵyl", "ffŵl", "môr", "tân", "sêr", "pêl", "grât", "iâ", "ŷd", "bôn")
ORGANISATIONS = ("Meddygfa'r Bont Ddychmygol", "Ysbyty Dychmygol", "Canolfan yr Ŵyl")
RELATIONSHIPS = ("merch", "mab", "chwaer", "cymydog")
TEAMS = ("tîm-dychmygol", "tîm-yr-ŵyl")
BORN_FROM = date(1930, 1, 1)


def nhs_number(chance: Random) -> str:
    """Ten digits beginning with 999, which are never issued, with the right check digit."""
    while True:
        digits = [9, 9, 9, *(chance.randrange(10) for _ in range(6))]
        check = (11 - sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11) % 11
        if check != 10:
            return "".join(map(str, [*digits, check]))


def phone(chance: Random, *, mobile: bool) -> str:
    """A telephone number of a range that is kept free for fiction."""
    return f"{'07700 900' if mobile else '01632 960'}{chance.randrange(1000):03d}"


def email(chance: Random) -> str:
    """An address that reaches nobody."""
    return f"rhywun{chance.randrange(10_000)}@example.org"


def uprn(chance: Random) -> str:
    """Twelve digits of which the first four are never given out."""
    return f"9999{chance.randrange(10**8):08d}"


def postcode(chance: Random) -> str:
    """A postcode of an area that does not exist."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return f"ZZ{chance.randrange(1, 100)} {chance.randrange(1, 10)}{chance.choice(letters)}{chance.choice(letters)}"


def birthday(chance: Random) -> str:
    """A day on which somebody of an age to need help was born."""
    return (BORN_FROM + timedelta(days=chance.randrange(27_000))).isoformat()


def line(chance: Random) -> str:
    """An address line in a street that is nowhere."""
    return f"{chance.randrange(1, 100)} {chance.choice(STREETS)}"


def text(chance: Random, length: int) -> str:
    """Words of ours of about that length and never longer, with letters that break careless systems."""
    if length <= 0:
        return ""
    if length < 24:
        made = chance.choice(WORDS)
        while len(made) + 4 < length:
            made = f"{made} {chance.choice(WORDS)}"
        return made[:length].rstrip() or "ŷ"
    made = chance.choice(SENTENCES)
    while len(made) < length:
        made = f"{made} {chance.choice(SENTENCES)}"
    cut = made[:length]
    return cut if len(made) == length else cut.rpartition(" ")[0] or cut


def alike(chance: Random, original: str) -> str:
    """A number or reference of the same pattern: digits for digits, letters for letters, all else as it was."""
    made = []
    for letter in original:
        if letter.isdigit():
            made.append(str(chance.randrange(10)))
        elif letter.isalpha():
            drawn = chance.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
            made.append(drawn if letter.isupper() else drawn.lower())
        else:
            made.append(letter)
    return "".join(made)
