"""Guessing a mapping: which value of a system's record is which field of ours, by name, place and type.

Guesses are for a person to go through, so each says how sure it is, and what would do harm is never in force: it is
handed over with `active` False. Interfaces come in the neutral form (see `interface`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from mappings import fieldpaths
from mappings.guessed_codes import CodeGuess, codes_for
from mappings.guesses import REFERRER, REQUEST, SOMEBODY_ELSE, THE_PERSON, THE_REFERRER, is_dangerous
from mappings.meta import Kind
from mappings.spots import Schema, Spot, spots, squeezed, types, words

SURE, LIKELY, UNSURE = "sure", "likely", "unsure"
_REMARKS = ("text", "note", "notes", "description", "detail", "details")
_LOST_OF_DAYS = {
    Kind.PARTIAL_DATE: "a year or a month alone cannot be written",
    Kind.WHEN: "the time of day of a moment cannot be written",
    Kind.DATE: "a zone or a midnight beside the day",
}
_RANK = {SURE: 0, LIKELY: 1, UNSURE: 2}
_CONTACTS = {
    "person.telecom[system=phone,use=mobile].value": {"mobile", "mobilephone", "cell", "symudol"},
    "person.telecom[system=phone,use=home].value": {"phone", "home", "homephone", "telephone", "landline", "tel"},
    "person.telecom[system=email].value": {"email", "emailaddress", "ebost"},
}
_STANDARDS = {"phone": "how it was spelled", "postcode": "how it was spelled", "nhs-number": "how it was spelled"}


@dataclass(frozen=True, slots=True)
class Guess:
    """One row of a mapping, as it may be. `keys` are those of the row beside ours and theirs."""

    spot: Spot
    ours: str = ""  # "" where nobody could guess
    sure: str = UNSURE
    active: bool = False
    keys: Mapping[str, Any] = field(default_factory=dict)
    codes: tuple[CodeGuess, ...] = ()
    unmatched: tuple[str, ...] = ()  # codes of theirs that look like none of ours
    why: str = ""  # why it is not in force
    each: tuple[Guess, ...] = ()
    beside: tuple[str, ...] = ()  # further paths of theirs, where several values of theirs are one field of ours


def guess(
    read: Schema, create: Schema | None, system: str, ours: Iterable[str] = (), *, certain: bool = True
) -> list[Guess]:
    """Guess every value of a record, in its order. `ours`: paths that are the connector's business.

    `create` says what has to be written, where that differs. With `certain` False (samples) nothing is ever sure.
    """
    skipped = set(ours)
    found = []
    for spot in spots(read, create):
        if spot.theirs in skipped:
            continue
        found += _contact_list(spot) or [_needs(spot) or _one(spot, system)]
    found = _each_field_once(found)
    if not certain:
        found = [replace(one, sure=LIKELY) if one.sure == SURE else one for one in found]
    return found


# --- One value --------------------------------------------------------------------------------------------------------


def _one(spot: Spot, system: str) -> Guess:
    found = meant(spot.theirs)
    if found is None or spot.each:
        return Guess(spot, why=_near(spot))
    ours, sure = found[0].replace("SYSTEM", system), SURE if found[1] else LIKELY
    made = _converted(Guess(spot, ours, sure, active=True))
    if is_dangerous(ours):
        return replace(made, active=False, why="never guessed into force: look at every value of it with the supplier")
    return made


def meant(theirs: str) -> tuple[str, bool] | None:
    """The field that a path most likely means, and whether its name always means it."""
    *above, last = theirs.split("/")
    said = words(last)
    around = next((about for step in reversed(above) if (about := _about(step)) != _NEUTRAL), _NEUTRAL)
    name = squeezed(last)
    table = REFERRER if around == _REFERRER else REQUEST
    if (led := next((n for n in (2, 1) if "".join(said[:n]) in THE_REFERRER), 0)) and len(said) > led:
        table, around, name = REFERRER, _REFERRER, "".join(said[led:])
    elif around == _ELSE or (set(said[:-1]) & SOMEBODY_ELSE and name not in table):
        return None
    names = [squeezed(above[-1]) + name] if above and around != _REFERRER else []
    names.append(name)
    rest = list(said)
    while rest and (cut := next((n for n in (2, 1) if "".join(rest[:n]) in THE_PERSON), 0)):
        rest = rest[cut:]
        names.append("".join(rest))
    for each in names:
        if each in table:
            ours, always = table[each]
            if not always and (around == _UNKNOWN or (above and squeezed(above[-1]) in _PLAIN)):
                continue  # `Type` inside an address is not the type of the request
            return ours, always and around != _UNKNOWN
    return None


def is_about_the_person(theirs: str) -> bool:
    """Whether the groups around a value, and the value's own name, speak of the person or the request."""
    *above, last = theirs.split("/")
    return all(_about(step) == _NEUTRAL for step in above) and not set(words(last)) & SOMEBODY_ELSE


def _about(step: str) -> str:
    """Whom a group of values is about, as its name says."""
    name, said = squeezed(step), words(step)
    if name in THE_REFERRER or any("".join(said[:n]) in THE_REFERRER for n in (1, 2)):
        return _REFERRER
    if name in THE_PERSON | _PLAIN:
        return _NEUTRAL
    if set(said) & SOMEBODY_ELSE:
        return _ELSE
    return _NEUTRAL if set(said) <= THE_PERSON | _PLAIN else _UNKNOWN


_NEUTRAL, _REFERRER, _ELSE, _UNKNOWN = "the person or the request", "the referrer", "somebody else", "unknown"
_PLAIN = frozenset({
    "name", "names", "address", "contact", "contacts", "contactdetails", "details", "language", "info", "flags",
    "reason", "updates", "body", "data", "header", "identity", "personal", "information",
})  # fmt: skip


def _near(spot: Spot) -> str:
    near = get_close_matches(squeezed(spot.theirs.rsplit("/", 1)[-1]), REQUEST, n=1, cutoff=0.84)
    return f"perhaps {REQUEST[near[0]][0]}" if near else ""


def _converted(made: Guess) -> Guess:
    """The guess with a converter that fits both sides; not in force where none is known to."""
    spot, schema = made.spot, made.spot.schema
    declared = fieldpaths.type_of(made.ours)
    lexical, text = schema.get("x-lexical", ""), "string" in types(schema)
    keys: dict[str, Any] = {}
    if spot.many and not declared.many:
        return replace(made, active=False, sure=UNSURE, why="theirs is a list, ours is one value")
    if declared.codes:
        return _coded(made, declared.codes)
    match declared.kind:
        case Kind.PARTIAL_DATE | Kind.DATE | Kind.WHEN:
            if lexical == "date" or schema.get("format") == "date":
                keys |= {"as": "date", "lossy": _LOST_OF_DAYS[declared.kind]}
            elif (layout := schema.get("x-layout")) is not None:
                keys |= {"as": "date", "options": {"format": layout}, "lossy": _LOST_OF_DAYS[declared.kind]}
            elif lexical == "dateTime":
                because = "theirs is a moment: its day can be read, and a day alone cannot be written into it"
                return replace(made, active=False, keys={"as": "date", "direction": "read"}, why=because)
            else:
                because = "how they write a day is not known: add options: {format: DD/MM/YYYY} or what they have"
                return replace(made, active=False, sure=UNSURE, keys={"as": "date"}, why=because)
        case Kind.INSTANT:
            if lexical == "dateTime" and schema.get("x-zone") == "none":
                keys |= {"as": "local-time", "lossy": "which of two in the hour that comes twice"}
            elif lexical == "dateTime" or schema.get("format") == "date-time":
                keys |= {"as": "time", "lossy": "the offset"}
                if schema.get("x-zone") == "optional":
                    made = replace(made, sure=LIKELY, why="local-time instead, if they want no offset")
            else:
                because = "theirs is not a moment"
                return replace(made, active=False, sure=UNSURE, keys={"as": "time"}, why=because)
        case Kind.BOOLEAN:
            if lexical == "boolean":
                keys |= {"as": "boolean", "options": {"wire": "text"}}
            elif "boolean" not in types(schema):
                because = "theirs is not yes or no: name their words, options: {yes: [Y], no: [N]}"
                return replace(made, active=False, sure=UNSURE, keys={"as": "boolean"}, why=because)
        case Kind.TEXT | Kind.CODE:
            if lexical in ("date", "dateTime", "boolean") or (not text and "integer" not in types(schema)):
                return replace(made, active=False, sure=UNSURE, why="theirs is not a text")
            keys |= _text(made, declared, text=text)
            if declared.kind is Kind.CODE:  # of a standard's list, which theirs need not be
                made = replace(
                    made, sure=LIKELY, why="needs a code list, if theirs are other codes than the standard's"
                )
        case _:
            return replace(made, active=False, sure=UNSURE, why="theirs is of another type")
    return replace(made, keys=keys | _presence(spot))


def _presence(spot: Spot) -> dict[str, Any]:
    """What a row says of having no value: a record is stopped, its group goes, or the key is left out."""
    keys: dict[str, Any] = {"needed": True} if spot.must else {}
    if spot.leads:
        keys["lead"] = True
    if not spot.must and spot.nulls and "null" not in spot.schema.get("type", ()) and not spot.many:
        keys["empty"] = "omit"
    return keys


def _text(made: Guess, declared: fieldpaths.FieldType, *, text: bool) -> dict[str, Any]:
    spot, keys = made.spot, dict[str, Any]()
    converter = next((name for end, name in (("telecom[system=phone,use=mobile].value", "phone"),
        ("telecom[system=phone,use=home].value", "phone"), ("postcode", "postcode"), ("nhs_number", "nhs-number"))
        if made.ours.endswith(end)), "")  # fmt: skip
    if declared.many and not spot.many:
        keys |= {"as": "joined", "options": {"separator": " " if "name" in made.ours else "\n"}}
        keys["lossy"] = "where one ends and the next begins"
    elif not text or spot.schema.get("x-lexical") == "integer":
        keys["as"] = "number-as-text"
    elif converter and not (converter == "nhs-number" and _digits_alone(spot.schema)):
        keys |= {"as": converter, "lossy": _STANDARDS[converter]}
    if text and "maxLength" in spot.schema:
        keys["max_length"] = spot.schema["maxLength"]
    if spot.many and spot.most:
        keys["max_items"] = spot.most
    return keys


def _digits_alone(schema: Schema) -> bool:
    """Whether the system takes an NHS number in no other spelling than ours."""
    spaced = re.compile(str(schema.get("pattern", ""))).search("999 000 0018") is not None
    return schema.get("maxLength", 99) <= 10 or not spaced


def _coded(made: Guess, codes: tuple[str, ...]) -> Guess:
    spot = made.spot
    told = [str(code) for code in spot.schema.get("enum", ())]
    dangerous = is_dangerous(made.ours)
    keys: dict[str, Any] = {"codes": made.ours}
    pairs, unmatched = codes_for(made.ours, told, spot.schema.get("x-shown", {}), spot.schema.get("description", ""))
    unknown = next((code for code in ("unknown", "not-asked") if code in codes), "")
    if unknown and any(pair.ours == unknown for pair in pairs) and spot.must:
        keys |= {"default": {"write": unknown}, "empty": "default"}
        keys |= {"lead": True} if spot.leads else {}
    else:
        keys |= _presence(spot)
    sure = max((made.sure, *(pair.sure for pair in pairs)), key=_RANK.__getitem__)  # no surer than its codes
    made = replace(made, sure=sure, keys=keys, codes=tuple(pairs), unmatched=tuple(unmatched))
    if not told:
        because = "the interface does not list their codes: ask the supplier for them, and fill the code list"
        return replace(made, active=False, codes=(), why=because)
    if not dangerous and len(pairs) * 2 < len(told):
        return replace(made, active=False, why="too few of their codes look like ours")
    return made


# --- Lists ------------------------------------------------------------------------------------------------------------


def _contact_list(spot: Spot) -> list[Guess]:
    """Rows for a list of telephones and addresses that a key tells apart; nothing for any other list."""
    tells = next((each for each in spot.each if each.schema.get("enum") and squeezed(each.theirs) in
                  ("type", "kind", "system", "use", "method")), None)  # fmt: skip
    value = next((each for each in spot.each if squeezed(each.theirs) in ("value", "number", "address", "detail", "")
                  and not each.each), None)  # fmt: skip
    if tells is None or value is None or set(words(spot.theirs)) & SOMEBODY_ELSE:
        return []
    found = []
    for ours, names in _CONTACTS.items():
        code = next((code for code in tells.schema["enum"] if squeezed(str(code)) in names), None)
        if code is None:
            continue
        path = f"{spot.theirs}[{tells.theirs}={code}]"
        picked = replace(value, theirs=f"{path}/{value.theirs}", must=False, leads=True)
        found.append(_converted(Guess(picked, ours, SURE, True)))
        if "use=mobile" in ours:
            found += [
                replace(_one(replace(each, theirs=f"{path}/{each.theirs}"), ""), active=False)
                for each in spot.each
                if each not in (tells, value)
            ]
    return found


def _needs(spot: Spot) -> Guess | None:
    """A row with `each` for the list of what is asked for; None for any other list."""
    if not spot.each or not {"need", "needs", "careneeds", "anghenion"} & {
        squeezed(step) for step in spot.theirs.split("/")
    }:
        return None
    code = next((each for each in spot.each if "code" in words(each.theirs) or each.schema.get("enum")), None)
    text = next((each for each in spot.each if (each is not code and each.theirs in (".",)) or
                 squeezed(each.theirs) in _REMARKS), None)  # fmt: skip
    if code is None:
        return None
    plain = Guess(replace(code, must=False, leads=False), "needs[].code", LIKELY, True)
    coded = _coded(plain, fieldpaths.type_of("code", "needs").codes)
    rows = [replace(coded, ours="code", keys={**coded.keys, "key": True, **({"needed": True} if code.must else {})})]
    if text is not None:
        keys = {"max_length": text.schema["maxLength"]} if "maxLength" in text.schema else {}
        rows.append(Guess(text, "text", LIKELY, True, keys))
    keys = {"max_items": spot.most} if spot.most else {}
    return Guess(spot, "needs", LIKELY, coded.active, keys, coded.codes, coded.unmatched, coded.why, tuple(rows))


# --- All together -----------------------------------------------------------------------------------------------------


def _each_field_once(found: list[Guess]) -> list[Guess]:
    """Of several values that look like one field, the surest and the least deep; the others are candidates."""
    best: dict[str, Guess] = {}
    for one in found:
        if one.ours and (one.ours not in best or _order(one) < _order(best[one.ours])):
            best[one.ours] = one
    kept = []
    for one in found:
        winner = best.get(one.ours)
        if one.ours and winner is not one and winner is not None:
            one = replace(one, active=False, sure=UNSURE, why=f"{winner.spot.theirs} looks more like it")
        elif one.ours and any(_order(other)[:2] == _order(one)[:2] and other is not one and other.ours == one.ours
                              for other in found):  # fmt: skip
            one = replace(one, sure=min(LIKELY, one.sure, key=lambda sure: -_RANK[sure]))
        kept.append(one)
    return kept


def _order(one: Guess) -> tuple[int, int, int]:
    return (not one.active, _RANK[one.sure], one.spot.theirs.count("/"))
