"""Frozen programs on PostgreSQL: their sessions are ended, so that nobody waits for the locks that they hold.

The server itself ends a transaction in which nothing happens (`idle_in_transaction_session_timeout`, see
`pipelines.databases`). It does not count one as idle that stands within a statement and waits for its program: between
the words of a COPY and its rows, or between two statements that were sent without a wait. There none of the server's
own bounds is looked at, `statement_timeout` neither, and whoever needs a row of that transaction would wait for as long
as the program stays frozen. So each process that lives looks for such sessions and ends them.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from pipelines.databases import PATIENCE_MILLISECONDS, PROGRAM

#: A session of ours, of this database and this very user, that has written, and whose statement has waited for its
#: program for longer than any of ours is awaited. Only the server's own clock is asked.
_END = text(
    """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name = :program
      AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
      AND state = 'active' AND wait_event_type = 'Client'
      AND state_change < clock_timestamp() - :patience * interval '1 millisecond'
    """
)


def end_frozen(connection: Connection) -> int:
    """End the sessions that wait for a frozen program; return how many there were. On SQLite there are none to end."""
    if connection.dialect.name != "postgresql":
        return 0
    return sum(connection.execute(_END, {"program": PROGRAM, "patience": PATIENCE_MILLISECONDS}).scalars())
