"""How whole inputs are spoilt by chance: as bytes, as words, and as what they are (JSON, XML, lines of text).

Bytes that are cut anywhere seldom get past a parser's first look. So most inputs are changed by their own structure and
stay well formed: a value is another kind of value, a key or an element is gone, doubled, renamed or elsewhere, two
inputs are crossed. A pool begins with a door's seeds; `long_run.py --lines` puts in each input that reached a line that
none had reached before, and later ones are made of it: so they are guided to the lines behind it.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

from lxml import etree

from tests.doors.door import Door

#: No input of a pool is longer, and no pool holds more: an input is to be quick.
LONGEST, MOST = 20_000, 400
_TOKEN = re.compile(rb"[A-Za-z0-9_]+|\s|[^A-Za-z0-9_\s]")
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 10**30, "", " ", "x", "x" * 2000, "a\nb", "\u0000", "\u202e", [], {}, [[]],
    [None], {"": ""}, "2026-02-30", "2026-11-30T10:00:00Z", "0", "-0", "1:2", "T", "true", "#/components/schemas/Case",
    "https://casework.example.org/x",
)  # fmt: skip
_NUMBERS = (b"0", b"-1", b"1", b"2", b"00", b"99999999999999999999", b"1.5", b"1e9", b"65536")
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
Change = Callable[[random.Random, bytes, bytes], bytes]


class Pool:
    """What the inputs of one door are made of."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._kept = list(door.seeds)

    def keep(self, content: bytes) -> None:
        """Make later inputs of this one too."""
        if len(content) <= LONGEST and len(self._kept) < MOST:
            self._kept.append(content)

    def spoilt(self, chance: random.Random) -> bytes:
        """One input."""
        kind = chance.randrange(10)
        if kind == 0:
            return chance.randbytes(chance.randrange(300))
        found = self._kept[len(self._door.seeds) :]
        whole = chance.choice(found if found and chance.randrange(2) else self._kept)
        if kind < 8:
            for _ in range(1 + chance.randrange(2)):
                whole = self._changed(chance, whole)
        return whole if 2 <= kind < 7 else self._as_bytes(chance, whole)

    def _changed(self, chance: random.Random, whole: bytes) -> bytes:
        other = chance.choice(self._kept)
        as_it_is = _structured(whole)
        change = as_it_is if as_it_is is not None and chance.randrange(4) else chance.choice((_words, _lines, _crossed))
        with suppress(ValueError, RecursionError, etree.Error):  # a change that this input does not admit
            made = change(chance, whole, chance.choice(self._door.words) if chance.randrange(2) else other)
            return made if len(made) <= 4 * LONGEST else whole
        return whole

    def _as_bytes(self, chance: random.Random, whole: bytes) -> bytes:
        body = bytearray(whole)
        for _ in range(chance.randrange(6)):
            at = chance.randrange(len(body) + 1)
            match chance.randrange(5):
                case 0 | 1:
                    body[at:at] = chance.choice(self._door.words)
                case 2:
                    del body[at : at + chance.randrange(1, 41)]
                case 3:
                    body[at : at + 1] = chance.randbytes(chance.randrange(4))
                case _:
                    body[at:at] = body[at : at + chance.randrange(1, 201)]
        return bytes(body)


def _structured(whole: bytes) -> Change | None:
    """By what structure an input is changed, if it has one."""
    first = whole.lstrip()[:1]
    return _json if first in (b"{", b"[") else _xml if first == b"<" else None


def _json(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """Change values, keys and places, and write it whole again; of several lines of JSON, one. Raises ValueError where
    it is no JSON."""
    try:
        found = json.loads(whole)
    except ValueError:
        several = whole.splitlines(keepends=True)
        if len(several) < 2:
            raise
        at = chance.randrange(len(several))
        several[at] = _json(chance, several[at], other) + b"\n"
        return b"".join(several)
    spare: list[Any] = list(_ODD)
    with suppress(ValueError, RecursionError):
        spare.append(json.loads(other))
    for _ in range(1 + chance.randrange(3)):
        holders = _holders(found)
        if not holders:
            return json.dumps(chance.choice(spare)).encode()
        held = chance.choice(holders)
        keys: list[Any] = list(held) if isinstance(held, dict) else list(range(len(held)))
        giver = chance.choice(holders)
        values = list(giver.values()) if isinstance(giver, dict) else giver
        given = deepcopy(chance.choice(values)) if values and chance.randrange(2) else deepcopy(chance.choice(spare))
        if not keys or not chance.randrange(8):
            _put_in(chance, held, given, holders)
            continue
        key = chance.choice(keys)
        match chance.randrange(5):
            case 0 | 1:
                held[key] = given
            case 2:
                del held[key]
            case 3:
                held[key] = [held[key]] if chance.randrange(2) else {"a": held[key]}
            case _:
                _put_in(chance, held, held[key] if isinstance(held, dict) else deepcopy(held[key]), holders)
    made = json.dumps(found, ensure_ascii=bool(chance.randrange(2)))
    return made.encode("utf-8", "surrogatepass")


def _holders(whole: Any) -> list[Any]:
    found, waiting = [], [whole]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            found.append(one)
            waiting += one.values() if isinstance(one, dict) else one
    return found


def _put_in(chance: random.Random, held: Any, given: Any, holders: list[Any]) -> None:
    """Add to a list, or under a key that some object of this input has."""
    if isinstance(held, list):
        held.insert(chance.randrange(len(held) + 1), given)
        return
    names = sorted({name for one in holders if isinstance(one, dict) for name in one} | {"id", "", "$ref"})
    held[chance.choice(names)] = deepcopy(given)


def _xml(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """Change elements, and write it whole again. Raises etree.Error where it is no XML, ValueError for a bad name."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(whole, parser)
    for _ in range(1 + chance.randrange(3)):
        nodes = [node for node in root.iter() if isinstance(node.tag, str)]
        node, there = chance.choice(nodes), chance.choice(nodes)
        above = node.getparent()
        match chance.randrange(8):
            case 0 if above is not None:
                above.remove(node)
            case 1:
                there.append(deepcopy(node))
            case 2:
                node.tag = there.tag
            case 3:
                node.text = str(chance.choice(_ODD)).replace("\x00", "")[:2000]
            case 4:
                node.set(chance.choice(["id", "type", "name", _NIL]), "true")
            case 5:
                for name in list(node.attrib):
                    if chance.randrange(2):
                        del node.attrib[name]
                    else:
                        node.set(name, chance.choice(["", "0", "unbounded", "xs:int", "tns:x", "x" * 300]))
            case 6:
                node.tag = etree.QName(node).localname
            case _:
                with suppress(etree.Error):
                    there.append(etree.fromstring(other, parser))
    encoding = chance.choice(["utf-8", "utf-8", "iso-8859-1", "utf-16"])
    return etree.tostring(root, encoding=encoding, xml_declaration=True)


def _words(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """Change it word by word and sign by sign."""
    found, theirs = _TOKEN.findall(whole), _TOKEN.findall(other) or [b""]
    for _ in range(1 + chance.randrange(4)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(6):
            case 0:
                del found[at : at + 1 + chance.randrange(3)]
            case 1:
                found[at:at] = found[at : at + 1 + chance.randrange(8)]
            case 2:
                found[at : at + 1] = [chance.choice(_NUMBERS)]
            case 3:
                found[at : at + 1] = [chance.choice(theirs)]
            case 4:
                found[at : at + 1] = [chance.choice(found)] if found else []
            case _:
                found[at:at] = [other]
    return b"".join(found)


def _lines(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """Change it line by line."""
    found = whole.splitlines(keepends=True) or [b""]
    for _ in range(1 + chance.randrange(3)):
        at = chance.randrange(len(found))
        match chance.randrange(4):
            case 0 if len(found) > 1:
                del found[at]
            case 1:
                found.insert(at, chance.choice(found))
            case 2:
                found[at] = found[at].rstrip(b"\r\n") + chance.choice([b"", b"\r", b"\r\n", b"\n\n"])
            case _:
                found.insert(at, chance.choice(other.splitlines(keepends=True) or [b"\n"]))
    return b"".join(found)


def _crossed(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """The beginning of one and the end of another."""
    return whole[: chance.randrange(len(whole) + 1)] + other[chance.randrange(len(other) + 1) :]
