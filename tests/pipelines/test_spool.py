"""The spool: what is kept is whole, sealed, in order, and cleared away when its time is over."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import Unreachable
from connectors.spool import SpoolFault
from pipelines.keystore import KeyStore
from pipelines.spool import FolderSpool


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    store = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", bytes(range(32)))
    yield store
    store.close()


@pytest.fixture
def spool(tmp_path: Path, keys: KeyStore) -> FolderSpool:
    return FolderSpool(tmp_path / "spool", keys, "torfaen", "events", alone=True)


def test_what_is_kept_is_read_again_and_forgotten(spool: FolderSpool) -> None:
    assert (spool.names(""), spool.read("a")) == ([], None)
    for name in ("b-2", "a-1", "b-1"):
        spool.keep(name, name.encode() * 1000)
    spool.keep("a-1", b"newer")
    assert spool.names("b-") == ["b-1", "b-2"]
    assert spool.read("a-1") == b"newer"
    spool.drop("a-1")
    spool.drop("a-1")
    assert spool.names("") == ["b-1", "b-2"]


def test_a_site_with_another_main_key_opens_nothing(spool: FolderSpool, tmp_path: Path) -> None:
    spool.keep("a", b"Gwenllian")
    other = KeyStore(f"sqlite:///{tmp_path / 'other.db'}", bytes(32))
    try:
        with pytest.raises(SpoolFault, match="another main key"):
            FolderSpool(tmp_path / "spool", other, "torfaen", "events", alone=True).read("a")
    finally:
        other.close()


def test_it_may_be_carried_to_another_machine_of_the_site(spool: FolderSpool, tmp_path: Path) -> None:
    spool.keep("a", b"Gwenllian")
    (tmp_path / "spool").rename(tmp_path / "elsewhere")
    keys = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", bytes(range(32)))  # the machines of a site share it
    try:
        assert FolderSpool(tmp_path / "elsewhere", keys, "torfaen", "events", alone=False).read("a") == b"Gwenllian"
    finally:
        keys.close()


def test_what_a_dead_process_left_unfinished_is_nobody_s_and_goes(spool: FolderSpool, tmp_path: Path) -> None:
    spool.keep("a", b"x")
    folder = tmp_path / "spool" / "torfaen" / "events"
    young, old = folder / "a.1-aa.new", folder / "a.1-bb.new"
    for left in (young, old):
        left.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    assert spool.names("") == ["a"]
    assert (young.exists(), old.exists()) == (True, False)


def test_what_is_older_than_is_needed_goes(spool: FolderSpool, tmp_path: Path) -> None:
    for name in ("made-1", "made-2", "queue-1"):
        spool.keep(name, b"x")
    for name in ("made-1", "queue-1"):
        os.utime(tmp_path / "spool" / "torfaen" / "events" / name, (time.time() - 100,) * 2)
    spool.forget_older("made-", 50)
    assert spool.names("") == ["made-2", "queue-1"]


@pytest.mark.skipif(os.name == "nt", reason="a file in the folder's place is found out otherwise there")
def test_a_disk_that_takes_nothing_says_where_and_may_be_tried_again(tmp_path: Path, keys: KeyStore) -> None:
    (tmp_path / "taken").write_bytes(b"a file")
    spool = FolderSpool(tmp_path / "taken", keys, "torfaen", "events", alone=True)
    with pytest.raises(Unreachable, match=r"spool of torfaen/events .* give Dolen's account room and rights"):
        spool.keep("a", b"x")


@pytest.mark.parametrize("name", ["", "../a", "A", "a/b", "a.new"])
def test_a_name_cannot_lead_elsewhere(spool: FolderSpool, name: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        spool.keep(name, b"x")
