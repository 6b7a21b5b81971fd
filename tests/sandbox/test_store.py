"""What is committed stays, what is not was never there, and pages come in order whatever their stamps."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "s.db")
    yield store
    store.close()


def test_a_document_comes_back_as_it_was_put(store: Store) -> None:
    records = store.collection("torfaen", "x")
    records.put("1", {"enw": "Siân", "list": [1, None]}, version=3, changed="2026-01-01T00:00:00Z", key="k")
    found = records.get("1")
    assert found is not None
    assert (found.body, found.version, found.key) == ({"enw": "Siân", "list": [1, None]}, 3, "k")
    assert [each.id for each in records.by_key("k")] == ["1"]
    assert records.by_key("") == []


def test_tenants_and_systems_are_apart(store: Store) -> None:
    store.collection("torfaen", "x").put("1", {}, version=1, changed="a", key="k")
    for other in (store.collection("torfaen", "y"), store.collection("blaenau-gwent", "x")):
        assert other.get("1") is None
        assert other.by_key("k") == []
        assert other.changed_since("", limit=10) == []
        assert not other.delete("1")
    assert store.collection("torfaen", "x").count() == 1


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_pages_by_offset_and_by_place_give_each_once_though_stamps_are_equal(store: Store, size: int) -> None:
    records = store.collection("t", "x")
    for number in range(20):
        records.put(f"{number:02d}", {}, version=1, changed=f"2026-01-0{1 + number // 8}")
    expected = [f"{number:02d}" for number in range(20)]
    by_offset = [d.id for start in range(0, 25, size) for d in records.changed_since("", limit=size, offset=start)]
    assert by_offset == expected
    walked: list[str] = []
    after = None
    while page := records.changed_since("", limit=size, after=after):
        walked += [d.id for d in page]
        after = (page[-1].changed, page[-1].id)
    assert walked == expected
    assert [d.id for d in records.changed_since("2026-01-02", limit=2, offset=1)] == ["09", "10"]


def test_a_broken_transaction_leaves_nothing(store: Store) -> None:
    records = store.collection("t", "x")
    with pytest.raises(RuntimeError), store.transaction():
        records.put("1", {}, version=1, changed="")
        with store.transaction():
            records.put("2", {}, version=1, changed="")
        raise RuntimeError
    assert records.count() == 0


def test_threads_count_up_without_a_gap_or_a_double(store: Store) -> None:
    numbers: list[int] = []

    def count() -> None:
        for _ in range(100):
            with store.transaction():
                numbers.append(store.next_number("t", "n"))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == list(range(1, 801))


WRITER = """
import sys
from pathlib import Path
from sandbox.store import Store
store = Store(Path(sys.argv[1]))
records = store.collection("t", "x")
for number in range(10**9):
    with store.transaction():
        records.put(f"a{number}", {}, version=1, changed="")
        records.put(f"b{number}", {}, version=1, changed="")
    print(number, flush=True)
"""


def test_what_was_committed_before_a_kill_is_there_and_never_half(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        last = -1
        while last < 200:
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        last = max([last, *map(int, writer.stdout.read().split())])
    store = Store(path)
    records = store.collection("t", "x")
    assert all(records.get(f"{half}{number}") for number in range(last + 1) for half in "ab")
    assert records.count() % 2 == 0
    store.close()
