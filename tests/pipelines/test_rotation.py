"""Rotation of keys: while others work, killed anywhere, with every wrong key; and nothing is ever unreadable."""

import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pipelines import chance, composition, crash, rotating, rotation
from pipelines.composition import load
from pipelines.databases import open_engine
from pipelines.keystore import KeyFault, KeyStore
from pipelines.looking import NotPossible
from pipelines.mainkey import next_to, put_in_place

pytest_plugins = ("tests.on_servers", "tests.pipelines.pieces")

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "")
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def url(either: Callable[[], str]) -> str:
    return either()


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., KeyStore]]:
    opened: list[KeyStore] = []

    def open_it(*mains: bytes) -> KeyStore:
        opened.append(KeyStore(url, *(mains or (OLD,))))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def finish(keys: KeyStore) -> None:
    for _ in rotation.go_on(keys):
        pass
    assert rotation.finish(keys)


def some_keys(keys: KeyStore) -> dict[str, bytes]:
    """Held by councils, handed over to people, and made for people at once."""
    taken = dict(keys.take(council) for council in ("torfaen", "neath-port-talbot") for _ in range(3))
    handed = [keys.take("torfaen") for _ in range(3)]
    keys.hand_to_person([(id, f"p{at}") for at, (id, _) in enumerate(handed)], "torfaen")
    sealing = keys.sealing()
    made = [sealing.key("torfaen", f"q{at}") for at in range(3)]
    sealing.commit()
    return taken | dict(handed) | dict(made)


def all_open(keys: KeyStore, held: dict[str, bytes]) -> bool:
    return all(keys.key(id) == key for id, key in held.items())


def test_after_a_rotation_everything_opens_with_the_new_key_and_nothing_with_the_old(
    open_store: Callable[..., KeyStore],
) -> None:
    keys = open_store()
    held, lasting = some_keys(keys), keys.council_key("torfaen", "hash")
    assert rotation.begin(keys, NEW)
    assert rotation.status(keys).rows_left > 0
    assert not rotation.finish(keys), "at no rows left, and not before"
    finish(keys)
    assert rotation.status(keys).rows_left == 0
    after = open_store(NEW)
    assert all_open(after, held)
    assert after.council_key("torfaen", "hash") == lasting, "hashes that were made must be made the same again"
    with pytest.raises(KeyFault, match=r"main key m-[0-9a-f]{12} was replaced on .*let keys\.main lead to m-"):
        open_store(OLD)
    assert all_open(open_store(OLD, NEW), held), "while keys.next is named too"


def test_half_way_both_keys_open_everything(open_store: Callable[..., KeyStore]) -> None:
    keys = open_store()
    held = some_keys(keys)
    rotation.begin(keys, NEW)
    next(rotation.go_on(keys), 0)
    for main in (OLD, NEW):
        one = open_store(main)
        held |= some_keys(one)
        assert all_open(one, held)
    assert rotation.status(keys).under_way
    finish(open_store(NEW))
    assert all_open(open_store(NEW), held)


def test_a_process_that_slept_through_it_writes_nothing_by_an_old_key(open_store: Callable[..., KeyStore]) -> None:
    """It has the council's old key in memory. Meant to catch wrapping before looking which key counts."""
    asleep = open_store()
    held = some_keys(asleep)
    sealing = asleep.sealing()
    half = [sealing.key("torfaen", "p1"), sealing.key("torfaen", "p9"), sealing.key("torfaen", None)]
    rotation.begin(open_store(), NEW)
    asleep.keep_up()
    finish(open_store(NEW))
    sealing.commit()
    held |= dict(half) | some_keys(asleep)
    assert rotation.rows_left(asleep) == 0
    assert all_open(open_store(NEW), held)


def test_a_process_that_never_heard_of_it_says_so_and_loses_nothing(open_store: Callable[..., KeyStore]) -> None:
    asleep = open_store()
    held = some_keys(asleep)
    other = open_store()
    rotation.begin(other, NEW)
    finish(other)
    sealing = asleep.sealing()
    sealing.key("torfaen", None)
    with pytest.raises(KeyFault, match=r"a rotation has ended meanwhile; start it again with the key that keys\.main"):
        sealing.commit()
    assert all_open(open_store(NEW), held)


def test_many_write_while_it_rotates_and_nothing_is_unreadable(open_store: Callable[..., KeyStore]) -> None:
    stores = [open_store() for _ in range(3)]
    made: dict[str, bytes] = {}
    wrong: list[BaseException] = []
    stop = threading.Event()

    def work(store: KeyStore, number: int) -> None:
        turn = 0
        try:
            while not stop.is_set() or turn < 3:
                turn += 1
                sealing = store.sealing()
                fresh = [sealing.key("torfaen", person) for person in (None, f"p{turn % 5}", f"{number}-{turn}")]
                sealing.commit()
                handed = store.take("torfaen")
                store.hand_to_person([(handed[0], f"p{turn % 7}")], "torfaen")
                made.update([*fresh, handed])
                store.keep_up()
        except BaseException as fault:
            wrong.append(fault)

    threads = [threading.Thread(target=work, args=(store, number)) for number, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    rotating_store, last = open_store(), OLD
    try:
        for _ in range(3):
            last = secrets.token_bytes(32)
            rotation.begin(rotating_store, last)
            for store in stores:
                store.keep_up()  # as each beat does in the time that `rotating` waits
            while not rotation.finish(rotating_store):
                for _ in rotation.go_on(rotating_store):
                    pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert all_open(open_store(last), made)
    assert rotation.rows_left(rotating_store) == 0


def test_a_third_key_waits_until_the_second_has_taken_over(open_store: Callable[..., KeyStore]) -> None:
    keys = open_store()
    some_keys(keys)
    rotation.begin(keys, NEW)
    assert not rotation.begin(keys, NEW), "it has turned already"
    with pytest.raises(KeyFault, match="is not finished: let it end first"):
        rotation.begin(keys, b"3" * 32)
    finish(keys)
    with pytest.raises(KeyFault, match="was this site's main key before"):
        rotation.begin(keys, OLD)


def test_the_old_councils_key_is_gone_from_the_store(open_store: Callable[..., KeyStore], url: str) -> None:
    keys = open_store()
    some_keys(keys)
    rotation.begin(keys, NEW)
    finish(keys)
    engine = open_engine(url, setting="keys.store", fault=KeyFault)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM council_key WHERE state = 'old'")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM main_link")).scalar() == 0
    engine.dispose()


# --- A whole site -----------------------------------------------------------------------------------------------------


def rotate_in_a_process(folder: Path, at: tuple[str, int] | None = None) -> int:
    """Rotate in a process of its own, which kills itself when it passes a point for the nth time."""
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    try:
        chance._drawn.held = b""  # what the parent has drawn is the parent's
        crash._AT = at
        rotation.AT_ONCE = 3 if PROFILE == "long" else 40
        site = load(folder)
        plant = composition.build(site, environment={})
        rotating.rotate(plant, site, who="ann", why="the yearly change")
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.embedded
def test_it_may_be_killed_at_any_point_and_goes_on_from_there(bench: Any) -> None:
    """P1 at the size of CI. Seen red: who asked was noted after the turn, and lost with a
    process that was killed right behind it."""
    bench.take(*(bench.request(f"C-{number}", customer__last_name=f"Llŷr{number}") for number in range(12)))
    with bench.writing() as connection:
        loose = [bench.vault.put(connection, "torfaen", "raw", b"x%d" % number, 1) for number in range(20)]
    main = bench.folder / "var/keys/main.key"
    first = main.read_text(encoding="ascii")
    points = [("keys turned", 1), ("keys wrapped anew", 2), ("keys wrapped anew", 1), ("key file in place", 1)]
    if PROFILE == "long":  # P1: fifty kills
        points[1:3] = [("keys wrapped anew", 1 + at % 2) for at in range(48)]
    for point in points:
        bench.plant.close()
        assert os.WIFSIGNALED(rotate_in_a_process(bench.folder, point))
        bench.begin()  # whatever half it was killed in, the site opens and reads everything
        assert rotation.status(bench.plant.keys).under_way
        assert_all_readable(bench, loose)
    bench.plant.close()
    assert rotate_in_a_process(bench.folder) == 0
    bench.begin()
    assert_all_readable(bench, loose)
    assert not rotation.status(bench.plant.keys).under_way
    assert main.read_text(encoding="ascii") != first
    assert not next_to(main).exists()
    assert [row.action for row in bench.rows("audit")] == ["keys rotate", "keys rotated"]
    old = next(one for one in main.parent.iterdir() if one.name.startswith("main.key.m-"))
    assert old.read_text(encoding="ascii") == first
    assert old.stat().st_mode & 0o077 == 0


def assert_all_readable(bench: Any, loose: list[str]) -> None:
    with bench.reading() as connection:
        for row in bench.rows("payload"):
            assert bench.vault.get(connection, row.council, row.id)
    assert len(loose) == 20


@pytest.mark.embedded
def test_a_restored_backup_of_the_key_store_opens_with_the_key_of_its_time(bench: Any, tmp_path: Path) -> None:
    bench.take(bench.request())
    keys, main = bench.folder / "var/keys/keys.db", bench.folder / "var/keys/main.key"
    with sqlite3.connect(keys) as one, sqlite3.connect(tmp_path / "backup.db") as other:
        one.backup(other)
    first = main.read_text(encoding="ascii")
    rotating.rotate(bench.plant, load(bench.folder), who="ann", why="yearly")
    bench.plant.close()
    for part in keys.parent.glob("keys.db*"):
        part.unlink()
    shutil.copy(tmp_path / "backup.db", keys)
    with pytest.raises(KeyFault, match="put the right key back"):
        bench.begin()
    main.write_text(first, encoding="ascii")
    bench.begin()
    assert bench.facts()["person.name.family"] == "Llŷr"


def test_without_a_file_the_new_key_must_be_named(bench: Any, site_folder: Path) -> None:
    file = site_folder / "config/dolen.yaml"
    words = file.read_text(encoding="utf-8")
    file.write_text(words.replace('main: "file:var/keys/main.key"', 'main: "env:SITE_KEY"'), encoding="utf-8")
    with pytest.raises(NotPossible, match=r"name that place in keys\.next"):
        rotating.rotate(bench.plant, load(site_folder), who="ann", why="yearly")


def test_a_key_file_is_put_in_place_once(tmp_path: Path) -> None:
    main = tmp_path / "main.key"
    main.write_text("old", encoding="ascii")
    assert put_in_place(main, "m-1") is None
    next_to(main).write_text("new", encoding="ascii")
    assert put_in_place(main, "m-1") == tmp_path / "main.key.m-1"
    assert put_in_place(main, "m-1") is None
    assert (main.read_text(encoding="ascii"), (tmp_path / "main.key.m-1").read_text(encoding="ascii")) == ("new", "old")
