"""The known-ids feed of a SOAP system: what is linked is read again through `fetch`; what is gone is passed over."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from connectors import registry
from connectors.problems import ProfileFaults
from tests.connectors.soap.conftest import KIND


def test_what_is_linked_is_read_again(
    council: Any, shipped: Callable[[str], Any], interfaces: Any, clock: Callable[[], datetime], new: dict[str, Any]
) -> None:
    linked: list[str] = []
    profile = copy.deepcopy(shipped("casework"))
    profile["records"][KIND]["changes"] = {"feed": "known-ids", "of": 2, "a_run": 2}
    login = {"username": "dolen", "password": "env:password"}
    connector = registry.open_connector(
        profile,
        {"url": council.system("casework") + "/soap", "login": {"ws_security": login}},
        interfaces=interfaces,
        clock=clock,
        secret=lambda _: council.secrets["casework"]["password"],
        known=lambda _, behind, most: sorted(id for id in linked if id > behind)[:most],
    )
    try:
        made = sorted(connector.deliver(KIND, new, key=f"k{number}").id for number in range(5))
        linked += [*made[:3], "no-such-number"]
        page = connector.changes(KIND, watermark="")
        assert [item.id for item in page.items] == made[:2]
        page = connector.changes(KIND, watermark="", cursor=page.cursor)
        assert [item.id for item in page.items] == made[2:3]
        assert (page.cursor, page.watermark) == ("", '[""]')
        first = connector.changes(KIND, watermark='[""]').items[0]
        assert connector.parse(KIND, first.raw, id=first.id) == first
        assert all(finding.well for finding in connector.doctor())
        assert connector.skip(KIND, watermark="", cursor="") is None
    finally:
        connector.close()


def test_it_needs_a_way_to_read_one(shipped: Callable[[str], Any]) -> None:
    profile = copy.deepcopy(shipped("casework"))
    profile["records"][KIND]["changes"] = {"feed": "known-ids"}
    for name in ("fetch", "update"):
        del profile["records"][KIND][name]
    with pytest.raises(ProfileFaults, match="a known-ids feed needs fetch"):
        registry.check_profile(profile)
