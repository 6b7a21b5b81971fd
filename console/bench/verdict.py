"""The verdict of a bench: what was typed, against what the systems hold. It never asks Dolen's mapping or its ledger.

Every version that somebody typed ends in one class. Delivered: the other system was given it. Superseded: a newer one
of the same record took its place. Held: a person had to say whether it had arrived (tier C alone). Attention: it bears
a code that nobody has mapped. What is in none of them is lost or stale, and that is what the bench is for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]

CLASSES = ("delivered", "superseded", "held", "attention")
FAULTS = ("lost", "doubled", "stale", "wiped", "stuck")
COUNTED = ("versions", *CLASSES, *FAULTS)
#: What staff at the desk own; a mobile may be corrected in care too.
OF_THE_DESK = ("kind", "priority", "team", "received_at", "reason", "safeguarding", "restricted")
OF_THE_PERSON = ("last_name", "first_names", "date_of_birth")
OF_CARE = ("status", "status_reason")


@dataclass(frozen=True, slots=True)
class Offence:
    """One thing that is wrong. `number`: the request's number at its desk, by which Dolen tells its story."""

    what: str
    tier: str
    token: str
    number: str
    words: str


@dataclass(slots=True)
class Verdict:
    """What came of a run."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    by_tier: dict[str, dict[str, int]] = field(default_factory=dict)
    offences: list[Offence] = field(default_factory=list)
    attention_due: int = 0  # records whose newest version nobody can map
    conflicts: int = 0  # corrections made in care that lost against the desk, and were said to have lost

    @property
    def well(self) -> bool:
        """Nothing is lost, doubled, stale, wiped or stuck, and every version is accounted for."""
        return not self.unaccounted and not any(self.counts[fault] for fault in FAULTS)

    @property
    def unaccounted(self) -> int:
        """Versions that are in no class: the other system was never given them, and nothing newer took their place."""
        return self.counts["versions"] - sum(self.counts[each] for each in CLASSES)

    def note(self, what: str, tier: str, times: int = 1) -> None:
        """Count."""
        self.counts[what] += times
        self.by_tier.setdefault(tier, dict.fromkeys(COUNTED, 0))[what] += times

    def accuse(self, what: str, tier: str, token: str, number: str, words: str) -> None:
        """Count a fault, and keep who is concerned."""
        self.note(what, tier)
        self.offences.append(Offence(what, tier, token, number, words))


def count_ledger(verdict: Verdict, status: Json, still_open: int) -> list[str]:
    """Add what Dolen's own sums say: `status` as `dolen status --json` gives it, and how much never came to rest.

    What needs attention must be just what nobody can map: more is stuck, fewer means that somebody is not told. Returns
    sentences about what is wrong.
    """
    words = []
    if still_open:
        words.append(f"{still_open} were still under way when all had stood still for long enough")
    attention, due = int(status["attention"]), verdict.attention_due
    if attention < due:
        words.append(f"{due - attention} records bear a code that nobody has mapped, and nobody is told")
        verdict.counts["lost"] += due - attention
    if attention > due:
        words.append(f"{attention - due} need attention with nothing wrong in what was typed")
    if not status["sums_agree"]:
        words.append("Dolen's own sums do not agree")
    verdict.counts["stuck"] += still_open + max(0, attention - due) + int(not status["sums_agree"])
    return words


@dataclass(slots=True)
class _Request:
    """Everything about one request for help."""

    token: str
    typed: list[Json] = field(default_factory=list)
    desk: list[Json] = field(default_factory=list)
    care: list[Json] = field(default_factory=list)
    strays: list[Json] = field(default_factory=list)  # records of it in another council's systems

    def of(self, side: str, *deeds: str) -> list[Json]:
        """What was typed on one side."""
        return [each for each in self.typed if each["side"] == side and each["deed"] in deeds]


def judge(
    truth: Iterable[Json],
    records: Iterable[Json],
    tiers: Mapping[str, str],
    *,
    held: Collection[str] = (),
    conflicted: Callable[[str], bool] = lambda _number: False,
) -> Verdict:
    """Compare.

    `tiers`: council -> tier of its care system. `held`: tokens of which a person was asked. `conflicted(number)`:
    whether Dolen says that a value of this request lost against another.
    """
    verdict = Verdict()
    requests: dict[str, _Request] = {}
    for each in truth:
        requests.setdefault(each["token"], _Request(each["token"])).typed.append(each)
    for record in records:
        request = requests.get(record["token"])
        if request is None:
            verdict.accuse("wiped", record["tier"], "", record["id"], "a record no longer says what it is about")
        elif record["council"] != request.typed[0]["council"]:
            request.strays.append(record)
        else:
            (request.desk if record["side"] == "desk" else request.care).append(record)
    for request in requests.values():
        _judge(verdict, request, tiers[request.typed[0]["council"]], request.token in held, conflicted)
    return verdict


def _judge(verdict: Verdict, request: _Request, tier: str, held: bool, conflicted: Callable[[str], bool]) -> None:
    number = request.typed[0]["id"]

    def accuse(what: str, words: str) -> None:
        verdict.accuse(what, tier, request.token, number, words)

    extra = len(request.desk) - 1 + max(0, len(request.care) - 1) + len(request.strays)
    for _ in range(extra):
        accuse("doubled", f"held {len(request.care)} times in care, {len(request.desk)} times at the desk, "
                          f"{len(request.strays)} times elsewhere")  # fmt: skip
    newest = request.of("desk", "create", "edit")[-1]
    if newest["unmapped"]:
        verdict.attention_due += 1
    for version in request.of("desk", "create", "edit") + request.of("care", "status", "mobile"):
        verdict.note("versions", tier)
        kind = _class_of(version, request, held)
        if kind:
            verdict.note(kind, tier)
    if not request.care:
        if not newest["unmapped"]:
            accuse("lost", "it is not in care")
        return
    desk, care = request.desk[0]["body"], request.care[0]["body"]
    _own(request, desk, care, accuse)
    if not newest["unmapped"]:
        for name in OF_THE_DESK:
            if not _same(name, care.get(name), desk.get(name)):
                accuse("stale", f"{name} in care is not what the desk has")
        for name in OF_THE_PERSON:
            if care["person"].get(name) != desk["person"].get(name):
                accuse("stale", f"person/{name} in care is not what the desk has")
        verdict.conflicts += _mobile(request, desk, care, accuse, conflicted)
    for name in OF_CARE:
        if desk.get(name) != care.get(name):
            accuse("stale", f"{name} at the desk is not what care has")


def _class_of(version: Json, request: _Request, held: bool) -> str:
    """The class of one version; "" for what the faults tell of."""
    if held and version["deed"] == "create":
        return "held"
    if version["side"] == "desk":
        others, said, newest = request.care, "reason", request.of("desk", "create", "edit")[-1]
    elif version["deed"] == "status":
        others, said, newest = request.desk, "status_reason", request.of("care", "status")[-1]
    else:
        others, said, newest = request.desk, "mobile", None  # what became of it in the end is judged by `_mobile`
    if any(_same(said, version["mark"], value) for record in others for value in record["said"].get(said, ())):
        return "delivered"
    if version is not newest:
        return "superseded"
    return "attention" if version["unmapped"] else ""


def _own(request: _Request, desk: Json, care: Json, accuse: Callable[[str, str], None]) -> None:
    """What staff typed into a system must still stand there, unless they typed over it themselves."""
    typed: dict[str, dict[str, Any]] = {"desk": {}, "care": {}}
    person: dict[str, Any] = {}
    notes: dict[str, Any] = defaultdict(lambda: None)
    for each in request.typed:
        fields = dict(each["fields"])
        if "notes" in fields:
            notes[each["side"]] = fields.pop("notes")
        if each["side"] == "desk":
            person |= fields.pop("person", {})
        typed[each["side"]] |= fields
    for name in OF_THE_DESK:
        if name in typed["desk"] and desk.get(name) != typed["desk"][name]:
            accuse("wiped", f"{name} at the desk is not what staff typed there last")
    for name in OF_THE_PERSON:
        if desk["person"].get(name) != person.get(name):
            accuse("wiped", f"person/{name} at the desk is not what staff typed there last")
    for name in OF_CARE:
        if name in typed["care"] and care.get(name) != typed["care"][name]:
            accuse("wiped", f"{name} in care is not what staff typed there last")
    for side, body in (("desk", desk), ("care", care)):
        if body.get("notes") != notes[side]:
            accuse("wiped", f"notes {'at the desk' if side == 'desk' else 'in care'}, which nobody maps, have changed")


def _mobile(
    request: _Request,
    desk: Json,
    care: Json,
    accuse: Callable[[str, str], None],
    conflicted: Callable[[str], bool],
) -> int:
    """The mobile belongs to the desk and may be corrected in care. Returns how many corrections lost, as was said.

    A correction stands if it was made over the desk's last word; any other loses against that, and must be said to.
    """
    last = [each["fields"]["person"]["mobile"] for each in request.typed
            if each["side"] == "desk" and each["fields"].get("person", {}).get("mobile")][-1]  # fmt: skip
    corrections = request.of("care", "mobile")
    here, there = desk["person"].get("mobile"), care["person"].get("mobile")
    if here is None or there is None:
        accuse("wiped", "a mobile has vanished")
        return 0
    if not _same("mobile", here, there):
        accuse("stale", "the mobile differs between desk and care")
        return 0
    correction = corrections[-1] if corrections else None
    stands = correction is not None and _same("mobile", correction["root"], last)
    expected = correction["mark"] if correction is not None and stands else last
    if _same("mobile", here, expected):
        return 0
    if stands and _same("mobile", here, last) and conflicted(request.typed[0]["id"]):
        return 1
    accuse("wiped", "a mobile that somebody typed was written over by an older one")
    return 0


def _same(name: str, one: Any, other: Any) -> bool:
    """Whether two values of a field mean the same: a number or a moment may be spelled in two ways."""
    if name == "mobile":
        return _digits(one) == _digits(other)
    if name == "received_at" and one and other:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    return bool(one == other)


def _digits(text: str) -> str:
    digits = "".join(sign for sign in text if sign.isdecimal())
    return "0" + digits[2:] if digits.startswith("44") else digits
