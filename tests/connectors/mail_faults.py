"""What is asked of everybody who sends by a mail server, while one answer of the conversation goes wrong.

A mail is sent once. Before the server was given the mail itself nothing is done; what it says of the mail is obeyed;
where it took it and does not say so, nobody knows, and the mail is never sent again from here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from connectors.errors import (
    ForAPerson,
    Misconfigured,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
    Unreachable,
)
from connectors.port import Receipt
from tests.connectors.fault_proxy import Fault
from tests.connectors.peers_people import MailStanding
from tests.connectors.post_office import MailFault
from tests.connectors.standing import MARK, at_once, attempt

#: What says that nothing was done.
NOT_DONE = (Unreachable, Throttled, Rejected, Unauthorised, Misconfigured)
SENT = (Receipt, ForAPerson)  # what comes of a mail that was taken


def send(standing: MailStanding, *, hurried: bool = False, wrong: bool = False) -> Any:
    """What comes of sending one mail, within its time and without anybody's words."""
    connector = at_once(standing.connect(wrong=True)) if wrong else standing.hurried if hurried else standing.connector
    create = partial(connector.deliver, standing.kind, standing.record(MARK), key=standing.key())
    return attempt(standing, create, Fault(silent=hurried))


def send_under(standing: MailStanding, name: str, fault: MailFault) -> None:
    """One mail, while one answer goes wrong; then it is well again."""
    assert standing.office is not None
    office = standing.office
    before = len(office.taken)
    office.strike(fault)
    with standing.keeping(f"mail: {name}"):
        try:
            outcome = send(standing, hurried=fault.silent or bool(fault.drips))
            struck, taken = office.struck, len(office.taken) - before
        finally:
            office.strike(None)
        assert struck, "the fault did not strike"
        assert taken <= 1, f"{standing.name}: sent {taken} times"
        if fault.at == "QUIT":
            assert isinstance(outcome, SENT), f"{standing.name} {name}: {outcome!r} of a mail that was taken"
        elif fault.at == "END" and (code := fault.says[:3]).isdecimal() and code[0] in "45":
            wanted = Throttled if code[0] == "4" else Rejected
            assert isinstance(outcome, wanted), f"{standing.name} {name}: {outcome!r}"
        elif fault.at == "END":
            assert isinstance(outcome, Unknown), f"{standing.name} {name}: {outcome!r} where nobody can know"
        else:
            assert taken == 0
            assert isinstance(outcome, NOT_DONE), f"{standing.name} {name}: {outcome!r}"
            if fault.at in ("MAIL", "RCPT", "DATA") and fault.says[:3] in ("421", "451"):
                assert isinstance(outcome, Throttled), f"{standing.name} {name}: {outcome!r}"
        assert isinstance(send(standing), SENT), f"{standing.name}: it is not well again after {name}"
        assert len(office.taken) == before + taken + 1


def refused_login(standing: MailStanding) -> None:
    """A wrong secret is named as one, and by `doctor` too, and no mail goes."""
    assert standing.office is not None
    before = len(standing.office.taken)
    assert isinstance(send(standing, wrong=True), Unauthorised)
    (found,) = [one.subject for one in at_once(standing.connect(wrong=True)).doctor() if not one.well]
    assert found == "login"
    assert len(standing.office.taken) == before

