"""Whether a record still is about the person it was about. Pure, rule R12 of docs/data-model.md.

Numbers are used again: a supplier gives a closed request's number to somebody else, an officer types a neighbouring
one. Then name and date of birth change at once, and merging that would write one person's life over another's. Nobody
is recognised by likeness here: the question is only whether everything that told who it was is different.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines.merge import Base, Known

#: The fields that tell who somebody is.
TELLING = ("person.nhs_number", "person.name.family", "person.name.given", "person.date_of_birth")
#: So many of them changed are somebody else even where one, such as a common first name, is the same.
_MANY = 3


def is_somebody_else(
    shown: Mapping[str, str], base: Base, facts: Mapping[str, Known], hash_of: Callable[[str, object], str]
) -> bool:
    """Say whether a record that belongs to a referral names another person.

    `shown`: the keyed hash of each field that the record shows. `base`: what we last saw and wrote there. `facts`: the
    referral's. A field that was empty or unknown before, or is now, tells nothing.
    """
    if all(name not in shown or shown[name] in base.get(name, ()) for name in TELLING):
        return False  # nearly always: nothing of it changed
    same = changed = 0
    for name in TELLING:
        mark = shown.get(name)
        if mark is None or mark == (nothing := hash_of(name, None)):
            continue
        seen, written = base.get(name, (None, None))
        if mark in (seen, written):
            same += 1
            continue
        known = facts.get(name)
        ours = hash_of(name, known[0]) if known is not None and known[0] is not None else None
        if mark == ours:
            same += 1
        elif {seen, written, ours} - {None, nothing}:
            changed += 1
    return changed >= 2 and (same == 0 or changed >= _MANY)
