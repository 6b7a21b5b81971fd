"""What officers do during a demo: type in by hand, settle, mend a code list, send again, have a record mended.

Each goes through the support desk and the site's own files, as it would in a council, and the sandbox is told what was
typed so that its account of what staff did stays whole.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from config.editing import rewrite
from console.demo.sandbox_desk import SandboxDesk
from mappings.codes import append_row
from pipelines import desk, rung
from pipelines.plant import Plant
from pipelines.states import DeliveryState, IllegalMove
from pipelines.telling import STEP
from pipelines.worklist import Open, open_deliveries

WHO = "demo.officer"
#: What the owners of code lists decide when they are asked: their code, ours, how it is shown, and why.
_DECISIONS = {
    "blaenau-gwent-priority-contact": (
        "same-day",
        "urgent",
        "Yr un diwrnod",
        "Same day",
        "the contact centre's new word for urgent",
    )
}


@dataclass(slots=True)
class Officers:
    """The officers of the demo and what they have done."""

    sandbox: SandboxDesk
    settled: list[str] = field(default_factory=list)
    replayed: list[str] = field(default_factory=list)

    def type_in_one(self, plant: Plant, council: str) -> str:
        """Type one request that waits for the case system into it by hand, and settle it. Returns words, "" if none."""
        waiting = open_deliveries(plant, council, "casework", [DeliveryState.WAITING], limit=20)
        chosen = next((one for one in waiting if one.creates and one.tries < 3 and "contact" in one.numbers), None)
        if chosen is None:
            return ""
        request = chosen.numbers["contact"]
        number = str(self.sandbox.post(f"{council}/casework/type-in", {"from_contact": request})["ReferralId"])
        self.sandbox.post("truth/typed", {"tenant": council, "contact_id": request, "number": number})
        id = self._settle(plant, council, request, number)
        return f"an officer typed {request} into the case system by hand and settled {id}: number {number}"

    def type_in_elsewhere(self, plant: Plant, council: str, connection: str, prefix: str) -> list[str]:
        """Type everything that waits for a system no machine may enter, under invented numbers. Returns words."""
        told: list[str] = []
        for one in open_deliveries(plant, council, connection, [DeliveryState.ATTENTION]):
            number = f"{prefix}-{len(told) + 1:04}"
            self.sandbox.post(
                "truth/typed", {"tenant": council, "contact_id": one.numbers["contact"], "number": number}
            )
            desk.settle(plant, one.id, how="by-hand", number=number, who=WHO, why="typed into the team's own system")
            self.settled.append(one.id)
            told.append(f"an officer typed {one.numbers['contact']} in by hand and settled {one.id}: number {number}")
        return told

    def ring(self, plant: Plant, groups: list[desk.Group]) -> int:
        """Ring everybody whom no message may tell, and say so. Returns how many."""
        ids = [f"d{id}" for group in groups if group.step == STEP for id in group.deliveries]
        for id in ids:
            rung.rang(plant, id, who=WHO, why="told by telephone")
        self.settled += ids
        return len(ids)

    def mend_code_lists(self, site: Path, groups: list[desk.Group]) -> list[str]:
        """Add the rows that the owners of the code lists have decided on. Returns the lists that were mended."""
        mended = []
        for name in dict.fromkeys(group.code_list for group in groups if group.code_list in _DECISIONS):
            rewrite(site / "codes" / f"{name}.csv", partial(_with_row, name))
            mended.append(name)
        return mended

    def send_again(self, plant: Plant, groups: list[desk.Group], code_lists: list[str]) -> int:
        """Send all again that waited for these code lists. Returns how many."""
        before = len(self.replayed)
        for group in groups:
            if group.code_list in code_lists:
                done = desk.replay(
                    plant, [], who=WHO, why=f"{group.code_list} has its row now", fingerprint=group.fingerprint
                )
                self.replayed += done.done
        return len(self.replayed) - before

    def _settle(self, plant: Plant, council: str, request: str, number: str) -> str:
        """Settle what is open for this request. A try may be under way at this moment: then a moment later."""
        until = time.monotonic() + 20
        while True:
            open_ = [DeliveryState.WAITING, DeliveryState.ATTENTION, DeliveryState.NOT_SURE, DeliveryState.SENDING]
            for one in _of(open_deliveries(plant, council, "casework", open_), request):
                try:
                    desk.settle(
                        plant,
                        one.id,
                        how="by-hand",
                        number=number,
                        who=WHO,
                        why="typed in while the case system was down",
                    )
                except (desk.NotPossible, IllegalMove):
                    if time.monotonic() > until:
                        raise
                    continue
                self.settled.append(one.id)
                return one.id
            if time.monotonic() > until:
                raise desk.NotPossible(f"nothing is open for {request} that could be settled under {number}")
            time.sleep(0.1)


def _with_row(name: str, raw: bytes) -> bytes:
    """The code list with the row that its owner decided on."""
    theirs, ours, cy, en, reason = _DECISIONS[name]
    today = datetime.now(UTC).date()
    return append_row(
        raw, name=name, theirs=theirs, ours=ours, direction="read", cy=cy, en=en, author=WHO, reason=reason, on=today
    ).encode()


def _of(deliveries: list[Open], request: str) -> list[Open]:
    return [one for one in deliveries if one.numbers.get("contact") == request]
