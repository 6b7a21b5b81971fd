"""A small world for the verdict: what was typed and what two systems hold, all well, to be spoilt by each test."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest

from console.bench.site import COUNCILS
from console.bench.verdict import Verdict, judge

PERSON = {"last_name": "Jones", "first_names": ["Siân"], "date_of_birth": "1950-01-01", "mobile": "07700 900001"}


@dataclass
class Small:
    """Three requests, one a tier, each created, edited at the desk and moved on in care."""

    truth: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def typed(self, token: str, side: str, deed: str, mark: str, fields: dict[str, Any], **more: Any) -> None:
        """Somebody types."""
        council = token.split("-")[0]
        entry = {
            "nth": len(self.truth), "at": 0.0, "council": council, "token": token, "side": side,
            "id": f"{council[0].upper()}{side[0].upper()}-1", "deed": deed, "mark": mark, "fields": fields,
            "unmapped": False, "root": "",
        }  # fmt: skip
        self.truth.append(entry | more)

    def held(self, token: str, side: str, body: dict[str, Any], said: dict[str, list[str]]) -> None:
        """A system holds it."""
        council = token.split("-")[0]
        tier = COUNCILS[council] if side == "care" else "A"
        self.records.append(
            {"council": council, "side": side, "tier": tier, "id": f"{council[0].upper()}{side[0].upper()}-1",
             "token": token, "body": deepcopy(body), "key": "", "said": deepcopy(said), "writes": 1}
        )  # fmt: skip

    def of(self, token: str, side: str) -> dict[str, Any]:
        """The one record of a request in a system."""
        return next(each for each in self.records if each["token"] == token and each["side"] == side)

    def judge(self, **more: Any) -> Verdict:
        """The verdict."""
        return judge(self.truth, self.records, COUNCILS, **more)


def all_well() -> Small:
    """Build it."""
    small = Small()
    for council in ("alder", "cedar", "elder"):
        token = f"{council}-000001"
        first, second = f"help [#{token}] (v1)", f"help [#{token}] (v2)"
        body = {
            "status": "new", "status_reason": None, "kind": "contact", "priority": "routine", "team": "adults",
            "received_at": "2026-01-15T10:00:00Z", "reason": first, "person": dict(PERSON), "safeguarding": False,
            "restricted": False, "notes": None,
        }  # fmt: skip
        small.typed(token, "desk", "create", first, body)
        small.typed(token, "desk", "edit", second, {"reason": second, "person": {"mobile": "07700 900002"}})
        small.typed(token, "care", "status", "(s1)", {"status": "triage", "status_reason": "(s1)"})
        small.typed(token, "desk", "notes", "at the desk", {"notes": "at the desk"})
        small.typed(token, "care", "notes", "in care", {"notes": "in care"})
        end = {**body, "reason": second, "status": "triage", "status_reason": "(s1)"}
        end["person"] = {**PERSON, "mobile": "07700 900002"}
        small.held(token, "desk", {**end, "notes": "at the desk"}, {"status_reason": ["(s1)"]})
        there = {**end, "notes": "in care", "received_at": "2026-01-15T10:00:00+00:00"}
        there["person"] = {**end["person"], "mobile": "+447700900002"}
        small.held(token, "care", there, {"reason": [first, second]})
    return small


@pytest.fixture
def small() -> Small:
    """A small world in which all is well."""
    return all_well()
