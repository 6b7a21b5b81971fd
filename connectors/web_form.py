"""Any supplier's web form: it calls us with one request for help, in the referral's own words, and hears our reference.

The body is held against the pinned schema that is made from `Referral`; every fault names the field and the rule, in
both languages, and never the value. The caller's Idempotency-Key is the record's id (as draft-ietf-httpapi-idempotency-
key-header-07 describes it): the same key with the same body is answered as the first time was, with another body it is
refused. Nothing can be read from a form or sent to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import Field

from connectors.errors import Misconfigured
from connectors.flat import Flattener
from connectors.json_body import UnreadableBody, parse, sound
from connectors.json_schema import JsonSchema
from connectors.neutral import interface
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.profile import Name, PinnedFile
from connectors.push import json_push
from connectors.push.port import Answer, Kept, Named, Push, Pushed, PushRefused
from connectors.push.proofs import prove
from connectors.push.settings import PushSettings
from connectors.references import Closed
from connectors.rest.push import problem
from connectors.web_form_words import ANY_OTHER, KEPT, NOT_TAKEN, RULES, TAKEN

KEY_HEADER = "Idempotency-Key"
MOST_PROBLEMS = 50
_KEY = re.compile(r'"?([A-Za-z0-9_-]{16,128})"?')  # a string of structured fields stands in quotes (RFC 8941)
_LIMITS = ("maxLength", "maxItems")


class FormPush(Closed):
    """A form always sends the whole of what was filled in."""

    carries: Literal["record"] = Field(default="record", description="The whole record.", examples=["record"])


class FormRecord(Closed):
    """One kind of record that a form sends."""

    form: PinnedFile = Field(
        description="The JSON Schema that it is held against.", examples=["interfaces/web-form.schema.json"]
    )
    push: FormPush = Field(default=FormPush(), description="How it comes.", examples=[{"carries": "record"}])

    @property
    def offers(self) -> frozenset[str]:
        """Nothing can be asked of a form."""
        return frozenset()


class WebFormProfile(Closed):
    """A form that calls us."""

    system: Name = Field(description="The form's name.", examples=["web-form"])
    protocol: Literal["web-form"] = Field(description="Kind of interface.", examples=["web-form"])
    records: dict[Name, FormRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )


class WebFormSettings(Closed):
    """A connection to a form."""

    push: PushSettings = Field(
        description="How the form's server proves its calls.",
        examples=[{"signature": {"secrets": ["env:TORFAEN_FORM_SECRET"], "id_header": "Idempotency-Key"}}],
    )


class FormPushes:
    """What one form sends; see `connectors.push.port.Push`."""

    one_body_an_id = True
    tells_reference = True

    def __init__(self, kind: str, schema: JsonSchema, settings: PushSettings) -> None:
        self._kind = kind
        self._schema = schema
        # That a day exists is part of the schema's word; of a moment its pattern says enough.
        self._validator = Draft202012Validator(schema.root, format_checker=FormatChecker(["date"]))
        self._settings = settings

    def prove(self, pushed: Pushed, now: datetime) -> str:
        """See the port."""
        signed = prove(self._settings, pushed, now)
        given = pushed.header(KEY_HEADER) or signed
        key = _KEY.fullmatch(given)
        if key is None:
            raise PushRefused(400, f"the header {KEY_HEADER} is missing, or not 16 to 128 letters, digits, - and _")
        return key[1]

    def look(self, pushed: Pushed) -> None:
        """See the port."""
        value = json_push.look(pushed)
        try:
            sound(value)
        except UnreadableBody as trouble:
            raise PushRefused(400, trouble.reason) from None
        found = list(self._problems(value))
        if found:
            raise PushRefused(422, "some fields are not as the form's schema says", problems=found)

    def unpack(self, body: bytes, id: str) -> Sequence[Item | UnreadableItem | Named]:
        """See the port."""
        return [self.item(body, id)]

    def item(self, body: bytes, id: str) -> Item | UnreadableItem:
        """The record of one body."""
        try:
            value = parse(body, "application/json")
            sound(value)
        except UnreadableBody as trouble:
            return UnreadableItem(body, f"{self._kind} {trouble.reason}", id)
        first = next(self._problems(value), None)
        if first is not None:
            return UnreadableItem(body, f"{self._kind} at {first['field'] or 'the top'}: {first['rule']}", id)
        return Item(id, value, body)

    def taken(self, kept: Kept, pushed: Pushed) -> Answer:  # noqa: ARG002 - the port's
        """See the port."""
        cy, en = (text.format(reference=kept.reference) for text in (TAKEN if kept.reference else KEPT))
        told = {"reference": kept.reference or None, "repeated": kept.repeated, "show": {"cy": cy, "en": en}}
        return Answer(202, "application/json", orjson.dumps(told))

    def refused(self, refusal: PushRefused, pushed: Pushed) -> Answer:  # noqa: ARG002 - the port's
        """See the port."""
        cy, en = NOT_TAKEN.get(refusal.status, NOT_TAKEN[400])
        return problem(refusal, {"show": {"cy": cy, "en": en}})

    def _problems(self, value: Any) -> Iterator[dict[str, str]]:
        for number, fault in enumerate(self._validator.iter_errors(value)):
            if number >= MOST_PROBLEMS:
                return
            rule = str(fault.validator)
            way = [*fault.absolute_path]
            for name in _names(rule, fault):
                yield self._problem(rule, [*way, name] if name else way, fault.validator_value)

    def _problem(self, rule: str, way: Sequence[str | int], limit: Any) -> dict[str, str]:
        cy, en = RULES.get(rule, ANY_OTHER)
        known, labels = self._known(way)
        most = limit if rule in _LIMITS else ""
        pointer = "".join(f"/{step}" for step in known)
        return {
            "pointer": f"#{pointer}",
            "field": ".".join(str(step) for step in known),
            "rule": rule,
            "cy": f"{labels['cy']}: {cy.format(most=most)}",
            "en": f"{labels['en']}: {en.format(most=most)}",
        }

    def _known(self, way: Sequence[str | int]) -> tuple[list[str | int], dict[str, str]]:
        """The path as far as the schema knows it, as a name that the caller made up may be anything; and its label."""
        node, known = self._schema.root, list[str | int]()
        labels = {"cy": "Y ffurflen", "en": "The form"}
        for step in way:
            node = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
            if not isinstance(node, dict):
                break
            known.append(step)
            labels = node.get("x-label", labels)
        return known, labels


def _names(rule: str, fault: Any) -> list[str]:
    """Below which names the fault lies; [""] for where it was found."""
    if rule == "required":
        return [
            name for name in fault.validator_value if isinstance(fault.instance, dict) and name not in fault.instance
        ]
    return [""]


class WebFormConnector:
    """Reads what a form sends."""

    def __init__(
        self,
        profile: WebFormProfile,
        settings: WebFormSettings,
        interfaces: Callable[[str], bytes],
        *,
        clock: Callable[[], datetime] | None = None,  # noqa: ARG002 - every family is made in the same way
        agree: Agree | None = None,  # noqa: ARG002 - every family is made in the same way
    ) -> None:
        """Read the schemas. Raises Misconfigured."""
        self._profile = profile
        schemas = _schemas(profile, interfaces)
        self._pushes = {kind: FormPushes(kind, schema, settings.push) for kind, schema in schemas.items()}

    def __repr__(self) -> str:
        return f"WebFormConnector({self._profile.system})"

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record that the form sends."""
        return tuple(self._profile.records)

    def push(self, kind: str) -> Push:
        """How the form calls us; see `connectors.push.port.Receiving`."""
        return self._known(kind)

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """See the port."""
        return self._known(kind).item(raw, id)

    def offers(self, kind: str) -> frozenset[str]:
        """Nothing can be asked of a form."""
        self._known(kind)
        return frozenset()

    def tier(self, kind: str) -> Tier:
        """Nothing is ever sent to a form."""
        self._known(kind)
        return Tier.NEITHER

    def reads_first(self, kind: str) -> bool:
        """There is nothing to write onto."""
        self._known(kind)
        return False

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._only_calls(kind)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._only_calls(kind)

    def fetch(self, kind: str, id: str) -> Item | None:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._only_calls(kind)

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._only_calls(kind)

    def find(self, kind: str, key: str) -> list[Item]:
        """Not possible: the tier is C."""
        raise NotImplementedError(f"{self._profile.system} only calls us")

    def lookups(self, kind: str) -> tuple[str, ...]:  # noqa: ARG002 - the port's parameters; nothing is called
        """None."""
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """Not possible. Raises Misconfigured."""
        raise Misconfigured(f"{self._profile.system} offers no look-up of {path} for {kind}")

    def doctor(self) -> list[Finding]:
        """There is nothing that could be called."""
        return [Finding("web form", True, f"{self._profile.system} calls us; there is nothing to connect to")]

    def close(self) -> None:
        """There is nothing to let go of."""

    def _known(self, kind: str) -> FormPushes:
        try:
            return self._pushes[kind]
        except KeyError:
            known = ", ".join(self._pushes)
            raise Misconfigured(
                f"the profile of {self._profile.system} has no records {kind}; it has {known}"
            ) from None

    def _only_calls(self, kind: str) -> Misconfigured:
        return Misconfigured(f"{self._profile.system} only calls us: no {kind} can be asked of it or sent to it")


def interfaces_of(profile: WebFormProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of record, for checking mappings against. Raises Misconfigured."""
    found = []
    for kind, schema in _schemas(profile, interfaces).items():
        read = Flattener(schema.name, schema.follow, use="read").made(schema.root)
        found.append(interface(profile.system, kind, schema.name, read=read, create=None, update=None, ours=()))
    return found


def _schemas(profile: WebFormProfile, interfaces: Callable[[str], bytes]) -> Mapping[str, JsonSchema]:
    found = {}
    for kind, record in profile.records.items():
        try:
            body = interfaces(record.form)
        except (LookupError, OSError, ValueError) as trouble:
            raise Misconfigured(
                f"records.{kind}.form: {record.form} is not among the pinned interfaces: save it there"
            ) from trouble
        found[kind] = JsonSchema(body, record.form)
    return found
