"""The verdict: all zero for a perfect copy, and red for each fault that is planted in it.

The mover here is a few lines written by hand. It stands for Dolen, and shares nothing with it.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from sandbox.casework import Casework
from sandbox.casework_words import as_referral
from sandbox.contact import Contact
from sandbox.expected import of_referral, of_request
from sandbox.notify import Notify
from sandbox.notify_checks import templates
from sandbox.people import COUNCILS, request, token_in
from sandbox.verdict import FAULTS, Verdict
from sandbox.world import World

CASE_STATUS = {"NEW": "new", "TRI": "triage", "ACC": "accepted", "INP": "in-progress"}
CASE_STATUS |= {"HLD": "on-hold", "REJ": "rejected", "CLO": "closed"}
OUTCOMES = {"O01": "assessment", "O02": "reablement", "O03": "information"}
OUTCOMES |= {"O04": "self-funder", "O05": "declined", "O06": "nhs"}
BACK_WORDS = {"P1": "emergency", "P2": "urgent", "P3": "routine", "RED": "emergency", "AMBER": "urgent"}
BACK_WORDS |= {"GREEN": "routine", "1": "M", "2": "F", "9": "O", "X": "U", "W": "cy", "E": "en", "B": "both"}
BACK_WORDS |= {"N": "unknown", "S": "self", "F": "family", "P": "professional", "O": "other"}
NOTIFIABLE = {"ACC": "accepted", "INP": "in_progress", "CLO": "completed"}


class Mover:
    """Copies perfectly, and knows what nobody should know: the generator's own request for a casework-born referral."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.contact, self.casework = world.systems["contact"], world.systems["casework"]
        self.notify = world.systems["notify"]
        assert isinstance(self.contact, Contact)
        assert isinstance(self.casework, Casework)
        assert isinstance(self.notify, Notify)
        self.knows_same_day = False
        self.told: set[tuple[str, str]] = set()

    def move(self) -> None:
        for tenant in COUNCILS:
            self._forth(tenant)
            self._back(tenant)

    def _records(self, tenant: str, system: str) -> list[dict[str, Any]]:
        return [held.body for held in self.world.store.collection(tenant, system).each()]

    def _forth(self, tenant: str) -> None:
        cases = {each.get("SourceReference"): each for each in self._records(tenant, "casework")}
        for asked in self._records(tenant, "contact"):
            readable = isinstance(asked["customer"], dict) and asked["external_reference"] is None
            if not readable or asked["team"] != "adults":
                continue
            if asked["priority"] == "same-day" and not self.knows_same_day:
                continue
            case = cases.get(asked["id"])
            sent = {**as_referral(tenant, asked), "SourceReference": asked["id"]}
            if case is None:
                self.casework.type_in(tenant, {**sent, "PublicReference": f"REF{asked['id'][2:]}"})
            elif any(case.get(name) != value for name, value in sent.items() if name != "Status"):
                theirs = ("Status", "Worker", "Outcome", "StatusReason", "OfficerNotes", "Extra", "PublicReference")
                kept = {name: case[name] for name in theirs if name in case}
                self.casework.staff_put(tenant, case["ReferralId"], {**sent, **kept})

    def _back(self, tenant: str) -> None:
        for case in self._records(tenant, "casework"):
            number = case["ReferralId"]
            said = {
                "status": CASE_STATUS[case["Status"]],
                "status_reason": case.get("StatusReason"),
                "worker": case.get("Worker"),
                "outcome": OUTCOMES.get(case.get("Outcome", "")),
                "case_number": number,
                "public_reference": case.get("PublicReference", number),
            }
            if case.get("SourceReference"):
                id, extra = case["SourceReference"], {}
            else:
                ours = self.world.store.collection(tenant, "contact").by_key(number)
                seed, _, place = (token_in(case["Reason"]) or "").partition("-")
                id, extra = (ours[0].id if ours else ""), request(int(seed, 16), int(place), tenant)
                extra["external_reference"] = number
            held = self.world.store.collection(tenant, "contact").get(id) if id else None
            if held is None or any(held.body.get(name) != value for name, value in {**extra, **said}.items()):
                asked = self.contact.staff_put(tenant, id, {**(held.body if held else {}), **extra, **said})
            else:
                asked = held.body
            self._tell(tenant, case, asked)

    def _tell(self, tenant: str, case: dict[str, Any], asked: dict[str, Any]) -> None:
        status = NOTIFIABLE.get(case["Status"])
        by_type = {each["type"]: each for each in asked["customer"]["contacts"]}
        mobile, family = by_type.get("mobile"), asked["referred_by"]
        flagged = asked["flags"]["restricted"] or asked["flags"]["safeguarding"]
        number = ""
        if asked["updates"]["opted_in"] and mobile and mobile["ok_to_text"] and not flagged:
            number = mobile["value"]
        if tenant == "neath-port-talbot" and family["kind"] != "self":
            agreed = family["kind"] == "family" and family["wants_updates"] and family["customer_agrees"]
            number = family["mobile"] if agreed and not flagged else ""
        if status is None or not number or (tenant + case["ReferralId"], status) in self.told:
            return
        self.told.add((tenant + case["ReferralId"], status))
        language = {"unknown": "both"}.get(asked["language"]["letters"], asked["language"]["letters"])
        self.send(tenant, status, language, number, asked["public_reference"])

    def send(self, tenant: str, status: str, language: str, number: str, reference: str) -> None:
        wanted = next(t for t in templates().values() if (t["status"], t["language"]) == (status, language))
        id, now = str(uuid.uuid4()), self.world.clock().isoformat()
        message = {"id": id, "type": "sms", "to": number, "reference": id, "template_id": wanted["id"], "body": ""}
        message |= {"personalisation": {"reference": reference}, "created_at": now}
        self.notify.sent(tenant).put(id, message, version=1, changed=now, key=id)


class Told:
    """A story that has come to its end, moved perfectly, with ways to spoil it."""

    def __init__(self, world: World) -> None:
        self.world, self.mover = world, Mover(world)

    def begin(self, referrals: int = 120, seed: int = 7) -> None:
        self.world.life.start({"referrals": referrals, "seed": seed, "pace": 60})
        self.until_quiet()

    def pass_time(self, seconds: float = 1.0) -> None:
        self.world.clock.set(self.world.clock() + timedelta(seconds=seconds))
        while self.world.life.tick():
            pass
        self.mover.move()

    def until_quiet(self) -> None:
        for _ in range(120):
            self.pass_time()
            if self.world.life.progress()["quiet"]:
                self.pass_time()
                return
        raise AssertionError(self.world.life.progress())

    def finish(self) -> None:
        """Everything that people do at the end: map the code, mend the source, type in by hand."""
        self.mover.knows_same_day = True
        assert self.world.life.mend_source() == 1
        for truth in self.world.life.account.each():
            if truth.sort == "elsewhere":
                self.world.life.typed(truth.tenant, truth.contact_id, f"OT-{truth.number}")
        self.until_quiet()

    def verdict(self) -> dict[str, Any]:
        return Verdict(self.world.store).found()

    def counts(self) -> dict[str, int]:
        found = self.verdict()
        return {fault: found[fault] for fault in FAULTS}

    def a_case(self, tenant: str = "torfaen", **wanted: str) -> dict[str, Any]:
        """A contact-born case that has everything a fault could be planted in."""
        for held in self.world.store.collection(tenant, "casework").each():
            body = held.body
            there = body.get("SourceReference") and body["Subject"].get("Mobile") and body.get("OfficerNotes")
            if there and body["Status"] == "CLO" and all(body.get(name) == value for name, value in wanted.items()):
                return body
        raise AssertionError("no such case in this story")

    def put(self, tenant: str, system: str, body: dict[str, Any]) -> None:
        """Write straight into the store, as no system would."""
        id = body["ReferralId"] if system == "casework" else body["id"]
        held = self.world.store.collection(tenant, system).get(id)
        version, changed = (held.version, held.changed) if held else (1, "2026-01-01T00:00:00Z")
        self.world.store.collection(tenant, system).put(id, body, version=version, changed=changed)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "sandbox")
    yield made
    made.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a sandbox in which a whole story was told; tests spoil copies of it."""
    place = tmp_path_factory.mktemp("finished")
    world = World(place)
    story = Told(world)
    story.begin()
    story.finish()
    world.close()
    return place


@pytest.fixture
def told(finished: Path, tmp_path: Path) -> Iterator[Told]:
    copytree(finished, tmp_path / "copy")
    world = World(tmp_path / "copy")
    yield Told(world)
    world.close()


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
