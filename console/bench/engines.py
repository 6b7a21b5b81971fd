"""The engines that the mapping bench compares with, each given the record in its own language: JMESPath, glom, JSONata.

None of them knows code lists, lengths or times, so each calls the functions of `byhand` for them, in the way that it
has for functions of one's own. They are no dependency of Dolen: one that is not installed is left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from console.bench import byhand

HERE = Path(__file__).parent / "words"
Codes = Mapping[str, Mapping[str, str]]
Turn = Callable[[Mapping[str, Any]], Any]  # a record, or a referral as plain data, to the other


class Engine(NamedTuple):
    """One engine. `package`: what has to be installed; `make(read codes, write codes)`: its two functions."""

    name: str
    called: str
    package: str
    module: str
    make: Callable[[Codes, Codes], tuple[Turn, Turn]]

    @property
    def installed(self) -> bool:
        """Whether it is there."""
        return importlib.util.find_spec(self.module) is not None


def _functions(codes: Codes) -> dict[str, Callable[..., Any]]:
    """What all of them call, by the name that their languages use."""
    plain = (byhand.text, byhand.texts, byhand.flag, byhand.day, byhand.instant, byhand.phone, byhand.postcode,
             byhand.nhs_number, byhand.short, byhand.short_list, byhand.stamp)  # fmt: skip
    return {function.__name__: function for function in plain} | {
        "code": lambda name, value: byhand.code(value, codes[name])
    }


def _jmespath(reads: Codes, writes: Codes) -> tuple[Turn, Turn]:
    jmespath = importlib.import_module("jmespath")
    declared = importlib.import_module("jmespath.functions")

    def options(codes: Codes) -> Any:
        # JMESPath finds a function by its name in a class, and is told of each argument that it may be anything.
        anything: dict[str, list[str]] = {"types": []}
        members: dict[str, Any] = {}
        for name, function in _functions(codes).items():
            arguments = [anything] * {"code": 2, "short": 2, "short_list": 3}.get(name, 1)

            def called(_: Any, *values: Any, function: Callable[..., Any] = function) -> Any:
                return function(*values)

            members[f"_func_{name}"] = declared.signature(*arguments)(called)
        return jmespath.Options(custom_functions=type("Ours", (declared.Functions,), members)())

    def turn(file: str, codes: Codes) -> Turn:
        compiled, given = jmespath.compile((HERE / file).read_text(encoding="utf-8")), options(codes)
        return lambda record: compiled.search(record, given)

    return turn("read.jmespath", reads), turn("write.jmespath", writes)


def _jsonata(reads: Codes, writes: Codes) -> tuple[Turn, Turn]:
    jsonata = importlib.import_module("jsonata")

    def turn(file: str, codes: Codes) -> Turn:
        compiled = jsonata.Jsonata((HERE / file).read_text(encoding="utf-8"))
        for name, function in _functions(codes).items():
            compiled.register_lambda(name, function)
        return lambda record: compiled.evaluate(record)

    return turn("read.jsonata", reads), turn("write.jsonata", writes)


def _glom(reads: Codes, writes: Codes) -> tuple[Turn, Turn]:
    glom, val = (getattr(importlib.import_module("glom"), name) for name in ("glom", "Val"))
    read, write = _glom_read(val, reads), _glom_write(val, writes)
    return lambda record: glom(record, read), lambda record: glom(record, write)


def _code(codes: Codes, name: str) -> Callable[[Any], Any]:
    return partial(byhand.code, table=codes[name])


def _first(**fixed: str) -> Callable[[list[dict[str, Any]]], Any]:
    """The member of a list with these values, as one writes it beside glom's own words."""
    return lambda members: next(one for one in members if all(one[key] == value for key, value in fixed.items()))


def _glom_read(val: Any, codes: Codes) -> dict[str, Any]:
    text, texts, flag, day, instant, phone = (
        byhand.text, byhand.texts, byhand.flag, byhand.day, byhand.instant, byhand.phone
    )  # fmt: skip
    code = partial(_code, codes)
    return {
        "citizen_reference": ("public_reference", text),
        "target_identifiers": lambda record: [{"system": "care", "value": text(record["case_number"])}],
        "type": ("category", code("contact-category")),
        "status": ("status", code("contact-status")),
        "status_reason": {"text": ("status_reason", text)},
        "status_changed_at": ("status_changed_at", instant),
        "priority": ("priority", code("contact-priority")),
        "received_at": ("received_at", instant),
        "authored_at": ("authored_at", instant),
        "due_at": ("due_at", instant),
        "channel": ("channel", code("contact-channel")),
        "reason": ("reason", {"code": ("code", text), "text": ("text", text)}),
        "primary_support_reason": ("support_reason", text),
        "route_of_access": ("route_of_access", text),
        "assigned_to": {"team": ("team", text), "worker_ref": ("worker", text)},
        "appointments": lambda record: [{"kind": "visit", "start": day(record["visit_on"])}],
        "outcome": ("outcome", code("contact-outcome")),
        "outcome_reason": ("outcome_reason", text),
        "safeguarding_flag": ("flags.safeguarding", flag),
        "restricted_record": ("flags.restricted", flag),
        "person": ("customer", {
            "name": {"given": ("first_names", texts), "family": ("last_name", text), "title": ("title", text),
                     "preferred": ("known_as", text)},
            "date_of_birth": ("date_of_birth", day),
            "gender": ("gender", code("contact-gender")),
            "nhs_number": ("nhs_number", byhand.nhs_number),
            "ethnicity": ("ethnicity", text),
            "gp_practice": ("gp_practice", text),
            "address": ("address", {"uprn": ("uprn", text), "lines": ("lines", texts), "town": ("town", text),
                                    "postcode": ("postcode", byhand.postcode)}),
            "telecom": ("contacts", {
                "email": (_first(type="email"), {"system": val("email"), "value": ("value", text)}),
                "phone": (_first(type="phone"), {"system": val("phone"), "use": val("home"),
                                                 "value": ("value", phone)}),
                "mobile": (_first(type="mobile"), {"system": val("phone"), "use": val("mobile"),
                                                   "value": ("value", phone),
                                                   "safe_to_text": ("ok_to_text", flag)}),
            }, lambda found: list(found.values())),
        }),
        "communication_needs": ("communication_needs", texts),
        "language": ("language", {
            "correspondence": ("letters", code("contact-language")),
            "spoken": ("speech", code("contact-speech")),
            "interpreter_required": ("interpreter", flag),
            "asked_at": ("asked_at", instant),
            "asked_by": ("asked_by", text),
        }),
        "notify": ("updates", {"channel": val("text"), "opted_in": ("opted_in", flag), "at": ("asked_at", instant)},
                   lambda found: {"opt_in": [found]}),
        "referrer": ("referred_by", {
            "kind": ("kind", code("contact-referrer")),
            "name": ("name", text),
            "relationship": ("relationship", text),
            "role": ("role", text),
            "organisation": ("organisation", text),
            "ods": ("ods", text),
            "telecom": ("mobile", phone, lambda found: [{"system": "phone", "use": "mobile", "value": found}]),
            "wants_updates": ("wants_updates", flag),
            "person_agrees": ("customer_agrees", flag),
        }),
        "needs": ("needs", [{"code": ("code", code("contact-need")), "text": ("note", text)}]),
    }  # fmt: skip


def _glom_write(val: Any, codes: Codes) -> dict[str, Any]:
    code, day, stamp = partial(_code, codes), byhand.day, byhand.stamp

    def short(path: str, most: int) -> tuple[str, Callable[[Any], Any]]:
        return path, partial(byhand.short, most=most)

    def short_list(path: str, most: int, items: int) -> tuple[str, Callable[[Any], Any]]:
        return path, partial(byhand.short_list, most=most, items=items)

    return {
        "public_reference": short("citizen_reference", 20),
        "case_number": ("target_identifiers", _first(system="care"), *short("value", 50)),
        "category": ("type", code("contact-category")),
        "status": ("status", code("contact-status")),
        "status_reason": short("status_reason.text", 500),
        "status_changed_at": ("status_changed_at", stamp),
        "priority": ("priority", code("contact-priority")),
        "received_at": ("received_at", stamp),
        "authored_at": ("authored_at", stamp),
        "due_at": ("due_at", stamp),
        "channel": ("channel", code("contact-channel")),
        "reason": ("reason", {"code": short("code", 20), "text": short("text", 2000)}),
        "support_reason": short("primary_support_reason", 40),
        "route_of_access": short("route_of_access", 40),
        "team": short("assigned_to.team", 40),
        "worker": short("assigned_to.worker_ref", 80),
        "visit_on": ("appointments", _first(kind="visit"), "start", day),
        "outcome": ("outcome", code("contact-outcome")),
        "outcome_reason": short("outcome_reason", 500),
        "flags": {"safeguarding": "safeguarding_flag", "restricted": "restricted_record"},
        "customer": ("person", {
            "first_names": short_list("name.given", 35, 5),
            "last_name": short("name.family", 35),
            "title": short("name.title", 35),
            "known_as": short("name.preferred", 35),
            "date_of_birth": ("date_of_birth", day),
            "gender": ("gender", code("contact-gender")),
            "nhs_number": short("nhs_number", 12),
            "ethnicity": short("ethnicity", 10),
            "gp_practice": short("gp_practice", 10),
            "address": ("address", {"uprn": short("uprn", 12), "lines": short_list("lines", 100, 5),
                                    "town": short("town", 60), "postcode": short("postcode", 10)}),
            "contacts": ("telecom", {
                "home": (_first(system="phone", use="home"), {"type": val("phone"), "value": short("value", 100)}),
                "mobile": (_first(system="phone", use="mobile"), {"type": val("mobile"), "value": short("value", 100),
                                                                  "ok_to_text": "safe_to_text"}),
                "email": (_first(system="email"), {"type": val("email"), "value": short("value", 100)}),
            }, lambda found: list(found.values())),
        }),
        "communication_needs": short_list("communication_needs", 30, 8),
        "language": ("language", {
            "letters": ("correspondence", code("contact-language")),
            "speech": ("spoken", code("contact-speech")),
            "interpreter": "interpreter_required",
            "asked_at": ("asked_at", stamp),
            "asked_by": short("asked_by", 80),
        }),
        "updates": ("notify.opt_in", _first(channel="text"), {"opted_in": "opted_in", "asked_at": ("at", stamp)}),
        "referred_by": ("referrer", {
            "kind": ("kind", code("contact-referrer")),
            "name": short("name", 80),
            "relationship": short("relationship", 40),
            "role": short("role", 80),
            "organisation": short("organisation", 80),
            "ods": short("ods", 10),
            "mobile": ("telecom", _first(system="phone", use="mobile"), *short("value", 20)),
            "wants_updates": "wants_updates",
            "customer_agrees": "person_agrees",
        }),
        "needs": ("needs", [{"code": ("code", code("contact-need")), "note": short("text", 200)}]),
    }  # fmt: skip


ENGINES = (
    Engine("jmespath", "compiled JMESPath", "jmespath", "jmespath", _jmespath),
    Engine("glom", "glom", "glom", "glom", _glom),
    Engine("jsonata", "jsonata-python", "jsonata-python", "jsonata", _jsonata),
)
