"""Writing down a guessed mapping: the file with its comments, and the code lists.

What is in force is what a person may leave as it is until told otherwise; what is not stands there as a comment, so
that taking away two signs puts it in force.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from mappings.codes_csv import COLUMNS
from mappings.guessing import SURE, Guess
from mappings.spots import Schema, describe, groups

_PLAIN = re.compile(r"[A-Za-z_@][A-Za-z0-9_./@ -]*")
_WORDS_OF_YAML = {"null", "true", "false", "yes", "no", "on", "off", "~"}
_LONGEST = 120
_SECTIONS = (
    ("What the request is and where it stands", ("person.", "language.", "notify.", "referrer.", "needs")),
    ("Whom it is about", ("person.",)),
    ("In which language, and whether by text", ("language.", "notify.")),
    ("Who asked", ("referrer.",)),
    ("What for", ("needs",)),
)


def mapping_text(system: str, record: str, source: str, guesses: Sequence[Guess], read: Schema) -> str:
    """The text of a mapping file."""
    made = [one for one in guesses if one.ours]
    empty = "null" if guesses and guesses[0].spot.nulls else "omit"
    lines = [
        f"# A draft of what a {record} of {system} is in our words, and back, made from {source}.",
        "# Every row is a guess, and says how sure. Go through them with the supplier's papers; take the comment away",
        "# when a row is looked at. A row that is commented out is not in force: what it needs stands behind it, and",
        "# taking the first # away puts it in force. What somebody's safety hangs on is never guessed into force.",
        f"system: {system}", f"record: {record}", f"empty: {empty}",
    ]  # fmt: skip
    optional = [
        f"  {quoted(path)}: {'null' if needs_null or empty == 'null' else 'omit'}"
        for path, needs_null in groups(read)
        if any(one.active and one.spot.theirs.startswith(f"{path}/") for one in made)
    ]
    lines += ["optional:", *optional] if optional else []
    lines += [
        "",
        "fields:" if any(one.active for one in made) else "fields: []  # none yet: take the [] away with the first row",
    ]
    if missing := still_needed(guesses):
        lines.append(f"  # Before a record can be read, these must be in force too: {', '.join(missing)}.")
        lines += [
            f"  # Nothing of theirs looks like `{field}`: if they have no such code, read it from another of theirs,"
            f"\n  # with `direction: read` and a code list that gives every code of it the same {field}."
            if field in ("type", "status")
            else f"  # Nothing of theirs looks like `{field}`: give it the value below that holds the name."
            for field in missing
            if not any(one.ours == field for one in made)
        ]
    for number, (title, starts) in enumerate(_SECTIONS):
        mine = [one for one in made if one.ours.startswith(starts) is (number > 0)]
        if mine:
            lines += [f"  # {title}", *(line for one in mine for line in _row(one, system)), ""]
    rest = [one for one in guesses if not one.ours]
    if rest:
        lines += ["  # Nobody could guess these. Give each our field, or delete it here if it shall not be carried."]
        lines += [_unguessed(one) for one in rest]
    return "\n".join(lines).rstrip() + "\n"


def still_needed(guesses: Sequence[Guess]) -> list[str]:
    """The fields without which no record can be read, and that no row in force gives."""
    return lacking({one.ours for one in guesses if one.active})


def lacking(there: Set[str]) -> list[str]:
    """The fields of ours without which no record can be read, less those that are there."""
    wanted = [field for field in ("type", "status") if field not in there]
    return wanted + ([] if {"person.name.family", "person.name.given"} & there else ["person.name.family"])


def list_name(system: str, ours: str) -> str:
    """The name of the code list of a field: casework-gender."""
    words = re.sub(r"\[[^\]]*\]", "", ours).split(".")
    last = {"correspondence": "language", "kind": "referrer"}.get(words[-1], words[-1])
    return f"{system}-{'need' if words[0] == 'needs' else last}"


def code_lists(system: str, guesses: Sequence[Guess]) -> dict[str, str]:
    """The text of each code list that the rows name, in force or not: name -> CSV."""
    found = {}
    for one in guesses:
        if "codes" not in one.keys and not one.each:
            continue
        field = "needs[].code" if one.each else one.ours
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for code in one.codes:
            note = f"a guess, {code.sure}; Welsh display awaits a Welsh checker"
            writer.writerow([code.theirs, code.ours, code.direction, code.cy, code.en, "", "", "", note])
        found[list_name(system, field)] = text.getvalue()
    return found


def _row(one: Guess, system: str) -> list[str]:
    sign = "" if one.active else "# "
    theirs = [one.spot.theirs, *one.beside] if one.beside else one.spot.theirs
    keys: dict[str, Any] = {"ours": one.ours, "theirs": theirs, **one.keys}
    if "codes" in keys:
        keys["codes"] = list_name(system, one.ours)
    said = [f"guess, {one.sure}" if one.active else f"not in force; its name: {one.sure}"]
    said += [one.why] if one.why else []
    if not one.active:
        said.append(describe(one.spot))
    if one.unmatched:
        said.append(f"codes that look like none of ours: {', '.join(one.unmatched[:12])}")
    remark = "; ".join(said)
    if one.each:
        lines = [f"  {sign}- ours: {one.ours}  # {remark}", f"  {sign}  theirs: {quoted(one.spot.theirs)}"]
        lines += [f"  {sign}  {key}: {spelled(value)}" for key, value in one.keys.items()]
        lines.append(f"  {sign}  each:")
        for inner in one.each:
            told = {"ours": inner.ours, "theirs": inner.spot.theirs, **inner.keys}
            if "codes" in told:
                told["codes"] = list_name(system, "needs[].code")
            lines.append(f"  {sign}    - {spelled(told)}")
        return lines
    line = f"  {sign}- {spelled(keys)}"
    if len(line) + len(remark) + 4 <= _LONGEST:
        return [f"{line}  # {remark}"]
    return [f"  # {remark}:", line]


def _unguessed(one: Guess) -> str:
    remark = describe(one.spot) + (f"; {one.why}" if one.why else "")
    return f"  # - {{ours: , theirs: {quoted(one.spot.theirs)}}}  # {remark}"


def spelled(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {spelled(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join(spelled(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def quoted(text: str) -> str:
    """A text as YAML, in quotes only where it needs them."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML and not text.startswith("@")
    return text if plain and text == text.strip() else json.dumps(text, ensure_ascii=False)


def sureness(guesses: Sequence[Guess]) -> dict[str, int]:
    """How many values were guessed, for the one line that a command says."""
    made = [one for one in guesses if one.active]
    return {
        "values": len(guesses), "in_force": len(made), "sure": sum(one.sure == SURE for one in made),
        "commented": sum(bool(one.ours) and not one.active for one in guesses),
        "unknown": sum(not one.ours for one in guesses),
    }  # fmt: skip
