"""What all tables of the ledger share: where they are gathered, how constraints are called, how rows are numbered, and
that an index which holds some rows alone holds the same ones on either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, MetaData, event

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers only an INTEGER primary key by itself; PostgreSQL wants the wide one for ten years of Wales.
Serial = BigInteger().with_variant(Integer, "sqlite")


def alike_on_both(tables: MetaData) -> None:
    """Have indexes hold the same rows on PostgreSQL as on SQLite: which they are is told once, as `sqlite_where`.

    Telling it for both where the tables are declared loads all that SQLAlchemy knows of PostgreSQL into every command,
    also where the ledger is a file.
    """

    @event.listens_for(tables, "before_create")
    def tell(_tables: Any, connection: Connection, **_: Any) -> None:
        if connection.dialect.name != "postgresql":
            return
        for table in tables.tables.values():
            for index in table.indexes:
                index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


alike_on_both(metadata)
