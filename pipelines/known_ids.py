"""The ids of a connection's records that the ledger holds links to, for feeds that read them again (`known-ids`)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from pipelines.ledger import Ledger
from pipelines.plant import Council
from pipelines.tables import record


def hand_in(council: Council, ledger: Ledger) -> None:
    """Let each connection of a council ask which of its records are linked."""
    for name, wired in council.wired.items():
        wired.known = KnownIds(ledger, council.code, name)


class KnownIds:
    """Answers for one connection. Safe to share between threads; no transaction may be open when it is asked."""

    def __init__(self, ledger: Ledger, council: str, connection: str) -> None:
        self._ledger = ledger
        self._council = council
        self._connection = connection

    def __call__(self, kind: str, behind: str, most: int) -> Sequence[str]:
        """At most so many ids of linked records of a kind, in order, behind that one. Raises SQLAlchemyError."""
        wanted = (
            select(record.c.external_id)
            .filter_by(council=self._council, connection=self._connection, kind=kind)
            .where(record.c.external_id > behind, record.c.referral_id.is_not(None), record.c.aside.is_(False))
            .order_by(record.c.external_id)
            .limit(most)
        )
        with self._ledger.reading() as connection:
            return connection.execute(wanted).scalars().all()
