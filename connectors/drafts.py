"""A first draft of a profile, made from what a supplier gives: WSDL, OpenAPI, JSON Schema or sample records.

Everything in a draft is a guess by names and types, and says so. What is written here is for a person to go through;
what nobody could guess stands in the profile as a comment with the candidates. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]
Read = Callable[[str], bytes]  # the bytes of a file beside the one that the draft begins from; LookupError if none

SURE, LIKELY, UNSURE = "sure", "likely", "unsure"
_DEEPEST = 6  # of a record below an operation; deeper than any interface that we have seen
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class NoDraft(ValueError):
    """Nothing can be drafted from the file. The message says what it lacks, never a value of it."""


@dataclass(frozen=True, slots=True)
class DraftKind:
    """One kind of record. `read` and `create` are in the neutral form of an interface; `ours` fills the connector."""

    name: str
    read: Schema = field(repr=False)
    create: Schema | None = field(default=None, repr=False)
    ours: frozenset[str] = frozenset()
    id: str = ""  # path of the record's id, "" where it is not known


@dataclass(frozen=True, slots=True)
class Draft:
    """What can be said of a system from one file."""

    system: str
    protocol: str  # "" where the file does not say how the system is spoken to; then there is no profile
    kinds: tuple[DraftKind, ...]
    profile: str = ""  # text of profiles/SYSTEM.yaml
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)  # to be pinned, by name under interfaces/
    notes: tuple[str, ...] = ()
    certain: bool = True  # False: from samples, which show what was there and not what may be


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value in a record or a message, with the path that leads there."""

    path: str
    schema: Schema = field(repr=False)
    many: bool = False

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path.rsplit("/", 1)[-1]


def words(name: str) -> list[str]:
    """The words of a name, in small letters: `LastChangedOn` and `last_changed_on` alike."""
    return [word.lower() for word in _WORDS.findall(name)]


def squeezed(name: str) -> str:
    """The words of a name without anything between them."""
    return "".join(words(name))


def types(schema: Schema) -> frozenset[str]:
    """The types that a schema allows, without null."""
    told = schema.get("type", ())
    names = [told] if isinstance(told, str) else list(told)
    return frozenset(names) - {"null"}


def is_moment(schema: Schema) -> bool:
    """Whether a value is a date with its time."""
    return schema.get("x-lexical") == "dateTime" or schema.get("format") == "date-time"


def is_time(schema: Schema) -> bool:
    """Whether a value is a date, with or without its time."""
    return is_moment(schema) or schema.get("x-lexical") == "date" or schema.get("format") == "date"


def is_flag(schema: Schema) -> bool:
    """Whether a value is yes or no."""
    return schema.get("x-lexical") == "boolean" or types(schema) == {"boolean"}


def is_number(schema: Schema) -> bool:
    """Whether a value is a whole number."""
    return schema.get("x-lexical") == "integer" or types(schema) == {"integer"}


def is_leaf(schema: Schema) -> bool:
    """Whether nothing is inside."""
    return "properties" not in schema and "items" not in schema


def leaves(schema: Schema, at: str = "", deep: int = _DEEPEST) -> Iterator[Leaf]:
    """Every value below a schema, those of lists too."""
    for name, inner in schema.get("properties", {}).items():
        path = f"{at}/{name}" if at else name
        many = "items" in inner
        one = inner["items"] if many else inner
        if is_leaf(one):
            yield Leaf(path, one, many)
        elif deep > 1 and not many:
            yield from leaves(one, path, deep - 1)


def places(schema: Schema, of: str, at: str = "", deep: int = _DEEPEST) -> Iterator[tuple[str, bool]]:
    """Where a type stands below a schema: path, and whether there may be several."""
    for name, inner in schema.get("properties", {}).items():
        path = f"{at}/{name}" if at else name
        many = "items" in inner
        one = inner["items"] if many else inner
        if one.get("x-type") == of:
            yield path, many
        elif deep > 1 and not many:
            yield from places(one, of, path, deep - 1)


def must(schema: Schema, path: str) -> bool:
    """Whether a value has to be there, and everything around it too."""
    for step in path.split("/"):
        if step not in schema.get("required", ()):
            return False
        schema = schema["properties"][step]
    return True


def inside(schema: Schema, path: str) -> Schema:
    """The schema at a path, items of a list taken."""
    for step in path.removesuffix("[]").split("/"):
        schema = schema["properties"][step]
        schema = schema.get("items", schema)
    return schema


# --- What stands in every record --------------------------------------------------------------------------------------

_VERSIONS = {"version", "rowversion", "recordversion", "revision", "versionnumber", "versionno", "etag", "locktoken"}
_CHANGED = {"modified", "changed", "updated", "amended", "lastupdate", "lastchange", "lastmodification"}
_FOREIGN = {
    "our",
    "client",
    "external",
    "partner",
    "third",
    "foreign",
    "caller",
    "your",
    "sender",
    "originating",
    "source",
}
_REFERENCE = {"reference", "ref", "id", "key", "number", "identifier", "no"}


def the_id(kind: str, record: Schema, asked: Iterable[str] = ()) -> tuple[str, str]:
    """The path of the record's own id, and how sure. `asked`: names by which one record is fetched."""
    could = [leaf for leaf in leaves(record, deep=2) if not leaf.many and not is_time(leaf.schema)]
    found = sorted(could, key=lambda leaf: leaf.path.count("/"))  # its own before that of a group in it
    wanted = [squeezed(name) for name in asked]
    for leaf in found:
        if squeezed(leaf.name) in wanted:
            return leaf.path, SURE
    own = squeezed(kind)
    names = [f"{own}{end}" for end in ("id", "identifier", "number", "no", "ref", "reference", "guid")]
    for name in ["id", *names, "identifier", "uniqueid", "recordid", "uuid", "guid", "reference"]:
        for leaf in found:
            if squeezed(leaf.name) == name:
                return leaf.path, LIKELY
    return "", UNSURE


def the_version(record: Schema) -> tuple[str, str]:
    """The path of the version token, and how sure."""
    for leaf in leaves(record, deep=2):
        if squeezed(leaf.name) in _VERSIONS and not leaf.many and not is_time(leaf.schema):
            return leaf.path, SURE if "/" not in leaf.path else LIKELY
    return "", UNSURE


def the_stamp(record: Schema) -> tuple[str, str]:
    """The path of the moment of the last change, and how sure."""
    best, sure = "", UNSURE
    for leaf in leaves(record, deep=2):
        said = words(leaf.name)
        if leaf.many or not is_moment(leaf.schema) or not (_CHANGED & {*said, "".join(said)}):
            continue
        if "last" in said or (len(said) <= 2 and not {"status", "reason"} & set(said)):
            return leaf.path, SURE if "/" not in leaf.path else LIKELY
        best, sure = best or leaf.path, UNSURE
    return best, sure


def the_key(record: Schema, asked: Iterable[str] = ()) -> tuple[str, str]:
    """The path where the system keeps a caller's key, and how sure. `asked`: names by which records are found."""
    wanted = [squeezed(name) for name in asked]
    could = [leaf for leaf in leaves(record, deep=2) if not leaf.many and "string" in types(leaf.schema)]
    for leaf in could:
        if squeezed(leaf.name) in wanted and _FOREIGN & set(words(leaf.name)):
            return leaf.path, SURE
    for leaf in could:
        said = set(words(leaf.name))
        if _FOREIGN & said and _REFERENCE & said:
            return leaf.path, LIKELY
    return "", UNSURE


def is_foreign(name: str) -> bool:
    """Whether a name reads as somebody else's reference: ours, seen from the system."""
    said = set(words(name))
    return bool(_FOREIGN & said) and bool(_REFERENCE & said)


# --- What the words of errors and operations mean ---------------------------------------------------------------------

_ERRORS = (
    ("not_there", ("notfound", "nosuch", "unknownrecord", "doesnotexist")),
    ("duplicate", ("duplicate", "alreadyexists", "exists")),
    ("outdated", ("conflict", "concurren", "stale", "outdated", "version", "precondition", "optimistic")),
    ("unauthorised", ("unauthor", "accessdenied", "forbidden", "security", "authentication", "login", "token")),
    ("throttled", ("throttl", "toomany", "ratelimit", "busy")),
    ("rejected", ("valid", "reject", "badrequest", "schema", "business")),
)

VERBS = {
    "changes": ("find", "search", "list", "query", "changes", "changed", "modified", "updated", "since", "poll"),
    "fetch": ("get", "read", "retrieve", "fetch", "load", "view", "details"),
    "create": ("create", "add", "insert", "new", "submit", "register", "raise", "make", "upsert", "save", "store"),
    "update": ("update", "amend", "modify", "change", "edit", "patch", "replace", "save", "store"),
    "find": ("find", "search", "lookup", "get", "query", "list", "by"),
}


def meaning(error: str) -> str:
    """What an error's name probably means, in the profile's words; "" where nothing can be said."""
    name = squeezed(error)
    return next((means for means, signs in _ERRORS if any(sign in name for sign in signs)), "")


def says(use: str, name: str) -> int:
    """How well an operation's name says a use: 2 as its first word, 1 further on."""
    said = words(name)
    if said and said[0] in VERBS[use]:
        return 2
    return 1 if set(said) & set(VERBS[use]) else 0


def guess(line: str, sure: str, why: str = "") -> str:
    """A line of YAML with its comment: a guess, and how sure."""
    return f"{line.ljust(48)}  # guess, {sure}{': ' + why if why else ''}"


def asked(line: str, why: str) -> str:
    """A commented line, for what nobody could guess."""
    indent = len(line) - len(line.lstrip())
    return f"{line[:indent]}# {line.lstrip().ljust(46 - indent)}  # {why}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Candidates, few enough to read."""
    found = list(dict.fromkeys(names))
    return (", ".join(found[:most]) + (" ..." if len(found) > most else "")) or "none found"
