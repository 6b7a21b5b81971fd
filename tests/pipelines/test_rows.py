"""Rows that go to the ledger together hold what they held one by one, however many they are and whatever is in them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, LargeBinary, MetaData, String, Table, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from pipelines import rows
from pipelines.databases import open_engine

pytest_plugins = ("tests.on_servers",)

THING = Table(
    "order",  # a word of SQL's own: names are quoted
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("council", String, nullable=False, default="torfaen"),
    Column("user", String),
    Column("body", LargeBinary),
    Column("seen", JSON),
    Column("new", Boolean, nullable=False, default=False),
    Column("at", BigInteger),
)
#: Whatever a stream or a list of values could take for its own marks.
WORDS = [
    "",
    "\\N",
    "\\.",
    "a\tb\nc\rd",
    "{1,2}",
    'say "NULL"',
    "NULL",
    "it's",
    "\\x41",
    "Ŵyn o Gŵyr 🏴",
    "%s %(a)s",
    " ",
]
FEW, MANY = 3, 40


@pytest.fixture
def connection(either: Callable[[], str]) -> Iterator[Connection]:
    engine = open_engine(either(), setting="ledger.url", fault=RuntimeError)
    with engine.begin() as connection:
        THING.create(connection)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def many(count: int) -> list[rows.Held]:
    return [
        rows.fresh(
            THING,
            id=2**33 + number,
            user=None if number % 5 == 4 else WORDS[number % len(WORDS)],
            body=None if number % 7 == 6 else bytes(range(number, number + 60)),
            seen={WORDS[number % len(WORDS)]: [number, None, True]} if number % 3 else None,
            new=bool(number % 2),
        )
        for number in range(count)
    ]


def found(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(THING).order_by(THING.c.id)).mappings()]


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_rows_are_entered_as_they_are(connection: Connection, count: int) -> None:
    made = many(count)
    rows.add(connection, THING, made)
    assert found(connection) == [dict(row.values) for row in made]
    assert not any(row.fresh for row in made)


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_the_database_gives_each_row_a_number_of_its_own(connection: Connection, count: int) -> None:
    first, more = ([rows.fresh(THING, user="a") for _ in range(count)] for _ in range(2))
    for made in (first, more):
        rows.add(connection, THING, made, numbered="id")
    numbers = [row.id for row in [*first, *more]]
    assert numbers == sorted(set(numbers)) == [one["id"] for one in found(connection)]


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_what_changed_is_written_and_nothing_else(connection: Connection, count: int) -> None:
    """Also where all values of a column are none: a list of them has no kind of its own."""
    made = many(count)
    rows.add(connection, THING, [*made, rows.fresh(THING, id=1, user="another")])
    for number, row in enumerate(made):
        row.set(user=WORDS[-1 - number % len(WORDS)], seen={"now": number}, body=b"\x00\xff", at=None, new=not row.new)
        row.set(at=number * 2**20 if number % 2 else None)
    rows.change(connection, THING, made)
    assert found(connection)[1:] == [dict(row.values) for row in made]
    assert found(connection)[0]["user"] == "another"
    for row in made:
        row.set(user=None)
    rows.change(connection, THING, made)
    assert [one["user"] for one in found(connection)] == ["another", *[None] * count]


@pytest.mark.parametrize("count", [2, MANY])
def test_a_row_that_is_there_already_is_told_without_its_values(connection: Connection, count: int) -> None:
    rows.add(connection, THING, many(1))
    with pytest.raises(IntegrityError) as told:
        rows.add(connection, THING, many(count))
    assert "Gŵyr" not in str(told.value)
    assert str(2**33) not in str(told.value)


@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.parametrize("words", ["half a \ud83c character", "\x00"])
def test_what_no_database_keeps_is_the_ledgers_error_and_its_session_stays_sound(
    postgresql: str, count: int, words: str
) -> None:
    engine = open_engine(postgresql, setting="ledger.url", fault=RuntimeError)
    with engine.begin() as connection:
        THING.create(connection)
    made = many(count)
    made[-1].set(user=words)
    with pytest.raises(SQLAlchemyError), engine.begin() as connection:
        rows.add(connection, THING, made)
    with engine.begin() as connection:
        assert found(connection) == []
        rows.add(connection, THING, many(count))
    engine.dispose()
