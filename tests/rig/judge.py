"""The judge: compares what the systems hold with what their staff typed. It never looks into the ledger.

Cases are told apart by the person's name, which tests make unique, so that a double is seen also where no key is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.rig.systems import System


@dataclass
class Verdict:
    """What is wrong, each with the council and the name that it is about."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    wiped: list[str] = field(default_factory=list)
    backwards: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Nothing is wrong."""
        return not (self.lost or self.doubled or self.stale or self.wiped or self.backwards)

    def include(self, other: Verdict) -> None:
        """Count another council's too."""
        for name in ("lost", "doubled", "stale", "wiped", "backwards"):
            getattr(self, name).extend(getattr(other, name))


def judge(council: str, desk: System, care: System) -> Verdict:
    """Judge one council, whose cases are all typed at the desk. Both systems must be at rest."""
    found = Verdict()
    with desk.lock, care.lock:
        names = [case.body["person"]["last_name"] for case in desk.cases.values()]
        for name in dict.fromkeys(names):
            at, typed, held = f"{council} {name}", desk.of(name), care.of(name)
            if not held:
                found.lost.append(at)
                continue
            if len(typed) > 1 or len(held) > 1:
                found.doubled.append(at)
                continue
            (one,), (other,) = typed, held
            if other.body["reason"] != one.body["reason"] or other.body["priority"] != one.body["priority"]:
                found.stale.append(f"{at}: care holds {other.body['reason']!r}, the desk {one.body['reason']!r}")
            if one.body["status"] != other.body["status"]:
                found.stale.append(f"{at}: the desk holds {one.body['status']!r}, care {other.body['status']!r}")
            for case, system in ((one, desk), (other, care)):
                wanted = system.wishes.get(case.id, {})
                if gone := [field for field, value in wanted.items() if case.body[field] != value]:
                    found.wiped.append(f"{at} at {system.name}: {', '.join(gone)}")
            order = [one.texts.index(text) for text in other.texts if text in one.texts]
            if order != sorted(order):
                found.backwards.append(f"{at}: care was told {other.texts} of {one.texts}")
        found.doubled += [
            f"{council} {case.id}: nobody typed it" for case in care.cases.values()
            if case.body["person"]["last_name"] not in names
        ]  # fmt: skip
    return found
