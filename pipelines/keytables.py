"""The tables of the key store, a database of its own. What they mean together is in docs/data-protection.md.

Every key in them is wrapped by another one: data keys by their council's or their person's, person keys by their
council's, council keys by a main key, and while a rotation is under way the two main keys by each other.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    literal_column,
    text,
)

from pipelines.metadata import alike_on_both

metadata = MetaData()
alike_on_both(metadata)

#: What a main key or a council's key is: it wraps what is new, it is being replaced, or it opens nothing any more.
CURRENT, OLD, RETIRED = "current", "old", "retired"

data_key = Table(
    "data_key",
    metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("holder", String, nullable=False),  # the person, "" while nobody is known: the council
    Column("by", String, nullable=False),  # the council's key that wraps it, "" where the person's does
    Column("wrapped", LargeBinary, nullable=False),
)
#: An empty text in the words of the indexes below. Whoever looks for holders or for what wraps says `!= EMPTY` too: a
#: database that plans a statement before it sees its values would go through every key there is.
EMPTY: ColumnElement[str] = literal_column("''")
for _name, _column in (("holder", data_key.c.holder), ("by", data_key.c.by)):
    Index(f"ix_data_key_{_name}", _column, sqlite_where=_column != EMPTY)

person_key = Table(
    "person_key",
    metadata,
    Column("person", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("by", String, nullable=False, index=True),  # the council's key that wraps it
    Column("wrapped", LargeBinary, nullable=False),
)

council_key = Table(
    "council_key",
    metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),  # "" for what is the site's: the chain of the audit
    Column("purpose", String, nullable=False),  # wrap, hash, audit, spool
    Column("state", String, nullable=False),  # current, old
    Column("main", String, nullable=False),  # the main key that wraps it
    Column("wrapped", LargeBinary, nullable=False),
    Index(
        "uq_council_key_current",
        "council",
        "purpose",
        unique=True,
        sqlite_where=text("state = 'current'"),
    ),
)

main_key = Table(
    "main_key",
    metadata,
    Column("id", String, primary_key=True),  # a fingerprint, which tells nothing of the key
    Column("mark", LargeBinary, nullable=False),  # by which the key is known again
    Column("state", String, nullable=False),  # current, old, retired
    Column("at", BigInteger, nullable=False),  # since when it is in that state
    Index(
        "uq_main_key_current",
        "state",
        unique=True,
        sqlite_where=text("state = 'current'"),
    ),
)

#: Only while a rotation is under way: whoever holds one of two main keys finds the other.
main_link = Table(
    "main_link",
    metadata,
    Column("holder", String, primary_key=True),
    Column("of", String, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

#: id: by which a ledger knows its key store.
named_value = Table(
    "named_value",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
