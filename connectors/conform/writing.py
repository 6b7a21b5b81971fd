"""What the contract wants of writing. Each check makes invented records, which stay in the system and are listed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connectors.conform.reading import NOBODY, differing, listed
from connectors.conform.trial import Check, Departs, Made, NotTried, Trial, count, words
from connectors.errors import ConnectorError, Misconfigured, NotThere, Outdated, Rejected
from connectors.port import Item, Record, Tier

MARK = "dolen conform: prawf, nid cais go iawn / a test, not a real request"
LONG = 1_000_000  # characters of the text that is too long for most systems


def _created(trial: Trial) -> str:
    id, _ = trial.create(MARK)
    if "fetch" in trial.connector.offers(trial.kind):
        trial.held(id)
    return "the answer names the record, and it is there"


def _kept(trial: Trial) -> str:
    sent = trial.record(MARK)
    id, _ = trial.create(MARK)
    held = trial.held(id).record
    if lost := {path for path, value in _leaves(sent) if not _stands(held, path, value)}:
        raise Departs(f"what was sent does not stand there as it was sent: {listed(lost)}")
    return "every field stands there as it was sent"


def _by_key(trial: Trial) -> str:
    id, key = trial.create(MARK)
    found = trial.connector.find(trial.kind, key)
    if [one.id for one in found] != [id]:
        raise Departs(f"{len(found)} records are found by the key of one that was just made")
    return "it is found by its key, alone"


def _shown(trial: Trial) -> str:
    before = trial.walk(trial.connector)
    if not before.whole:
        raise NotTried(f"the walk was not read to its end, but for {count(len(before.pages), 'page')}")
    id, _ = trial.create(MARK)
    after = trial.walk(trial.connector, watermark=before.pages[-1].watermark)
    if id not in [item.id for item in after.items]:
        raise Departs("the next walk does not show a record that was made after the last one")
    return "the next walk shows it"


def _twice(trial: Trial) -> str:
    if trial.connector.tier(trial.kind) is not Tier.KEEPS_KEY:
        raise NotTried("the profile does not say that the system makes one record of one key")
    id, key = trial.create(MARK)
    try:
        second, _ = trial.create(MARK, key=key)
    except ConnectorError as error:
        if type(error).__name__ != "Duplicate":
            raise
        second = id
    return _one(trial, key, {id, second})


def _at_once(trial: Trial) -> str:
    if trial.connector.tier(trial.kind) is not Tier.KEEPS_KEY:
        raise NotTried("the profile does not say that the system makes one record of one key")
    key, record = trial.new_key(), trial.record(MARK)

    def send() -> str:
        try:
            return trial.connector.deliver(trial.kind, record, key=key).id
        except ConnectorError:
            return ""  # that one of the two is refused is well

    with ThreadPoolExecutor(2) as pool:
        ids = {done.result() for done in [pool.submit(send), pool.submit(send)]} - {""}
    trial.made += [Made(trial.kind, id, key) for id in sorted(ids)]
    if not ids:
        raise Departs("of two creates with one key that came at once neither was done")
    return _one(trial, key, ids)


def _one(trial: Trial, key: str, ids: set[str]) -> str:
    if "find" in trial.connector.offers(trial.kind):
        ids = ids | {one.id for one in trial.connector.find(trial.kind, key)}
    if len(ids) != 1:
        raise Departs(f"two creates with one key made {len(ids)} records")
    return "one record came of two creates with one key"


def _updated(trial: Trial) -> str:
    id, key = trial.create(MARK)
    before = trial.held(id)
    _update(trial, before, key, "the second text")
    after = trial.held(id)
    changed = _changed(trial)
    moved = differing(before.record, after.record) - changed - trial.moving
    if moved:
        raise Departs(f"an update of {listed(changed)} also changed {listed(moved)}")
    if not differing(before.record, after.record) & changed:
        raise Departs(f"an update of {listed(changed)} was answered as done, and nothing changed")
    return "what was sent is changed, and nothing else is"


def _stale(trial: Trial) -> str:
    if not trial.versioned:
        raise NotTried("the profile names no version: whoever writes last wins, and nobody is told")
    id, key = trial.create(MARK)
    first = trial.held(id)
    if not first.version:
        raise NotTried("the system gives its records no version")
    _update(trial, first, key, "the second text")
    second = trial.held(id)
    try:
        _update(trial, first, key, "a third text, made from the first version")
    except Outdated:
        pass
    else:
        raise Departs("an update made from an old version was done: a newer text is lost")
    if differing(second.record, trial.held(id).record):
        raise Departs("an update that was refused as outdated changed the record all the same")
    return "it is refused as outdated, and nothing changed"


def _to_nobody(trial: Trial) -> str:
    try:
        trial.connector.deliver(trial.kind, trial.record(MARK), key=trial.new_key(), id=NOBODY, version="1")
    except (NotThere, Rejected, Outdated) as error:
        return f"it is refused ({type(error).__name__})"
    raise Departs("an update of a record that is not there was answered as done")


def _long(trial: Trial) -> str:
    text, key = "x" * LONG, trial.new_key()
    record = trial.record(MARK)
    place = next((path for path, value in _leaves(record) if value == MARK), "")
    if not place:
        raise NotTried("the invented record has no free text that could be too long")
    *way, last = place.split("/")
    inner = record
    for step in way:
        inner = inner[step]
    inner[last] = text
    try:
        id = trial.write(record, key)
    except Misconfigured:
        raise
    except ConnectorError as error:
        if "find" in trial.connector.offers(trial.kind) and trial.connector.find(trial.kind, key):
            raise Departs(f"a text of {LONG} characters was refused ({words(error)}), and a record is there") from None
        return f"it is refused ({type(error).__name__}), and nothing was made"
    if not any(value == text for _, value in _leaves(trial.held(id).record)):
        raise Departs(f"a text of {LONG} characters was answered as done, and does not stand there whole")
    return f"a text of {LONG} characters stands there whole"


def _update(trial: Trial, held: Item, key: str, text: str) -> None:
    """Write another text onto a record as the movement does: onto what is held, or what changes alone."""
    record = trial.record(text)
    changed = {name: record[name] for name in _changed(trial)}
    if trial.connector.reads_first(trial.kind):
        changed = {**held.record, **changed}
    trial.connector.deliver(trial.kind, changed, key=key, id=held.id, version=held.version)


def _changed(trial: Trial) -> set[str]:
    """The fields at the top of a record that hold the text."""
    found = differing(trial.record("one text"), trial.record("another text"))
    if not found:
        raise NotTried("the invented record has no free text that could be changed")
    return found


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}/{name}" if path else str(name))
    elif value not in (None, "", []) and not isinstance(value, list):
        yield path, value


def _stands(record: Record, path: str, value: Any) -> bool:
    """Whether a value stands at a path, in whatever spelling of true, false and numbers."""
    found: Any = record
    for step in path.split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found == value or _plain(found) == _plain(value)


def _plain(value: Any) -> str:
    return str(value).strip().lower()


_CREATE, _UPDATE = frozenset({"create"}), frozenset({"create", "update", "fetch"})
WRITING = (
    Check("create", "one new record", "an answer that names the record, and the record is there", _CREATE, _created,
          writes=True),
    Check("nothing is lost in a create", "one new record, read back", "every field as it was sent",
          frozenset({"create", "fetch"}), _kept, writes=True),
    Check("found by the key it was made with", "a new record, by its key", "that record alone",
          frozenset({"create", "find"}), _by_key, writes=True),
    Check("a new record is a change", "changes since the last walk", "the record that was made after it",
          frozenset({"create", "changes"}), _shown, writes=True),
    Check("create twice", "the same create again, with the same key", "one record", _CREATE, _twice, writes=True),
    Check("create twice at once", "two creates with one key at the same moment", "one record", _CREATE, _at_once,
          writes=True),
    Check("an update keeps the rest", "an update of one field", "every other field as it was", _UPDATE, _updated,
          writes=True),
    Check("an update out of order", "an update made from an old version", "a refusal as outdated", _UPDATE, _stale,
          writes=True),
    Check("an update of nothing", "an update of a record that is not there", "a refusal, and no new record",
          frozenset({"create", "update"}), _to_nobody, writes=True),
    Check("a text that is too long", f"a new record with a text of {LONG} characters",
          "a refusal, or the whole text; never a part of it", frozenset({"create", "fetch"}), _long, writes=True),
)  # fmt: skip
