"""Facts: a referral seen as a flat dict from field path to JSON value. Facts are what is compared and merged.

A path that is not there is unknown; None is known to be empty, and an empty list, object or text is spelled None too.
`assemble` makes the nested referral of them, `facts_of` goes back. Both plan once per set of paths: while records
flow, no path is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from mappings.assembly import Plan, plan_for, reader_for, tidy
from mappings.fieldpaths import group, normalise, sensitivity
from mappings.language import Language
from mappings.meta import Json
from mappings.referral import Referral

__all__ = ["Facts", "Refused", "assemble", "facts_of", "group", "normal", "sensitivity"]

Facts = Mapping[str, Json]

# Fields whose declaration has a value for "not known": there None and that value are the same fact.
_STANDS_FOR_NONE = {"language.correspondence": Language().correspondence}

#: The plan used last for so many facts; one entry for each number of them.
_lately: dict[int, tuple[tuple[str, ...], Plan]] = {}
#: What `Referral.model_validate` itself calls, without the switches around it that nobody sets here.
_validated: Callable[[Any], Referral] = Referral.__pydantic_validator__.validate_python
_NO_VALUE = "no value, and there is no referral without one"


class Refused(ValueError):
    """What breaks identity, or a value of a shape that its field cannot hold. `problems`: (path, what was expected)."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{path}: {expected}" for path, expected in self.problems))


def assemble(facts: Facts, given: Mapping[str, Json]) -> Referral:
    """The referral of these facts and of what the ledger owns (`given`: referral_id, council, source_identifiers ...).

    `given` uses top-level field names and wins over facts. Members of a list that filters name come in the order of
    their paths, after those of a whole list. Raises Refused; BadPath for a path that is none.
    """
    keys = tuple(facts)
    kept = _lately.get(len(keys))  # looking at the same names again is quicker than hashing them
    if kept is None or kept[0] != keys:
        kept = _lately[len(keys)] = (keys, plan_for(keys))
    nested = kept[1].nest(facts)
    nested.update(given)
    if "correlation_id" not in nested:
        nested["correlation_id"] = nested.get("referral_id")
    try:
        return _validated(nested)
    except ValidationError as error:
        problems = [
            (".".join(str(part) for part in found["loc"]), _NO_VALUE if found["type"] == "missing" else found["msg"])
            for found in error.errors(include_input=False, include_context=False, include_url=False)
        ]
    raise Refused(problems)  # outside the except: pydantic's own error holds the values


def facts_of(referral: Referral, paths: Iterable[str]) -> dict[str, Json]:
    """The value at each path, None where the referral has none. Raises BadPath for a path that is none."""
    return {path: read(referral) for path, read in _readers(tuple(paths))}


@lru_cache(maxsize=256)  # one entry a mapping
def _readers(paths: tuple[str, ...]) -> tuple[tuple[str, Callable[[Referral], Json]], ...]:
    return tuple((path, reader_for(path)) for path in paths)


def normal(facts: Facts) -> dict[str, Json]:
    """The same facts in their one spelling: normalised paths; empty text, list and object as None.

    `facts_of(assemble(f, given), normal(f)) == normal(f)` for every f without two paths to one place, save for the
    fields that `given` has.
    """
    spelled = {}
    for path, value in facts.items():
        name = normalise(path)
        spelled[name] = _STANDS_FOR_NONE.get(name) if (tidied := tidy(value)) is None else tidied
    return spelled
