"""What is given once: a queue that a read empties, and a mailbox whose messages are acknowledged, under every fault.

The one suite reads the same again and again, which these cannot bear. What they keep is held here, with the same proxy
and the same faults: whatever goes wrong, each event comes to us, or a person is told that something was lost.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError, PageUnreadable
from connectors.port import Connector, Item, UnreadableItem
from pipelines.keystore import KeyStore
from pipelines.spool import FolderSpool
from sandbox.abavus import Abavus, Held
from sandbox.mesh import Mesh
from tests.connectors.fault_proxy import AFTER, BEFORE, REFUSALS, Fault, FaultProxy
from tests.connectors.mesh.conftest import OURS, PROFILE, THEIRS, WORKFLOW, referral
from tests.connectors.peers_others import ABAVUS_KEY, opener, served
from tests.connectors.standing import Standing, attempt

FAULTS = {**REFUSALS, **BEFORE, **AFTER}
COUNCIL = "torfaen"
#: The only copy of what a queue gave is kept up to 200 MB, however it was packed, so its memory is not held to less.
TOO_DEAR = ("abavus", "packed bomb")
#: What was given is gone there, though its answer did not come whole: of MESH only what bears its own headers.
MARRED = {"abavus": set(AFTER), "mesh": {"cut short", "another encoding", "no such encoding"}}


@dataclass
class Desk:
    """One system that gives each event once."""

    standing: Standing
    happens: Callable[[int], set[str]]  # lets so many events come; what each is known by
    known: Callable[[Item], str]
    calls: int  # of a walk, before any of which it may go wrong
    later: Callable[[], None] = lambda: None  # lets the time pass in which an answer might still come


@contextmanager
def queue(shipped: Callable[[str], Any], folder: Path) -> Iterator[Desk]:
    """The form system's events."""
    system, hands, numbers = Abavus(ABAVUS_KEY), [datetime(2026, 3, 2, 9, tzinfo=UTC)], count()
    held = Held(1, {"status": "OPEN_S", "form": {"code": "REFERRAL_C"}}, reference="K1", system="DOLEN")
    system.office(COUNCIL).requests[1] = held

    def happens(number: int) -> set[str]:
        status = f"STATUS_{next(numbers)}"
        return {str(system.staff_put(COUNCIL, "1", {"status": status})["guid"]) for _ in range(number)}

    def later() -> None:
        hands[0] += timedelta(minutes=5)

    keys = KeyStore(f"sqlite:///{folder / 'keys.db'}", bytes(range(32)))
    with served({"abavus": system}) as url, FaultProxy(url, strikes=lambda _method, _path: True) as proxy:
        login = {"api_key": {"header": "iPublicKey", "key": "env:key"}}
        connect = {"url": proxy.through(f"{url}/{COUNCIL}/abavus"), "login": login}
        opened = opener(
            shipped("abavus"), connect, {"key": ABAVUS_KEY}, {}, clock=lambda: hands[0],
            spool=FolderSpool(folder / "spool", keys, COUNCIL, "mcs", alone=True),
        )  # fmt: skip
        standing = Standing("abavus", "ServiceRequest", opened, lambda _: {}, proxy, (ABAVUS_KEY,))
        yield Desk(standing, happens, lambda item: item.version, 1, later)
        standing.close()
    keys.close()


@contextmanager
def mailbox(_shipped: Callable[[str], Any], _folder: Path) -> Iterator[Desk]:
    """MESH: what was not acknowledged stays."""
    secrets, numbers = {"password": "gwenynen-y-blwch", "shared": "gwenynen-i-bawb"}, count()
    system = Mesh(secrets["shared"], {OURS: secrets["password"], THEIRS: "arall"}, lambda: datetime.now(UTC))

    def happens(number: int) -> set[str]:
        ids = {f"R{next(numbers)}" for _ in range(number)}
        for id in ids:
            system.put(THEIRS, OURS, WORKFLOW, json.dumps(referral(id)).encode())
        return ids

    # The list, a message and its acknowledgement; the day's first handshake and the head of a message hold nothing.
    with served({OURS: system}) as url, FaultProxy(url, strikes=lambda how, _: how in ("GET", "PUT")) as proxy:
        login = {"mesh": {"mailbox": OURS, "password": "env:password", "shared_key": "env:shared"}}
        opened = opener(copy.deepcopy(PROFILE), {"url": proxy.through(url), "login": login, "to": THEIRS}, secrets, {})
        standing = Standing("mesh", "Referral", opened, lambda _: {}, proxy, tuple(secrets.values()))
        yield Desk(standing, happens, lambda item: item.id, 3)
        standing.close()


DESKS: dict[str, Callable[[Callable[[str], Any], Path], AbstractContextManager[Desk]]] = {
    "abavus": queue,
    "mesh": mailbox,
}


@pytest.fixture(scope="module", params=DESKS)
def desk(request: pytest.FixtureRequest, shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with DESKS[request.param](shipped, tmp_path_factory.mktemp("desk")) as made:
        yield made


def walk(standing: Standing, connector: Connector, fault: Fault | None = None) -> list[Item | UnreadableItem]:
    """What a walk shows until its end, or until it goes wrong: the next one begins anew."""
    found: list[Item | UnreadableItem] = []
    cursor = ""
    for _ in range(200):
        here = cursor
        page = attempt(standing, lambda: connector.changes(standing.kind, watermark="", cursor=here), fault)  # noqa: B023 - called at once
        if isinstance(page, PageUnreadable) and (behind := connector.skip(standing.kind, watermark="", cursor=here)):
            found.append(UnreadableItem(page.reply, page.reason))  # as the movement does: the bytes are a person's
            cursor = behind
            continue
        if isinstance(page, ConnectorError):
            return found
        found += page.items
        cursor = page.cursor
        if not cursor:
            return found
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize(
    ("desk", "name"),
    [(desk, name) for desk in DESKS for name in FAULTS if (desk, name) != TOO_DEAR],
    indirect=["desk"],
    scope="module",
)
def test_each_event_comes_or_its_loss_is_told(desk: Desk, name: str) -> None:
    fault, standing = FAULTS[name], desk.standing
    assert standing.proxy is not None
    for step in range(desk.calls):
        wanted = desk.happens(3)
        standing.proxy.strike(fault, after=step)
        found = walk(standing, standing.facing(fault), fault)
        assert standing.proxy.struck, "the fault did not strike"
        standing.calm()
        desk.later()
        found += walk(standing, standing.connector)
        lost = wanted - {desk.known(item) for item in found if isinstance(item, Item)}
        told = [item for item in found if isinstance(item, UnreadableItem)]
        assert not lost or (name in MARRED[standing.name] and told), f"{len(lost)} events are gone, and nobody knows"
        assert walk(standing, standing.connector) == [], "what was read comes again, after it was written down"
