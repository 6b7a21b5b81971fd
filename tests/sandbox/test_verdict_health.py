"""The verdict on referrals that began in the health service: red for each fault that is planted there."""

from typing import Any

import pytest

from sandbox.truth import Truth
from tests.sandbox.mover import Told


def from_health(told: Told) -> tuple[Truth, dict[str, Any]]:
    """A referral that began in the health service, and its resources as they stand there."""
    born = next(truth for truth in told.world.life.account.each() if truth.in_health and truth.case_id)
    return born, told.mover.health.referral(born.tenant, born.health_id)


def test_a_referral_of_the_health_service_without_its_case_is_lost(told: Told) -> None:
    born, _ = from_health(told)
    told.world.store.collection(born.tenant, "casework").delete(born.case_id)
    assert told.counts() == {"lost": 1, "doubled": 0, "stale": 0, "wiped": 0, "misdirected": 0}


@pytest.mark.parametrize("part", ["Task", "ServiceRequest", "Patient"])
def test_a_resource_gone_from_the_health_service_is_lost(told: Told, part: str) -> None:
    born, there = from_health(told)
    told.mover.health.cabinet.delete(born.tenant, part, there[part]["id"])
    assert told.counts() == {"lost": 1, "doubled": 0, "stale": 0, "wiped": 0, "misdirected": 0}


def test_an_old_status_in_the_health_service_is_stale(told: Told) -> None:
    born, there = from_health(told)
    told.mover.health.staff_put(born.tenant, born.health_id, {"Task": {**there["Task"], "status": "draft"}})
    found = told.verdict()
    assert (found["stale"], found["examples"]["stale"]) == (1, [f"{born.name}: health's status"])


@pytest.mark.parametrize(("part", "field"), [("Patient", "name"), ("ServiceRequest", "extension"), ("Task", "owner")])
def test_what_a_nurse_wrote_must_stay(told: Told, part: str, field: str) -> None:
    born, there = from_health(told)
    kept = {name: value for name, value in there[part].items() if name != field}
    told.mover.health.cabinet.keep(born.tenant, part, there[part]["id"], kept)
    found = told.verdict()
    assert (found["wiped"], found["examples"]["wiped"]) == (1, [f"{born.name}: health's own {part}: {field}"])


def test_nobody_elses_request_goes_to_the_health_service(told: Told) -> None:
    _born, there = from_health(told)
    other = next(one for one in told.world.life.account.each() if one.sort == "plain" and not one.in_health)
    reason = {"text": other.wish["reason"]["text"]}
    made = told.mover.health.staff_put(
        other.tenant, "", {**_unkept(there), "Task": {**_bare(there["Task"]), "reasonCode": reason}}
    )
    found = told.verdict()
    assert found["misdirected"] == 1
    assert found["examples"]["misdirected"] == [
        f"{other.name}: {made['Task']['id']} in health, though it did not begin there"
    ]


def _bare(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in ("id", "meta", "focus", "for", "subject")}


def _unkept(there: dict[str, Any]) -> dict[str, Any]:
    return {name: _bare(resource) for name, resource in there.items()}
