"""How PostgreSQL packs the two wide columns of the ledger, which it does each time that one is written, and slowly.

What is sealed cannot be packed, so that trying costs and gains nothing. What is known of a record's fields is packed by
LZ4 where the server has it: as small as by its own way, in half the time. SQLite packs nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_HAS_LZ4 = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
_AS_IT_IS = "ALTER TABLE payload ALTER COLUMN body SET STORAGE EXTERNAL"
_QUICKLY = "ALTER TABLE record ALTER COLUMN base SET COMPRESSION lz4"


def arrange(connection: Connection) -> None:
    """Say it to the server, once the tables are there. Rows that are there already stay as they are."""
    if connection.dialect.name != "postgresql":
        return
    connection.execute(text(_AS_IT_IS))
    if connection.execute(text(_HAS_LZ4)).scalar():  # false where it was built without, none before PostgreSQL 14
        connection.execute(text(_QUICKLY))
