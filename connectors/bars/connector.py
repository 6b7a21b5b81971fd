"""Sends referrals, changes, cancellations and answers as BaRS messages. What comes in is `receiver`'s business.

A message can neither be read again nor looked up, so each tells the whole referral. A first message that the receiver
has already (409) may have carried an older revision: then a change follows it at once, and both together are the
answer. Errors are those of `connectors.fhir.outcome`, with the NHS's own code (REC_..., SEND_..., PROXY_...) as theirs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from connectors.bars.message import Message, made
from connectors.bars.profile import BarsProfile, BarsRecord, BarsSettings
from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Duplicate, Rejected, Unknown
from connectors.fhir.outcome import refuse
from connectors.http import Reply
from connectors.json_body import UnreadableBody, blemish, read
from connectors.logins import open_login, send_logged_in, session_of
from connectors.pace import Agree
from connectors.port import Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.push.port import Push
from connectors.quiet import silence_libraries
from connectors.rest.addresses import Addresses
from connectors.rest.interface import open_interface
from connectors.sections import WithoutLookups
from connectors.sight import certificate_finding, name_finding

PROCESS = "/$process-message"
_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class BarsConnector(WithoutLookups[BarsRecord]):
    """Speaks BaRS to one service. Safe to use from several threads at once."""

    _profile: BarsProfile

    def __init__(
        self,
        profile: BarsProfile,
        settings: BarsSettings,
        interfaces: Callable[[str], bytes],
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the pinned interface and sit ready; nothing is sent yet. Raises Misconfigured."""
        silence_libraries()
        self._profile, self._settings, self._clock = profile, settings, clock
        self._interface = open_interface(interfaces(profile.interface), profile.interface)
        self._session = session_of(settings, agree=agree, monotonic=monotonic, sleep=sleep)
        self._login = open_login(settings, self._session, monotonic=monotonic)
        self._addresses = Addresses(settings.url)

    def offers(self, kind: str) -> frozenset[str]:
        """What the profile declares for this kind."""
        return self._record(kind).offers

    def tier(self, kind: str) -> Tier:
        """A message that was processed is refused when it comes again (409)."""
        self._record(kind)
        return Tier.KEEPS_KEY

    def reads_first(self, kind: str) -> bool:
        """Nothing can be read: every message tells the whole."""
        self._record(kind)
        return False

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters
        """Send one message under our key; with `id` a change, or of what was withdrawn a cancellation. See the port."""
        section, deadline = self._record(kind), self._session.deadline()
        if ("update" if id else "create") not in section.offers:
            raise self._not_offered(kind, "update" if id else "create")
        message = self._made(section, record, key, new=not id)
        if id:
            return self._sent(message, deadline, f"changing a {kind}", "updated")
        try:
            return self._sent(message, deadline, f"sending a {kind}", "created")
        except Duplicate:
            if "update" not in section.offers:
                raise Duplicate(
                    f"sending a {kind}: the receiver has it already", existing=message.focus, code="duplicate"
                ) from None
        return self._sent(self._made(section, record, key, new=False), deadline, f"changing a {kind}", "updated")

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:  # noqa: ARG002 - the port's parameters
        """Messages are pushed and not listed."""
        raise self._not_offered(kind, "changes")

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters
        """There is no feed to step over in."""
        raise self._not_offered(kind, "changes")

    def fetch(self, kind: str, id: str) -> Item | None:  # noqa: ARG002 - the port's parameters
        """A message cannot be read again."""
        raise self._not_offered(kind, "fetch")

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read the message of a record's own bytes again."""
        from connectors.bars.receiver import unpacked

        (item,) = unpacked(self._record(kind), self._interface, raw, kind=kind, id=id)
        return item

    def push(self, kind: str) -> Push:
        """How messages of this kind are sent to us; see `connectors.push.port.Receiving`."""
        from connectors.bars.push import BarsPushes

        proof = self._settings.push
        if self._record(kind).push is None or proof is None:
            what = "push" if proof is not None else "way to prove a push (connect.push)"
            raise self._not_offered(kind, what)
        return BarsPushes(kind, self._profile, self._interface, proof, service=self._settings.ours.value)

    def find(self, kind: str, key: str) -> list[Item]:  # noqa: ARG002 - the port's parameters
        """Messages cannot be looked up."""
        self._record(kind)
        raise NotImplementedError(f"{self._profile.system} cannot be searched for a {kind} by our key")

    def doctor(self) -> list[Finding]:
        """Look at name, certificate, login and the service's own statement, without sending any message."""
        found = [name_finding(self._settings)]
        certificate = certificate_finding(self._settings, self._clock())
        found += [certificate] if certificate else []
        if not all(one.well for one in found):
            return found
        headers = {name: value for name, value in self._headers().items() if name != "use-context"}
        address, deadline = self._addresses.below("/metadata"), self._session.deadline()
        try:
            reply = send_logged_in(self._session, self._login, "GET", address, deadline=deadline, headers=headers)
            if reply.status != 200:
                refuse(reply, doing="asking what the service can do", interface=None, one=False)
        except ConnectorError as error:
            return [
                *found,
                Finding("login", False, error.reason, "compare url, login and target with what the NHS gave"),
            ]
        return [*found, Finding("login", True, "the service answers, and takes our login")]

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._session.close()

    def _headers(self) -> dict[str, str]:
        section = next(iter(self._profile.records.values()))
        return dict(self._made(section, {}, "doctor", new=False).headers)

    def _made(self, section: BarsRecord, record: Record, key: str, *, new: bool) -> Message:
        now = self._clock().astimezone(UTC)
        return made(self._profile, section, self._settings, record, key=key, new=new, now=now)

    def _sent(self, message: Message, deadline: Deadline, doing: str, effect: str) -> Receipt:
        for entry in message.bundle["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] != "MessageHeader":
                fault = self._interface.fault(resource["resourceType"], resource)
                if fault:
                    raise Rejected(f"{doing}: {resource['resourceType']} {fault}; nothing was sent")
        try:  # not orjson, which writes NaN as null: a value would be wiped without a word
            body = _AS_JSON.encode(message.bundle).encode()
        except (TypeError, ValueError, RecursionError):
            words = f"{doing}: the record cannot be written as JSON ({blemish(message.bundle)}); nothing was sent"
            raise Rejected(words) from None
        address = self._addresses.below(PROCESS)
        reply = send_logged_in(
            self._session, self._login, "POST", address, deadline=deadline, headers=message.headers, body=body
        )
        if not 200 <= reply.status < 300:
            refuse(_as_bars_means(reply), doing=doing, interface=self._interface, one=False)
        if reply.status == 202:
            raise Unknown(f"{doing}: HTTP 202 promises it for later", reply=reply.body)
        self._is_answer(reply, doing)
        return Receipt(message.focus, effect, "", None, reply.body)

    def _is_answer(self, reply: Reply, doing: str) -> None:
        """A page of HTML under a 200 says nothing of the message."""
        try:
            found = read(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
        if not isinstance(found, dict) or found.get("resourceType") != "Bundle":
            raise Unknown(f"{doing}: the answer is no Bundle", reply=reply.body)


def _as_bars_means(reply: Reply) -> Reply:
    """What the contract gives a meaning of its own.

    409 is always a message that the receiver has, whatever issue it names. `not-found` in an OperationOutcome, under
    whatever status, is about what the message names (a patient, a service, the referral that is changed) and must not
    stop all other referrals, as a wrong address would.
    """
    if reply.status == 409:
        body = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"duplicate"}]}'
        return Reply(409, {"Content-Type": "application/fhir+json"}, body, reply.seconds)
    if reply.status in (400, 404, 410, 422) and b"OperationOutcome" in reply.body:
        body = reply.body.replace(b'"not-found"', b'"business-rule"')
        return Reply(422, reply.headers, body, reply.seconds)
    return reply
