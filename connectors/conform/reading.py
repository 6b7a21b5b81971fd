"""What the contract wants of reading. Every check is safe to repeat and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.conform.trial import Check, Departs, NotTried, Trial, count, words
from connectors.errors import ConnectorError, Misconfigured, Rejected, Unauthorised
from connectors.port import Connector, Item

NOBODY = "dolen-nobody"  # short, as many systems' numbers are
#: Numbers that nobody has, of the shapes that interfaces allow: the first that can be asked for is asked for.
NOBODIES = (NOBODY, "00000000-0000-4000-8000-00000d01e000")
AHEAD = timedelta(minutes=5)  # a stamp further in the future than this is no difference of clocks
_FEW = 5


def _first_page(trial: Trial) -> str:
    walked = trial.first
    if wrong := walked.unreadable:
        reasons = list(dict.fromkeys(one.reason for one in wrong))[:_FEW]
        raise Departs(f"{len(wrong)} of {len(wrong) + len(walked.items)} records cannot be read: {'; '.join(reasons)}")
    of = f"{count(len(walked.items), 'record')} on {count(len(walked.pages), 'page')}"
    return f"{of}, all as the pinned interface says"


def _ends(trial: Trial) -> str:
    walked = trial.first
    if not walked.whole:
        raise NotTried(f"the walk was not read to its end, but for {count(len(walked.pages), 'page')}")
    if walked.items and not walked.pages[-1].watermark:
        raise Departs("the walk ended without a place from which the next one could start")
    return f"the walk ended after {count(len(walked.pages), 'page')}"


def _once(trial: Trial) -> str:
    seen: dict[tuple[str, str, object], int] = {}
    for place, item in enumerate(trial.first.items, start=1):
        mark = (item.id, item.version, item.raw if not item.version else item.modified)
        if mark in seen:
            raise Departs(f"records {seen[mark]} and {place} of the walk are the same one in the same version")
        seen[mark] = place
    return f"{count(len(seen), 'record')}, each once"


def _again(trial: Trial) -> str:
    before = _marks(trial.first.items)
    after = _marks(trial.walk(trial.connector).items)
    missing = [id for id in before if id not in after]
    if missing:
        raise Departs(f"{len(missing)} of {len(before)} records were not shown when the same was asked again")
    return f"all {len(before)} records came again"


def _smaller(trial: Trial) -> str:
    whole = trial.first.pages[0].items
    one = trial.connector.changes(trial.kind, watermark="", limit=1).items
    if len(one) > 1:
        raise Departs(f"a page of 1 was asked for and {len(one)} came")
    if not whole:
        return "nothing is there, in either size"
    if not one:
        raise Departs("a page of 1 was asked for and none came, though there are records")
    if one[0].id != whole[0].id:
        raise Departs("a page of 1 begins with another record than a whole page")
    return "a page of 1 holds the record with which a whole page begins"


def _place(trial: Trial) -> str:
    pages = trial.first.pages
    if len(pages) < 2:
        pages = trial.walk(trial.connector, limit=1).pages[:2]
    if len(pages) < 2:
        raise NotTried("there are not enough records for a second page")
    limit = None if pages is trial.first.pages else 1
    with closing(trial.again()) as other:
        page = other.changes(trial.kind, watermark="", cursor=pages[0].cursor, limit=limit)
    if [one.id for one in page.items] != [one.id for one in pages[1].items]:
        raise Departs("the second page is another one when a new session asks for it")
    return "a new session was given the same second page"


def _boundary(trial: Trial) -> str:
    walked = trial.first
    if not walked.whole:
        raise NotTried(f"the walk was not read to its end, but for {count(len(walked.pages), 'page')}")
    if not trial.overlap:
        raise NotTried("this feed does not ask from a moment")
    stamps = [item.modified for item in walked.items if item.modified is not None]
    mark = walked.pages[-1].watermark
    if not stamps or not mark:
        raise NotTried("the system shows no record that could be read; put some invented ones in")
    newest = _moment(mark) or max(stamps)
    wanted = {item.id for item in walked.items if item.modified == newest}
    shown = {item.id for item in trial.walk(trial.connector, watermark=mark).items}
    if missing := wanted - shown:
        raise Departs(f"{len(missing)} of {len(wanted)} records that bear the last stamp were left out")
    return f"all {len(wanted)} records that bear the last stamp came again"


def _stamps(trial: Trial) -> str:
    items = trial.first.items
    latest = datetime.now(UTC) + AHEAD
    ahead = sum(1 for item in items if item.modified is not None and item.modified > latest)
    if ahead:
        raise Departs(f"{ahead} of {len(items)} records are stamped minutes ahead of our clock")
    if trial.overlap and (without := sum(1 for item in items if item.modified is None)):
        raise Departs(f"{without} of {len(items)} records bear no stamp")
    if trial.versioned and (without := sum(1 for item in items if not item.version)):
        raise Departs(f"{without} of {len(items)} records bear no version")
    return f"{count(len(items), 'record')} with stamps that can be"


def _fetched(trial: Trial) -> str:
    some = trial.some()
    for item in some:
        held = trial.held(item.id)
        if held.id != item.id:
            raise Departs("another record came than the one that was asked for")
        if held.version == item.version and (differ := differing(item.record, held.record) - trial.moving):
            raise Departs(f"read alone the same version differs at {listed(differ)}")
    return f"{count(len(some), 'record')} read alone, as the list shows them"


def _nobody(trial: Trial) -> str:
    if _nobodys(trial.connector, trial.kind) is not None:
        raise Departs("a record came for a number that nobody has")
    return "it says that there is none"


def _nobodys(connector: Connector, kind: str) -> Item | None:
    """What comes for a number that nobody has. Raises NotTried where the interface allows none, ConnectorError."""
    for id in NOBODIES:
        try:
            return connector.fetch(kind, id)
        except Rejected as refused:
            if refused.reply:
                raise
    raise NotTried("the interface allows no number that nobody could have; nothing was sent")


def _found_nothing(trial: Trial) -> str:
    if found := trial.connector.find(trial.kind, NOBODY):
        raise Departs(f"{len(found)} records came for a key that was never given")
    return "it finds none"


def _found(trial: Trial) -> str:
    keyed = [item for item in trial.first.items if item.our_key and not item.deleted][:3]
    if not keyed:
        raise NotTried("no record that the walk showed bears a key of ours")
    for item in keyed:
        if item.id not in [one.id for one in trial.connector.find(trial.kind, item.our_key)]:
            raise Departs("a record that bears a key of ours is not found by it")
    return f"{count(len(keyed), 'record')} found by the key that it bears"


def _codes(trial: Trial) -> str:
    paths = trial.connector.lookups(trial.kind)
    if not paths:
        raise NotTried("the profile names no list of codes")
    for path in paths:
        codes = [one.code for one in trial.connector.codes(trial.kind, path)]
        if not codes or not all(codes):
            raise Departs(f"the codes of {path}: {len(codes)} rows, {codes.count('')} of them without a code")
        if twice := sum(1 for number in Counter(codes).values() if number > 1):
            raise Departs(f"the codes of {path}: {twice} stand there more than once")
    return f"{len(paths)} lists of codes, none empty"


def _wrong_login(trial: Trial) -> str:
    if trial.stranger is None:
        raise NotTried("the connection has no secret that could be wrong")
    try:
        with closing(trial.stranger()) as other:
            offered = other.offers(trial.kind)
            if "changes" in offered:
                other.changes(trial.kind, watermark="", limit=1)
            elif "find" in offered:
                other.find(trial.kind, NOBODY)
            elif "fetch" in offered:
                _nobodys(other, trial.kind)
            else:
                raise NotTried("the profile offers nothing that could be read with a wrong secret")
    except Unauthorised:
        return "it refuses the login"
    except Misconfigured:
        raise NotTried("a wrong secret of this kind cannot be made up") from None
    except ConnectorError as error:
        raise Departs(f"a wrong login is not refused as one ({words(error)})") from None
    raise Departs("a wrong login was let in")


def differing(one: Any, other: Any) -> set[str]:
    """The names of the fields at the top of two records in which they differ."""
    return {str(name) for name in {*one, *other} if one.get(name) != other.get(name)}


def listed(names: Iterable[str]) -> str:
    """Names of fields in a sentence."""
    found = sorted(names)
    return ", ".join(found[:_FEW]) + (f" and {len(found) - _FEW} more" if len(found) > _FEW else "")


def _marks(items: Iterable[Item]) -> set[str]:
    return {item.id for item in items}


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


_WALK = frozenset({"changes"})
READING = (
    Check("every record can be read", "all changes from the beginning",
          "each record is valid against the pinned interface", _WALK, _first_page),
    Check("a walk ends", "all changes from the beginning",
          "the pages come to an end, with a place from which the next walk starts", _WALK, _ends),
    Check("each record comes once", "all changes from the beginning",
          "no record stands twice in one walk in the same version", _WALK, _once),
    Check("the same comes again", "the same changes once more",
          "what was shown is shown again: reading takes nothing away", _WALK, _again),
    Check("the size of a page is kept", "a first page of 1 record",
          "no more than was asked for, beginning at the same place", _WALK, _smaller),
    Check("a place outlives a session", "the second page, from a new session",
          "the place named by the first page leads a later process to the same records", _WALK, _place),
    Check("equal stamps at the boundary", "changes from the last stamp on",
          "asking from a moment includes that moment; else what is written in the same instant is never seen", _WALK,
          _boundary),
    Check("stamps and versions", "all changes from the beginning",
          "every record bears the stamp and the version that the profile names, and none lies ahead", _WALK, _stamps),
    Check("read alone it is the same", "single records by the numbers that the list shows",
          "the same version has the same fields, alone or in a list", frozenset({"changes", "fetch"}), _fetched),
    Check("what is not there", "a single record by a number that nobody has",
          "a plain answer that there is none, and no error of the server", frozenset({"fetch"}), _nobody),
    Check("a key that was never given", "records that bear a key of ours which was never given",
          "an empty answer", frozenset({"find"}), _found_nothing),
    Check("found by our key", "records by the keys of ours that they bear",
          "what bears a key is found by it", frozenset({"changes", "find"}), _found),
    Check("lists of codes", "the lists of codes that the profile names",
          "each has rows, each row a code, and no code stands twice", frozenset(), _codes),
    Check("a wrong login", "one page, with a secret that is wrong",
          "a refusal that says so (401 or the interface's own), and nothing else", frozenset(), _wrong_login,
          risky=True),
)  # fmt: skip
