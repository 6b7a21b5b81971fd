"""What all tables of the ledger share: where they are gathered, how constraints are called, how rows are numbered."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

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
