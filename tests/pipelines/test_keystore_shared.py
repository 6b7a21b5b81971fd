"""A key store that several processes share, in a file or on PostgreSQL: whoever is quicker, every key can be read."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pipelines import composition
from pipelines.databases import open_engine
from pipelines.keystore import KeyFault, KeyStore
from pipelines.ledger import Ledger

pytest_plugins = ("tests.on_servers", "tests.pipelines.pieces")

MASTER = bytes(range(32))


@pytest.fixture
def url(either: Callable[[], str]) -> str:
    return either()


@pytest.fixture
def another(url: str) -> Iterator[Callable[[], KeyStore]]:
    """Open the store once more, as another process does: nothing is shared but the database."""
    opened: list[KeyStore] = []

    def open_it() -> KeyStore:
        opened.append(KeyStore(url, MASTER))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def test_two_that_make_one_persons_key_at_once_both_read_what_either_wrote(another: Callable[[], KeyStore]) -> None:
    one, other = another(), another()
    first, second = one.sealing(), other.sealing()
    made = [first.key("torfaen", "p1"), second.key("torfaen", "p1"), second.key("torfaen", "p2")]
    first.commit()
    second.commit()  # made its own key of p1 before it knew of the other
    made += [second.key("torfaen", "p1"), other.sealing().key("torfaen", None)]
    second.commit()
    for store in (one, other, another()):
        for id, key in made[:4]:
            assert store.key(id) == key


def test_many_that_make_the_same_peoples_keys_lose_none(another: Callable[[], KeyStore]) -> None:
    made: list[tuple[str, bytes]] = []
    wrong: list[BaseException] = []
    begin = threading.Barrier(4)
    stores = [another() for _ in range(4)]

    def work(store: KeyStore) -> None:
        begin.wait()
        try:
            for turn in range(15):
                sealing = store.sealing()
                keys = [sealing.key("torfaen", f"p{person}") for person in range(turn, turn + 5)]
                sealing.commit()
                made.extend(keys)
        except BaseException as fault:
            wrong.append(fault)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    fresh = another()
    assert len(made) == 4 * 15 * 5
    assert all(fresh.key(id) == key for id, key in made)


def test_keys_that_are_handed_over_by_two_at_once_stay_readable(another: Callable[[], KeyStore]) -> None:
    stores = [another() for _ in range(3)]
    taken = [stores[0].take("torfaen") for _ in range(60)]
    asked = [(id, f"p{number % 7}") for number, (id, _) in enumerate(taken)]
    wrong: list[BaseException] = []

    def work(store: KeyStore) -> None:
        try:
            for at in range(0, 60, 10):
                store.hand_to_person(asked[at : at + 10], "torfaen")
        except BaseException as fault:
            wrong.append(fault)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    fresh = another()
    assert all(fresh.key(id) == key for id, key in taken)


def test_stores_that_are_opened_at_once_are_one_store(another: Callable[[], KeyStore]) -> None:
    begin, found, wrong = threading.Barrier(5), set(), []

    def work() -> None:
        begin.wait()
        try:
            found.add(another().identity)
        except BaseException as fault:
            wrong.append(fault)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(found) == 1


def test_another_sites_master_key_is_refused(url: str, another: Callable[[], KeyStore]) -> None:
    another()
    with pytest.raises(KeyFault, match=r"does not belong to the key store .*put the right key back"):
        KeyStore(url, bytes(32))


def test_the_ledgers_own_database_is_refused(url: str) -> None:
    Ledger(url).close()
    with pytest.raises(KeyFault, match="give the keys a database of their own"):
        KeyStore(url, MASTER)


def test_a_moved_key_is_refused(url: str, another: Callable[[], KeyStore]) -> None:
    id, _ = another().take("torfaen")
    engine = open_engine(url, setting="keys.store", fault=KeyFault)
    with engine.begin() as connection:
        connection.execute(text("UPDATE data_key SET council = 'neath-port-talbot' WHERE id = :id"), {"id": id})
    engine.dispose()
    with pytest.raises(KeyFault, match="cannot be unwrapped"):
        another().key(id)


def test_a_server_that_does_not_answer_is_said() -> None:
    with pytest.raises(KeyFault, match=r"does not answer; look whether it runs \(keys\.store\)"):
        KeyStore("postgresql://127.0.0.1:1/keys", MASTER)


def test_another_key_store_than_the_ledgers_is_refused(site_folder: Path, either: Callable[[], str]) -> None:
    """Two machines that share a ledger and each have a key store could not read one another's payloads."""
    composition.build(composition.load(site_folder), environment={}).close()
    settings = site_folder / "config" / "dolen.yaml"
    words = settings.read_text(encoding="utf-8")
    (site_folder / "keys-url").write_text(either(), encoding="utf-8")
    (site_folder / "keys-url").chmod(0o600)
    old = 'keys: {main: "file:var/keys/main.key"}'
    assert old in words
    settings.write_text(
        words.replace(old, 'keys: {main: "file:var/keys/main.key", store: "file:keys-url"}'), encoding="utf-8"
    )
    with pytest.raises(KeyFault, match=r"does not belong to this ledger; name the one that does in keys\.store"):
        composition.build(composition.load(site_folder), environment={})


def test_a_site_keeps_its_keys_where_it_says(site_folder: Path, either: Callable[[], str]) -> None:
    settings = site_folder / "config" / "dolen.yaml"
    words = settings.read_text(encoding="utf-8")
    (site_folder / "keys-url").write_text(either(), encoding="utf-8")
    (site_folder / "keys-url").chmod(0o600)
    settings.write_text(words.replace('main.key"}', 'main.key", store: "file:keys-url"}'), encoding="utf-8")
    for _ in range(2):
        plant = composition.build(composition.load(site_folder), environment={})
        with plant.ledger.writing() as connection:
            id = plant.vault.put(connection, "torfaen", "why", "Tŷ Gwyn".encode(), 1)
        with plant.ledger.reading() as connection:
            assert plant.vault.get(connection, "torfaen", id) == "Tŷ Gwyn".encode()
        plant.close()
    assert not (site_folder / "var" / "keys" / "keys.db").exists()
