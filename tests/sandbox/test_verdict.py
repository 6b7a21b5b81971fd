"""The verdict: all zero for a perfect copy, and red for each fault that is planted in it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.casework_words import as_referral
from sandbox.expected import of_referral, of_request
from sandbox.notify_checks import templates
from sandbox.people import COUNCILS, request
from sandbox.verdict import FAULTS, Verdict
from sandbox.world import World
from tests.sandbox.mover import Told


def test_a_perfect_copy_is_all_zero(told: Told) -> None:
    found = told.verdict()
    assert {fault: found[fault] for fault in FAULTS} == dict.fromkeys(FAULTS, 0), found["examples"]
    assert found["referrals"] == 120
    assert all(found["texts"][language] > 0 for language in ("cy", "en", "both"))
    assert found["examples"] == {}


def test_what_people_have_not_done_yet_is_lost(world: World) -> None:
    story = Told(world)
    story.begin()
    assert world.life.progress()["waiting"] == {
        "for a code that is not mapped": 3,
        "to be mended at its source": 1,
        "to arrive in casework": 0,
    }
    assert story.counts() == {"lost": 5, "doubled": 0, "stale": 0, "wiped": 0, "misdirected": 0}


def test_a_dropped_field_is_wiped(told: Told) -> None:
    case = told.a_case()
    subject = {name: value for name, value in case["Subject"].items() if name != "Mobile"}
    told.put("torfaen", "casework", {**case, "Subject": subject})
    found = told.verdict()
    assert (found["wiped"], found["stale"]) == (1, 0)
    assert found["examples"]["wiped"] == [f"torfaen/{case['SourceReference']}: mobile blank in casework"]


def test_two_persons_swapped_are_stale(told: Told) -> None:
    one = told.a_case()
    other = next(
        held.body
        for held in told.world.store.collection("torfaen", "casework").each()
        if held.body.get("SourceReference") not in (None, one["SourceReference"])
    )
    told.put("torfaen", "casework", {**one, "Subject": other["Subject"]})
    told.put("torfaen", "casework", {**other, "Subject": one["Subject"]})
    assert told.counts()["stale"] == 2


def test_an_old_status_is_stale(told: Told) -> None:
    asked = told.world.store.collection("torfaen", "contact").get(told.a_case()["SourceReference"])
    assert asked is not None
    told.put("torfaen", "contact", {**asked.body, "status": "triage"})
    found = told.verdict()
    assert found["stale"] == 1
    assert found["examples"]["stale"] == [f"torfaen/{asked.id}: contact's status"]


def test_a_missing_record_is_lost(told: Told) -> None:
    case = told.a_case()
    told.world.store.collection("torfaen", "casework").delete(case["ReferralId"])
    assert told.counts()["lost"] == 1


def test_a_casework_born_request_without_its_copy_is_lost(told: Told) -> None:
    born = next(truth for truth in told.world.life.account.each() if truth.in_casework)
    copy = told.world.store.collection(born.tenant, "contact").by_key(born.case_id)[0]
    told.world.store.collection(born.tenant, "contact").delete(copy.id)
    assert told.counts() == {"lost": 1, "doubled": 0, "stale": 0, "wiped": 0, "misdirected": 0}


def test_a_double_is_doubled(told: Told) -> None:
    case = told.a_case()
    told.put("torfaen", "casework", {**case, "ReferralId": "R-999999"})
    assert told.counts() == {"lost": 0, "doubled": 1, "stale": 0, "wiped": 0, "misdirected": 0}


@pytest.mark.parametrize("field", ["OfficerNotes", "Outcome"])
def test_what_case_staff_wrote_must_stay(told: Told, field: str) -> None:
    case = told.a_case()
    told.put("torfaen", "casework", {name: value for name, value in case.items() if name != field})
    assert told.counts()["wiped"] == 1


def test_what_only_contact_staff_know_must_stay(told: Told) -> None:
    asked = next(
        held.body for held in told.world.store.collection("torfaen", "contact").each() if held.body["internal_notes"]
    )
    told.put("torfaen", "contact", {**asked, "internal_notes": None})
    assert told.counts()["wiped"] == 1


def test_a_record_in_another_council_is_misdirected(told: Told) -> None:
    case = told.a_case()
    told.put("blaenau-gwent", "casework", {**case, "ReferralId": "R-999999"})
    assert told.counts() == {"lost": 0, "doubled": 0, "stale": 0, "wiped": 0, "misdirected": 1}


def test_a_record_about_nobody_is_misdirected(told: Told) -> None:
    case = told.a_case()
    told.put("torfaen", "casework", {**case, "ReferralId": "R-999999", "Reason": "", "SourceReference": ""})
    assert told.counts()["misdirected"] == 1


def test_a_request_for_another_team_must_stay_out_of_casework(told: Told) -> None:
    truth = next(truth for truth in told.world.life.account.each() if truth.sort == "elsewhere")
    told.mover.casework.type_in(truth.tenant, as_referral(truth.tenant, truth.wish))
    assert told.counts()["misdirected"] == 1


def a_text(told: Told) -> dict[str, Any]:
    return next(
        held.body
        for held in told.world.store.collection("torfaen", "notify").each()
        if templates()[held.body["template_id"]]["status"] == "completed"
    )


def test_the_same_text_twice_is_doubled(told: Told) -> None:
    text = a_text(told)
    told.world.store.collection("torfaen", "notify").put("again", {**text, "id": "again"}, version=1, changed="")
    assert told.counts() == {"lost": 0, "doubled": 1, "stale": 0, "wiped": 0, "misdirected": 0}


def test_a_last_text_that_was_never_sent_is_lost(told: Told) -> None:
    told.world.store.collection("torfaen", "notify").delete(a_text(told)["id"])
    assert told.counts()["lost"] == 1


def test_texts_that_went_wrong_are_misdirected(told: Told) -> None:
    text = a_text(told)
    was = templates()[text["template_id"]]["language"]
    other = next(t for t in templates().values() if t["status"] == "completed" and t["language"] != was)
    on_hold = next(t for t in templates().values() if t["status"] == "rejected" and t["language"] == was)
    sent = told.world.store.collection("torfaen", "notify")
    for id, change in (
        ("wrong number", {"to": "07700900001"}),
        ("wrong language", {"template_id": other["id"]}),
        ("no such referral", {"personalisation": {"reference": "unheard-of"}}),
        ("status not for texts", {"template_id": on_hold["id"]}),
    ):
        sent.put(id, {**text, "id": id, **change}, version=1, changed="")
        assert told.counts()["misdirected"] == 1, id
        sent.delete(id)
    assert told.counts()["misdirected"] == 0


def test_a_text_to_somebody_who_had_not_agreed_is_misdirected(told: Told) -> None:
    truths = [t for t in told.world.life.account.each() if t.tenant == "torfaen" and not t.wish["updates"]["opted_in"]]
    truth = next(t for t in truths if "ACC" in [status for status, _ in t.reached])
    asked = told.world.store.collection("torfaen", "contact").get(truth.contact_id)
    assert asked is not None
    told.mover.send("torfaen", "accepted", "en", "07700900111", asked.body["public_reference"])
    found = told.verdict()
    assert found["misdirected"] == 1
    assert "nobody had agreed" in found["examples"]["misdirected"][0]


def test_a_correction_that_did_not_arrive_is_stale(told: Told) -> None:
    case = told.a_case()
    mended = {**case["Subject"], "Mobile": "07700900001"}
    told.put("torfaen", "casework", {**case, "Subject": mended})
    assert told.counts()["stale"] == 1


def test_of_one_typed_in_by_hand_only_later_corrections_must_arrive(told: Told) -> None:
    case = told.a_case()
    told.world.life.typed("torfaen", case["SourceReference"], case["ReferralId"])
    told.put("torfaen", "casework", {**case, "Reason": "typed in a hurry"})
    assert told.counts() == dict.fromkeys(FAULTS, 0)


def test_what_is_left_out_on_request_is_not_judged(told: Told) -> None:
    case = told.a_case()
    told.put("torfaen", "casework", {**case, "Reason": "something else"})
    assert told.counts()["stale"] == 1
    left = Verdict(told.world.store, leave_out=[f"torfaen/{case['SourceReference']}"]).found()
    assert left["stale"] == 0


def test_examples_name_ids_alone(told: Told) -> None:
    case = told.a_case()
    told.put("torfaen", "casework", {**case, "Subject": {**case["Subject"], "Surname": "Somebody"}})
    assert case["Subject"]["Surname"] not in json.dumps(told.verdict()["examples"], ensure_ascii=False)


@pytest.mark.parametrize("tenant", COUNCILS)
def test_the_two_readings_of_one_request_agree(tenant: str) -> None:
    for number in range(300):
        asked = request(11, number, tenant)
        assert of_referral(tenant, as_referral(tenant, asked)) == of_request(tenant, asked)


def test_a_story_can_be_told_again_from_its_seed(tmp_path: Path) -> None:
    tales = []
    for place in ("one", "two"):
        world = World(tmp_path / place)
        world.clock.set(datetime.fromisoformat("2026-03-02T09:00:00+00:00"))
        Told(world).begin(referrals=30)
        tales.append([(t.token, t.wish, t.case, [s for s, _ in t.reached]) for t in world.life.account.each()])
        world.close()
    assert tales[0] == tales[1]
