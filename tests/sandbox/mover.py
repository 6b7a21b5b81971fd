"""A story of a sandbox, moved perfectly by a few lines written by hand, with ways to spoil it.

The mover stands for Dolen, and shares nothing with it.
"""

import uuid
from datetime import timedelta
from typing import Any

from sandbox.casework import Casework
from sandbox.casework_words import as_referral
from sandbox.contact import Contact
from sandbox.health import Health
from sandbox.health_words import OUTCOME, STATUS, as_health_knows
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
        self.notify, self.health = world.systems["notify"], world.systems["health"]
        assert isinstance(self.contact, Contact)
        assert isinstance(self.casework, Casework)
        assert isinstance(self.notify, Notify)
        assert isinstance(self.health, Health)
        self.knows_same_day = False
        self.told: set[tuple[str, str]] = set()

    def move(self) -> None:
        for tenant in COUNCILS:
            self._forth(tenant)
            self._from_health(tenant)
            self._back(tenant)
            self._to_health(tenant)

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

    def _referred(self, tenant: str) -> dict[str, dict[str, Any]]:
        """The Tasks of the health service by the token of what they are about."""
        tasks = self._records(tenant, "health")
        return {token_in(each["reasonCode"]["text"]) or "": each for each in tasks}

    def _from_health(self, tenant: str) -> None:
        known = {token_in(each["Reason"]) for each in self._records(tenant, "casework")}
        for token in self._referred(tenant).keys() - known:
            self.casework.type_in(tenant, as_referral(tenant, self._asked(token, tenant)))

    def _to_health(self, tenant: str) -> None:
        for case in self._records(tenant, "casework"):
            task = self._referred(tenant).get(token_in(case["Reason"]) or "")
            if task is not None:
                said: dict[str, Any] = {**task, "status": STATUS[case["Status"]]}
                if case.get("StatusReason"):
                    said["statusReason"] = {"text": case["StatusReason"]}
                if case.get("Outcome"):
                    said["businessStatus"] = {"coding": [{"code": OUTCOME[case["Outcome"]]}]}
                if said != task:
                    self.health.staff_put(tenant, task["id"], {"Task": said})

    def _asked(self, token: str, tenant: str) -> dict[str, Any]:
        seed, _, place = token.partition("-")
        asked = request(int(seed, 16), int(place), tenant)
        return as_health_knows(asked) if token in self._referred(tenant) else asked

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
                id, extra = (ours[0].id if ours else ""), self._asked(token_in(case["Reason"]) or "", tenant)
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
        number, own = "", True
        told = asked["updates"]["opted_in"] and not asked["language"]["interpreter"]
        if told and mobile and mobile["ok_to_text"] and not flagged:
            number = mobile["value"]
        if tenant == "neath-port-talbot" and family["kind"] != "self":
            agreed = family["kind"] == "family" and family["wants_updates"] and family["customer_agrees"]
            number, own = (family["mobile"] if agreed and not flagged else ""), False
        if status is None or not number or (tenant + case["ReferralId"], status) in self.told:
            return
        self.told.add((tenant + case["ReferralId"], status))
        letters = (asked["language"] if own else family).get("letters") or "unknown"  # each in their own
        language = {"unknown": "both"}.get(letters, letters)
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
