"""BaRS messages as pushes: proven as the connection says, kept, and answered in the words of the contract.

A message is known again by the id of its Bundle, whatever else is in it: a sender that got no answer may write the
time anew. It is answered with 409 then, which a sender takes for success (contract 1.3.0: "recognised as having
already been successfully processed").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.bars import receiver
from connectors.bars.profile import BarsProfile
from connectors.bars.receiver import Call, Refused
from connectors.json_body import UnreadableBody, parse
from connectors.port import Item, UnreadableItem
from connectors.push import json_push
from connectors.push.port import Answer, IdUsed, Kept, Named, Pushed, PushRefused
from connectors.push.proofs import prove
from connectors.push.settings import PushSettings
from connectors.rest.interface import Interface

_TYPE = "application/fhir+json"
_KNOWN = Refused(409, "duplicate", "REC_CONFLICT", "This message has been processed already.")
_NOT_HERE = "Messages of that event are not taken here."
_READ = (*receiver.MIRRORED, "NHSD-Target-Identifier", "NHSD-End-User-Organisation", "Content-Type")
#: For a refusal that is not the reader's own: issue (FHIR R4, issue-type) and code (contract 1.3.0) by status.
_BY_STATUS = {
    401: ("security", "REC_UNAUTHORIZED"),
    415: ("not-supported", "REC_BAD_REQUEST"),
    422: ("processing", "REC_UNPROCESSABLE_ENTITY"),
    500: ("exception", "REC_SERVER_ERROR"),
    503: ("transient", "REC_UNAVAILABLE"),
}


class _Told(PushRefused):
    """What the reader of calls refused, in its own words."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(refusal.status, refusal.words)
        self.refusal = refusal


class BarsPushes:
    """The messages of one kind; see `connectors.push.port.Push`."""

    one_body_an_id = True
    tells_reference = False

    def __init__(
        self, kind: str, profile: BarsProfile, interface: Interface, settings: PushSettings, *, service: str
    ) -> None:
        """`service` is the identifier of our own service, which every message must be for."""
        self._kind, self._profile, self._interface = kind, profile, interface
        self._settings, self._service = settings, service

    def prove(self, pushed: Pushed, now: datetime) -> str:
        """See the port. The id is the message's own."""
        prove(self._settings, pushed, now)
        try:
            return receiver.message_id(parse(pushed.body, _TYPE))
        except UnreadableBody:
            return ""  # `look` says what is wrong with it

    def look(self, pushed: Pushed) -> None:
        """See the port."""
        if self.sort(pushed) != self._kind:
            raise _Told(Refused(422, "not-supported", "REC_UNPROCESSABLE_ENTITY", _NOT_HERE))

    def sort(self, pushed: Pushed) -> str:
        """See `connectors.push.port.Sorting`: a service has one address for all that it is told."""
        json_push.look(pushed)
        call = Call({name: pushed.header(name) for name in _READ}, pushed.body)
        try:
            kind, _ = receiver.look(call, self._profile, service=self._service)
        except Refused as refusal:
            raise _Told(refusal) from None
        return kind

    def unpack(self, body: bytes, id: str) -> Sequence[Item | UnreadableItem | Named]:  # noqa: ARG002 - the message's, and no record's
        """See the port."""
        return receiver.unpacked(self._profile.records[self._kind], self._interface, body, kind=self._kind)

    def taken(self, kept: Kept, pushed: Pushed) -> Answer:
        """See the port: a message that says `ok`, or 409 for one that was kept before."""
        call = _tolerant(pushed)
        if kept.repeated:
            return _answer(receiver.refused(call, _KNOWN))
        return _answer(receiver.answered(call, parse(pushed.body, _TYPE)))

    def refused(self, refusal: PushRefused, pushed: Pushed) -> Answer:
        """See the port: an OperationOutcome with the NHS's code."""
        if isinstance(refusal, _Told):
            told = refusal.refusal
        elif isinstance(refusal, IdUsed):
            told = _KNOWN
        else:
            issue, code = _BY_STATUS.get(refusal.status, ("invalid", "REC_BAD_REQUEST"))
            told = Refused(refusal.status, issue, code, f"{refusal.reason[:1].upper()}{refusal.reason[1:]}.")
        return _answer(receiver.refused(_tolerant(pushed), told))


def _tolerant(pushed: Pushed) -> Call:
    """A call to be answered: a header that was given twice is not mirrored."""
    names = [key.lower() for key, _ in pushed.headers]
    once = {key: value for key, value in pushed.headers if names.count(key.lower()) == 1}
    return Call(once, pushed.body)


def _answer(told: receiver.Answer) -> Answer:
    headers = {name: value for name, value in told.headers.items() if name != "Content-Type"}
    return Answer(told.status, told.headers["Content-Type"], told.body, headers)
