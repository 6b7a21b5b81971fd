"""Records go to the pretend case system and come back, over real sockets and in both versions of SOAP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from connectors import errors
from connectors.port import Connector, Tier

KIND = "Referral"
Open = Callable[..., Connector]
Everything = Callable[..., tuple[list[Any], str, int]]


@pytest.mark.parametrize("digest", [False, True])
def test_a_record_goes_there_and_comes_back_as_it_was(
    connect: Open, port: str, digest: bool, new: dict[str, Any]
) -> None:
    casework = connect(port, digest=digest)
    made = casework.deliver(KIND, new, key="torfaen-1-casework")
    assert (made.effect, made.version) == ("created", "1")
    assert made.modified is not None
    item = casework.fetch(KIND, made.id)
    assert item is not None
    assert (item.id, item.version, item.our_key, item.modified) == (made.id, "1", "torfaen-1-casework", made.modified)
    shown = {name: item.record[name] for name in new}
    assert shown == {**new, "Safeguarding": "false"}
    assert "Siân" not in repr(item)
    assert casework.find(KIND, "torfaen-1-casework") == [item]
    assert new["Safeguarding"] is False, "the caller's own record is left alone"


def test_what_the_profile_promises(connect: Open) -> None:
    casework = connect()
    assert casework.tier(KIND) is Tier.SEARCHABLE
    assert casework.reads_first(KIND)
    assert casework.kinds() == (KIND,)
    assert casework.offers(KIND) == {"changes", "fetch", "create", "update", "find"}
    with pytest.raises(errors.Misconfigured, match="no kind of record Person"):
        casework.fetch("Person", "1")


def test_an_update_replaces_the_record_and_keeps_what_nobody_maps(
    connect: Open, council: Any, port: str, new: dict[str, Any]
) -> None:
    casework = connect(port)
    made = casework.deliver(KIND, new, key="k")
    foreign = '<Extra xmlns="urn:example:casework:2"><a xmlns="urn:x" b="1">c<d/></a></Extra>'
    council.control(
        "PATCH", f"{council.name}/casework/records/{made.id}", {"OfficerNotes": "typed in", "Extra": foreign}
    )
    item = casework.fetch(KIND, made.id)
    assert item is not None
    before = next(record for record in council.records("casework") if record["ReferralId"] == made.id)
    done = casework.deliver(KIND, {**item.record, "Status": "TRI"}, key="k", id=made.id, version=item.version)
    assert (done.effect, done.id, done.version) == ("updated", made.id, str(int(item.version) + 1))
    after = next(record for record in council.records("casework") if record["ReferralId"] == made.id)
    moving = ("Status", "Version", "LastChanged", "StatusChanged")
    assert shape(after.pop("Extra")) == shape(before.pop("Extra")), "prefixes are nobody's content; names and text are"
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in before.items() if k not in moving}
    assert after["Status"] == "TRI"
    with pytest.raises(errors.Outdated):
        casework.deliver(KIND, item.record, key="k", id=made.id, version=item.version)


def test_what_is_not_there(connect: Open, port: str, new: dict[str, Any]) -> None:
    casework = connect(port)
    assert casework.fetch(KIND, "R9999999") is None
    assert casework.find(KIND, "nobody") == []
    with pytest.raises(errors.NotThere):
        casework.deliver(KIND, new, key="k", id="R9999999", version="1")


def test_the_system_says_no_and_names_the_field(connect: Open, port: str, new: dict[str, Any]) -> None:
    casework = connect(port)
    with pytest.raises(errors.Rejected) as caught:
        casework.deliver(KIND, {**new, "Priority": "RED"}, key="k")
    assert caught.value.field == "Priority"
    assert caught.value.code
    assert caught.value.reply
    assert "Rhŷs" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Surnam": "x"}, "Surnam"),
        ({"Safeguarding": "perhaps"}, "Safeguarding"),
        ({"Safeguarding": ""}, "Safeguarding"),
        ({"Received": None}, "Received"),
        ({"Received": "02/03/2026"}, "Received"),
        ({"Received": ["2026-03-02T09:30:00"] * 2}, "Received"),
        ({"Reason": "line\x00break"}, "Reason"),
        ({"Reason": "\ud83d"}, "Reason"),
        ({"Reason": "x" * 2001}, "Reason"),
        ({"Reason": {"a": "b"}}, "Reason"),
        ({"Kind": "ref"}, "Kind"),
        ({"Subject": {"Surname": "x"}}, "Subject/Forename"),
        ({"Subject": "text"}, "Subject/."),
        ({"Needs": {"Need": [{".": "without code"}]}}, "Needs/Need/code"),
    ],
)
def test_what_the_interface_does_not_allow_is_never_sent(
    connect: Open, council: Any, change: Any, field: str, new: dict[str, Any]
) -> None:
    casework = connect()
    with pytest.raises(errors.Rejected) as caught:
        casework.deliver(KIND, {**new, **change}, key="k")
    assert caught.value.field == field
    assert caught.value.code == "not-in-interface"
    assert council.calls("casework", "CreateReferral") == 0
    for value in ("perhaps", "02/03/2026", "without code"):
        assert value not in str(caught.value)


def test_an_empty_element_and_an_absent_one_are_two_things(connect: Open, new: dict[str, Any]) -> None:
    casework = connect()
    made = casework.deliver(KIND, {**new, "Needs": "", "Reason": "", "Team": None}, key="k")
    item = casework.fetch(KIND, made.id)
    assert item is not None
    assert item.record["Needs"] == ""
    assert item.record["Reason"] == ""
    assert "Team" not in item.record


def test_a_wrong_password_pauses_and_does_nothing(connect: Open, council: Any, port: str, new: dict[str, Any]) -> None:
    login = {"username": "dolen", "password": "env:wrong"}
    casework = connect(port, login={"ws_security": login})
    with pytest.raises(errors.Unauthorised) as caught:
        casework.deliver(KIND, new, key="k")
    assert council.records("casework") == []
    assert "not-the-password" not in str(caught.value) + repr(casework.__dict__)
    assert [finding.subject for finding in casework.doctor() if not finding.well] == ["login"]


def shape(content: str) -> list[Any]:
    """Names, attributes and text of a piece of XML, whatever its prefixes."""
    return [(node.tag, dict(node.attrib), node.text, node.tail) for node in etree.fromstring(content).iter()]


def test_the_system_lists_its_own_codes(connect: Open, port: str) -> None:
    casework = connect(port)
    assert casework.lookups(KIND) == ("Kind", "Status", "Priority", "Outcome", "Needs/Need/@code")
    told = casework.codes(KIND, "Priority")
    assert next((one.code, one.cy, one.en) for one in told) == ("P1", "Argyfwng", "Emergency")
    assert len(told) == 3
    assert len(casework.codes(KIND, "Needs/Need/@code")) == 8
    with pytest.raises(errors.Misconfigured, match="look-up of Team"):
        casework.codes(KIND, "Team")
