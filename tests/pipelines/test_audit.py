"""The audit: whatever is done to its rows afterwards is found, and at which row."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from pipelines import audit, guards

pytest_plugins = ("tests.pipelines.pieces",)


def write(bench: Any, subject: str, why: str = "agreed on the telephone") -> None:
    with bench.writing() as connection:
        audit.write(
            connection, bench.vault, council="torfaen", who="ann", action="close", subject=subject, why=why,
            now=bench.clock.now(), detail={"number": "940"},
        )  # fmt: skip


@pytest.fixture
def chain(bench: Any) -> Any:
    """Five rows."""
    for number in range(1, 6):
        write(bench, f"d{number}")
    return bench


def first_wrong(bench: Any) -> int | None:
    return audit.verify(bench.plant.ledger, bench.vault)


def tamper(bench: Any, *statements: str) -> None:
    """Whoever has the database takes its guards away first."""
    with bench.writing() as connection:
        guards.take_down(connection)
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_audit_holds(chain: Any) -> None:
    assert first_wrong(chain) is None
    chain.restart()
    assert first_wrong(chain) is None
    write(chain, "d6")
    assert first_wrong(chain) is None


def test_an_empty_audit_holds(bench: Any) -> None:
    assert first_wrong(bench) is None


@pytest.mark.parametrize(
    "edit",
    ["at = at + 1", "who = 'bob'", "council = 'x'", "action = 'send again'", "subject = 'd9'", "detail = '{}'",
     "why = NULL", "why = (SELECT why FROM audit WHERE seq = 2)", "previous = ''", "hash = 'x'"],
)  # fmt: skip
def test_an_edited_row_is_found(chain: Any, edit: str) -> None:
    tamper(chain, f"UPDATE audit SET {edit} WHERE seq = 3")
    assert first_wrong(chain) == 3


@pytest.mark.parametrize(("gone", "found"), [(1, 2), (3, 4)])
def test_a_deleted_row_is_found_at_the_next(chain: Any, gone: int, found: int) -> None:
    tamper(chain, f"DELETE FROM audit WHERE seq = {gone}")
    assert first_wrong(chain) == found


def test_a_deleted_row_is_found_after_renumbering_too(chain: Any) -> None:
    tamper(chain, "DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 4",
           "UPDATE audit SET seq = 4 WHERE seq = 5")  # fmt: skip
    assert first_wrong(chain) == 3


def test_reordered_rows_are_found(chain: Any) -> None:
    tamper(chain, "UPDATE audit SET seq = 99 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 3",
           "UPDATE audit SET seq = 3 WHERE seq = 99")  # fmt: skip
    assert first_wrong(chain) == 2


def test_an_inserted_row_is_found(chain: Any) -> None:
    columns = "at, who, council, action, subject, why, detail"
    tamper(
        chain,
        f"INSERT INTO audit (seq, {columns}, previous, hash) SELECT 6, {columns}, hash, 'made up' FROM audit "
        "WHERE seq = 5",
    )
    assert first_wrong(chain) == 6


def test_somebody_with_the_ledger_alone_cannot_extend_the_chain(chain: Any, tmp_path: Any) -> None:
    """The hash is keyed: a row signed by another key store's master does not fit."""
    from pipelines.keystore import KeyStore
    from pipelines.vault import Vault

    keys = KeyStore(f"sqlite:///{tmp_path}/other.db", b"x" * 32)
    with chain.writing() as connection:
        audit.write(
            connection, Vault(keys), council="torfaen", who="ann", action="close", subject="d6", why="", now=1
        )  # fmt: skip
    keys.close()
    assert first_wrong(chain) == 6


def test_the_reason_rests_encrypted(bench: Any) -> None:
    write(bench, "d1", why="Mrs Llŷr rang")
    with bench.reading() as connection:
        assert bench.vault.get(connection, "torfaen", bench.row("audit").why) == "Mrs Llŷr rang".encode()
    assert all("Llŷr".encode() not in part.read_bytes() for part in (bench.folder / "var").rglob("*") if part.is_file())


def test_what_is_rolled_back_was_never_written(chain: Any) -> None:
    boom: Callable[[], None] = lambda: (_ for _ in ()).throw(KeyboardInterrupt)  # noqa: E731 - used once, here
    with pytest.raises(KeyboardInterrupt), chain.writing() as connection:
        audit.write(connection, chain.vault, council="torfaen", who="a", action="b", subject="c", why="", now=1)
        boom()
    assert len(chain.rows("audit")) == 5
    write(chain, "d6")
    assert first_wrong(chain) is None
