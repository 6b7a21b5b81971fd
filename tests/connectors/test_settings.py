"""Settings and profiles: closed, described, all problems at once, and never a value in a message."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from connectors import errors, registry
from connectors.port import Tier
from connectors.problems import ProfileFaults
from connectors.soap.profile import SoapProfile

CANARY = "Gwenllian-Canary"
GOOD: dict[str, Any] = {"url": "https://casework.example.org/soap"}


def secret(reference: str) -> str:
    return {"env:PASSWORD": CANARY, "env:URL": "https://elsewhere.example.org/", "file:/broken": f"{CANARY}\nx"}[
        reference
    ]


def problems(protocol: str, connect: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ProfileFaults) as caught:
        registry.check_settings(protocol, connect, secret=secret)
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert isinstance(caught.value, errors.Misconfigured)
    return {".".join(map(str, problem.path)): str(problem) for problem in caught.value.problems}


def test_good_settings_and_their_defaults() -> None:
    made: Any = registry.check_settings("soap", GOOD, secret=secret)
    assert (made.timeout_seconds, made.max_reply_bytes, made.limits.at_once, made.login) == (20, 20_000_000, 4, None)


def test_references_are_resolved_and_secrets_stay_hidden() -> None:
    login = {"username": "dolen", "password": "env:PASSWORD", "digest": True}
    made: Any = registry.check_settings("soap", {"url": "env:URL", "login": {"ws_security": login}}, secret=secret)
    assert made.url == "https://elsewhere.example.org/"
    assert made.login.ws_security.password.get_secret_value() == CANARY
    assert CANARY not in repr(made) + made.model_dump_json()


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"ulr": "x"}, "ulr", "is url meant?"),
    ({"url": None}, "url", "string"),
    ({"url": "casework.example.org"}, "url", "https://casework.example.org/soap"),
    ({"url": "http://casework.example.org/"}, "url", "write https"),
    ({"url": f"https://{CANARY}:x@casework.example.org/"}, "url", "login"),
    ({"url": "https://casework.example.org:port/"}, "url", ""),
    ({"url": "ftp://casework.example.org/"}, "url", "https://"),
    ({"timeout_seconds": 0}, "timeout_seconds", "greater than 0"),
    ({"timeout_seconds": CANARY}, "timeout_seconds", "number"),
    ({"limits": {"calls_a_minute": 3}}, "limits.calls_a_minute", "calls_a_second"),
    ({"ca_bundle": "/nowhere/ca.pem"}, "ca_bundle", "PEM"),
    ({"proxy": "proxy.example.org"}, "proxy", "http://proxy.example.org:3128"),
    ({"login": {}}, "login", "exactly one way to log in"),
    ({"login": {"basic": {"username": "a"}}}, "login.basic.password", "is missing"),
    ({"login": {"basic": {"username": "a", "password": CANARY}}}, "login.basic.password", "env:NAME or file:PATH"),
    ({"login": {"basic": {"username": "a", "password": "file:/broken"}}}, "login.basic.password", "line break"),
    ({"login": {"notify": {"api_key": "env:PASSWORD"}}}, "the whole", "does not fit SOAP"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "place", "words"), WRONG, ids=[f"{row[1]}-{row[2][:20]}" for row in WRONG])
def test_a_wrong_setting_is_named_with_what_to_write(change: dict[str, Any], place: str, words: str) -> None:
    found = problems("soap", {**GOOD, **change})
    assert words in found["" if place == "the whole" else place]


def test_all_problems_at_once() -> None:
    found = problems("soap", {"ulr": "x", "timeout_seconds": -1, "limits": {"at_once": 0}})
    assert set(found) == {"ulr", "url", "timeout_seconds", "limits.at_once"}


def test_a_secret_that_is_not_there_is_said_by_whoever_keeps_them() -> None:
    with pytest.raises(KeyError):
        registry.check_settings(
            "soap", {**GOOD, "login": {"basic": {"username": "a", "password": "env:GONE"}}}, secret=secret
        )


@pytest.mark.parametrize(
    "profile", [{}, {"protocol": "soup"}, {"protocol": ["soap"]}, {"system": "x", "protocol": None}]
)
def test_a_protocol_that_nobody_speaks(profile: dict[str, Any]) -> None:
    with pytest.raises(ProfileFaults, match="write one of soap, rest, fhir, bars, files, notify, by-hand"):
        registry.check_profile(profile)
    with pytest.raises(errors.Misconfigured):
        registry.profile_model("soup")


Change = Callable[[dict[str, Any]], Any]
PROFILES: list[tuple[Change, str]] = [
    (lambda p: p.update(clock="Europe/Cardiff"), "clock: cannot stand here; no such time zone"),
    (lambda p: p.update(interface="../../etc/passwd"), "interface: cannot stand here; name a pinned file"),
    (lambda p: p.update(interface="http://x/y.wsdl"), "interface: cannot stand here; name a pinned file"),
    (lambda p: p.update(records={}), "records"),
    (lambda p: p["records"]["Referral"].update(chagnes={}), "is changes meant?"),
    (lambda p: p["records"]["Referral"]["changes"].update(feed="delta"), r"records\.Referral\.changes\.feed"),
    (lambda p: p["records"]["Referral"]["changes"].update(overlap="-PT5M"), "write a duration from PT0S to P31D"),
    (lambda p: p["records"]["Referral"]["changes"].update(items="Referral"), r"records\.Referral\.changes\.items"),
    (
        lambda p: p["records"]["Referral"]["changes"]["page"].pop("more"),
        r"page\.more: is missing; write it, such as More",
    ),
    (lambda p: p["records"]["Referral"]["item"].pop("modified"), "needs item.modified"),
    (lambda p: p["records"]["Referral"].pop("fetch"), "update.mode replace needs fetch"),
    (lambda p: p["records"]["Referral"]["create"].pop("our_key"), "find needs create.our_key"),
    (lambda p: p["records"]["Referral"]["create"].update(reply={}), "reply.id is missing"),
    (lambda p: p["records"]["Referral"]["errors"].update(X="retry"), r"records\.Referral\.errors\.X"),
]


@pytest.mark.parametrize(("change", "words"), PROFILES, ids=[row[1][:30] for row in PROFILES])
def test_a_profile_that_cannot_work(change: Change, words: str, shipped: Any) -> None:
    profile = copy.deepcopy(shipped("casework"))
    change(profile)
    with pytest.raises(ProfileFaults, match=words) as caught:
        registry.check_profile(profile)
    assert caught.value.reason.startswith("the profile of casework: ")


@pytest.mark.parametrize(
    ("change", "tier"),
    [
        (lambda r: None, Tier.SEARCHABLE),
        (lambda r: r["create"].update(keeps_key=True), Tier.KEEPS_KEY),
        (lambda r: r.pop("find"), Tier.NEITHER),
    ],
)
def test_the_tier_follows_from_what_is_declared(change: Change, tier: Tier, shipped: Any) -> None:
    profile = copy.deepcopy(shipped("casework"))
    change(profile["records"]["Referral"])
    assert SoapProfile.model_validate(profile).records["Referral"].tier is tier


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for found in _models_in(field.annotation):
            yield from models(found, seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


@pytest.mark.parametrize("protocol", list(registry.FAMILIES))
def test_every_setting_is_closed_and_described_with_an_example(protocol: str) -> None:
    seen: set[type[BaseModel]] = set()
    for root in (registry.profile_model(protocol), registry.settings_model(protocol)):
        for model in models(root, seen):
            assert model.model_config.get("extra") == "forbid", model
            assert model.__doc__, model
            for name, field in model.model_fields.items():
                assert field.description, f"{model.__name__}.{name}"
                assert field.examples, f"{model.__name__}.{name}"
        assert root.model_json_schema()["additionalProperties"] is False
