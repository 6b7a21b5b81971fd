"""Writes that take several calls: what one operation cannot change is changed by others, before it and behind it.

What is to be done follows from what is wanted and what the system holds, so that a write whose second call failed can
be made again: what was done meanwhile is held, and is not done twice. A create is remembered until all that belongs to
it was sent, so that a second try adds what is missing and never makes a second record.
"""

from __future__ import annotations

import copy
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from connectors import xml
from connectors.errors import ConnectorError, Duplicate, Outdated, Rejected, Throttled, Unauthorised, Unreachable
from connectors.port import Item, Receipt, Record
from connectors.soap.profile import SoapRecord
from connectors.soap.profile_beside import Adds, Turn

_REMEMBERED = 1_000


class Writer(Protocol):
    """The single calls that a write is made of; each raises `connectors.errors`."""

    def create(self, kind: str, record: Record, key: str) -> Receipt:
        """Create the record."""

    def update(self, kind: str, record: Record, id: str, version: str) -> Receipt:
        """Change the record."""

    def step(self, kind: str, operation: str, content: Record) -> None:
        """Make a call whose answer says nothing but that it was done."""

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read the record."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call beside the create or the update. `field`: the path in the record that it is about."""

    operation: str
    content: Record = field(repr=False)
    field: str
    record: str = ""  # where in the request an item stands


class Beside:
    """Writes records of one kind. Safe to use from several threads at once."""

    def __init__(self, kind: str, told: SoapRecord, writer: Writer) -> None:
        self._kind = kind
        self._told = told
        self._writer = writer
        self._lock = threading.Lock()
        self._made: OrderedDict[str, str] = OrderedDict()

    def deliver(self, record: Record, *, key: str, id: str, version: str) -> Receipt:
        """See `connectors.port.Target`."""
        if not self._told.turns and not self._told.adds:
            sent = without(record, self._told.leave_out)
            if id:
                return self._writer.update(self._kind, sent, id, version)
            return self._writer.create(self._kind, sent, key)
        if not id and (made := self._known(key)):
            return self._update(record, made, "")
        return self._update(record, id, version) if id else self._create(record, key)

    def _create(self, record: Record, key: str) -> Receipt:
        sent = self._sent(record)
        turn = None
        if self._told.turns is not None:
            to = self._code(record)
            turn = next((one for one in self._told.turns.by if one.when == "after" and to in one.to), None)
        if turn is not None and self._told.turns is not None:
            sent = without(sent, [self._told.turns.at])
            if self._told.turns.begin is not None:
                self._say(sent, self._told.turns.begin)
        made = self._writer.create(self._kind, sent, key)
        steps = [*self._additions(record, {}, made.id), *self._turning(turn, record, made.id)]
        if not steps:
            return made
        self._remember(key, made.id)
        try:
            self._take(steps)
        except (Rejected, Throttled, Unauthorised):
            raise
        except ConnectorError as problem:
            # "Not done" is what may be tried again, and the next try finds the record and adds what is missing.
            raise Unreachable(f"{problem.reason}; the record was made, what belongs to it is sent next") from None
        self._forget(key)
        return self._as_it_is_now(made)

    def _update(self, record: Record, id: str, version: str) -> Receipt:
        held = self._held(id)
        if version and held.version and held.version != version:
            raise Outdated("the record changed after it was read; nothing was sent")
        wanted = self._sent(record)
        differs = wanted != self._sent(held.record) or self._code(record) != self._code(held.record)
        opening = self._turn("before", self._code(held.record), "") if differs else None
        if opening is not None:
            self._take(self._turning(opening, record, id))
            held = self._held(id)
        closing = self._turn("after", self._code(held.record), self._code(record))
        if closing is not None:
            self._say(wanted, self._code(held.record))  # closed once everything else is written
        receipt = Receipt(id, "nothing", held.version, held.modified)
        if wanted != self._sent(held.record):
            receipt = self._writer.update(self._kind, wanted, id, held.version)
        steps = [*self._additions(record, held.record, id), *self._turning(closing, record, id)]
        self._take(steps)
        if not steps and opening is None:
            return receipt
        return self._as_it_is_now(replace(receipt, effect="updated"))

    def _held(self, id: str) -> Item:
        held = self._writer.fetch(self._kind, id)
        if held is None:
            raise Outdated("the record is not there any more, or not yet; nothing was sent")
        return held

    def _sent(self, record: Record) -> Record:
        """What a create or an update sends of a record."""
        return without(record, [*self._told.leave_out, *(adds.at.removesuffix("[]") for adds in self._told.adds)])

    def _code(self, record: Record) -> str:
        return xml.text_at(record, self._told.turns.at) if self._told.turns is not None else ""

    def _say(self, sent: Record, code: str) -> None:
        """Let a create or an update carry a code, where it carries one at all."""
        if self._told.turns is not None and self._told.turns.at not in self._told.leave_out:
            xml.put(sent, self._told.turns.at, code)

    def _turn(self, when: str, now: str, to: str) -> Turn | None:
        """The operation that leads from one code to another; `to` "" for whichever it leads to."""
        if self._told.turns is None or now == to:
            return None
        fit = (turn for turn in self._told.turns.by if turn.when == when and now in turn.from_)
        return next((turn for turn in fit if not to or to in turn.to), None)

    def _turning(self, turn: Turn | None, record: Record, id: str) -> list[Step]:
        if turn is None or self._told.turns is None:
            return []
        content: Record = {}
        for path, text in turn.send.items():
            xml.put(content, path, text)
        for path, place in turn.take.items():
            if text := xml.text_at(record, place):
                xml.put(content, path, text)
        if turn.code is not None:
            xml.put(content, turn.code, xml.text_at(record, self._told.turns.at))
        xml.put(content, turn.id, id)
        return [Step(turn.operation, content, self._told.turns.at)]

    def _additions(self, wanted: Record, held: Record, id: str) -> list[Step]:
        steps = []
        for adds in self._told.adds:
            there = Counter(_known(adds, item) for item in xml.get(held, adds.at))
            for item in xml.get(wanted, adds.at):
                known = _known(adds, item)
                if there[known] > 0:
                    there[known] -= 1
                    continue
                content: Record = {}
                for path, text in adds.send.items():
                    xml.put(content, path, text)
                xml.put(content, adds.id, id)
                xml.put(content, adds.record, without(item, adds.leave_out) if isinstance(item, Mapping) else item)
                steps.append(Step(adds.operation, content, adds.at.removesuffix("[]"), adds.record))
        return steps

    def _take(self, steps: Sequence[Step]) -> None:
        for step in steps:
            try:
                self._writer.step(self._kind, step.operation, step.content)
            except Duplicate:
                continue  # there already is what was wanted
            except Rejected as problem:
                inner = problem.field.removeprefix(f"{step.record}/") if step.record else ""
                problem.field = f"{step.field}/{inner}" if inner and inner != step.record else step.field
                raise

    def _as_it_is_now(self, receipt: Receipt) -> Receipt:
        """The receipt with the version and the stamp that the last step left."""
        try:
            now = self._writer.fetch(self._kind, receipt.id)
        except ConnectorError:
            now = None  # all was done; that it cannot be read just now changes nothing
        return receipt if now is None else replace(receipt, version=now.version, modified=now.modified)

    def _known(self, key: str) -> str:
        with self._lock:
            return self._made.get(key, "")

    def _remember(self, key: str, id: str) -> None:
        with self._lock:
            self._made[key] = id
            while len(self._made) > _REMEMBERED:
                self._made.popitem(last=False)

    def _forget(self, key: str) -> None:
        with self._lock:
            self._made.pop(key, None)


def without(record: Mapping[str, Any], paths: Sequence[str]) -> Record:
    """A copy of a record without what stands at some paths; a group that is left empty goes too."""
    sent: Record = copy.deepcopy(dict(record))
    for path in paths:
        _drop(sent, path.split("/"))
    return sent


def _drop(record: Any, steps: Sequence[str]) -> None:
    for one in record if isinstance(record, list) else [record]:
        if not isinstance(one, dict) or steps[0] not in one:
            continue
        if len(steps) == 1:
            del one[steps[0]]
            continue
        _drop(one[steps[0]], steps[1:])
        if one[steps[0]] in ({}, [], [{}]):
            del one[steps[0]]


def _known(adds: Adds, item: Any) -> tuple[str, ...]:
    return tuple(xml.text_at(item if isinstance(item, Mapping) else {".": item}, path) for path in adds.known_by)
