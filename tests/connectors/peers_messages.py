"""Who is held to the one suite and shows nothing of what was sent, or only shows: NHS BaRS, directories, web forms.

A BaRS message cannot be read back, so what the receiver holds is read at its own desk. What comes to us unasked, from a
form or by BaRS, is `test_conformance_pushed.py`'s business.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from connectors.port import Connector, Record
from connectors.registry import open_connector
from tests.connectors.bars.test_bars import CONNECT, RECORD
from tests.connectors.conftest import ROOT, Answer, Call, Council, Small
from tests.connectors.directory import JSON, Feed
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.standing import CALM_SECONDS, MOST_BYTES, SECONDS, Standing

KEY = "allwedd-y-cyfeiriadur"
FORM_SECRET = "cyfrinach-y-ffurflen-0123456789"
NO_CODES = {"lists of codes": "the system tells no codes, and the profile names no list of them"}
_UNREAD = "messages can neither be listed nor read again nor looked up, so there is nothing to be read by a login"


@contextmanager
def bars(council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """A receiver of NHS BaRS: each message tells the whole, one that was processed is refused when it comes again."""
    right = f"Bearer {council.secrets['bars']['token']}"
    with FaultProxy(council.url, strikes=lambda _method, _path: True) as proxy:
        connect = {
            **CONNECT, "url": proxy.through(council.system("bars")) + "/FHIR/R4",
            "login": {"api_key": {"header": "Authorization", "key": "env:X"}},
        }  # fmt: skip

        def record(text: str) -> Record:
            made: Record = copy.deepcopy(RECORD)
            made["ServiceRequest"]["reasonCode"] = [{"text": text}]
            return made

        def shows(id: str) -> Record:
            """What we write of a record, as the receiver holds it."""
            (held,) = [one for one in council.records("bars") if one["ServiceRequest"]["id"] == id]
            return {
                type: {name: held[type][name] for name in RECORD[type].keys() | {"reasonCode"} if name in held[type]}
                for type in ("Patient", "ServiceRequest")
            }

        yield Standing(
            "bars", "Referral", _opener(shipped("bars"), connect, right, "Bearer not-the-token"), record, proxy,
            (council.secrets["bars"]["token"],), overlap=False, versioned=False, whole=True, shows=shows,
            held=lambda: len(council.records("bars")),
            exempt={**NO_CODES, "a wrong login": f"{_UNREAD}; tests/connectors/bars sends under a wrong one"},
        )  # fmt: skip


@contextmanager
def directory(_council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """A directory of services by Open Referral UK, here one that asks for a key: listed whole, and read one by one."""
    profile = shipped("open-referral-uk")
    profile["records"]["Service"]["of"] = 5
    feed = Feed(Answer)

    def say(call: Call) -> Answer:
        if call.headers.get("x-api-key") != KEY:
            return Answer(401, b'{"message": "no key"}', JSON)
        told: Answer = feed(call)
        return told

    server = Small(say)
    try:
        with FaultProxy(server.url, strikes=lambda _method, _path: True) as proxy:
            login = {"api_key": {"header": "X-Api-Key", "key": "env:X"}}
            connect = {"url": proxy.through(server.url) + "/feed", "login": login}
            yield Standing(
                "open-referral", "Service", _opener(profile, connect, KEY, "not-the-key"), lambda _: {}, proxy, (KEY,),
                overlap=False, versioned=False, exempt=NO_CODES, kept={"id": feed.services[3]["id"], "key": ""},
            )  # fmt: skip
    finally:
        server.close()


@contextmanager
def web_form(_council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """A form that calls us: nothing can be asked of it or sent to it."""

    def opened(**_: bool) -> Connector:
        push = {"signature": {"secrets": ["env:X"], "id_header": "Idempotency-Key"}}
        return open_connector(
            shipped("web-form"), {"push": push}, interfaces=lambda name: (ROOT / "connectors" / name).read_bytes(),
            clock=lambda: datetime.now(UTC), secret=lambda _: FORM_SECRET,
        )  # fmt: skip

    yield Standing(
        "web-form", "Referral", opened, lambda _: {}, None, (FORM_SECRET,), overlap=False, versioned=False,
        exempt={**NO_CODES, "a wrong login": "we log in nowhere: the form proves itself to us, in the pushed half"},
    )  # fmt: skip


def _opener(profile: Any, connect: dict[str, Any], right: str, wrong: str) -> Callable[..., Connector]:
    def opened(**how: bool) -> Connector:
        limits = {"timeout_seconds": SECONDS if how.get("hurried") else CALM_SECONDS, "max_reply_bytes": MOST_BYTES}
        return open_connector(
            profile, {**connect, **limits}, interfaces=lambda name: (ROOT / "connectors" / name).read_bytes(),
            clock=lambda: datetime.now(UTC), secret=lambda _: wrong if how.get("wrong") else right,
        )  # fmt: skip

    return opened
