"""What one officer sees of the ledger: their councils, and of restricted referrals those that were granted to them.

Every list, count, search and look-up of the desk asks the plant that it is given for its councils and for its sight.
The movement's own plant sees everything; an officer is handed a plant of theirs (`pipelines.seeing.through`), so that
no query has to be told who asks. Pure, but for the one look into the ledger of `sees`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select, text, true

from pipelines.rights import Officer, Right
from pipelines.tables import referral


class NotPossible(RuntimeError):
    """What was asked for cannot be done. The message says why and what can be done instead."""


class NoSuch(NotPossible):
    """Nothing of that name or id is there, as far as whoever asks may see."""


class NotAllowed(NotPossible):
    """Whoever asks has no right to it. The message says which, and never what is there."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The eyes of one officer, at one moment."""

    officer: Officer | None = None  # None: the movement's own, which see everything
    granted: frozenset[str] = frozenset()  # restricted referrals that they may see now
    taken: frozenset[str] = frozenset()  # those of them that nobody gave: seen and acted on alone, reviewed after
    confirmed: frozenset[str] = field(default=frozenset())  # those whose act another person has confirmed
    restricted_too: bool = False  # for a duty that holds for everybody: what is held about a person, a whole site

    @property
    def is_whole(self) -> bool:
        """Whether nothing is kept from these eyes."""
        return self.officer is None or self.restricted_too

    def of(self, referral_id: Any) -> ColumnElement[bool]:
        """The condition that a row's referral may be seen. `referral_id`: the column that names it; a row that belongs
        to no referral yet is nobody's, and seen."""
        if self.is_whole:
            return true()
        return or_(referral_id.is_(None), referral_id.not_in(select(referral.c.id).where(self.hides())))

    def hides(self) -> ColumnElement[bool]:
        """The condition on a row of `referral` that it is kept from these eyes."""
        if self.is_whole:
            return false()
        restricted = text("referral.restricted")  # in the words of the index that holds these few
        return and_(restricted, referral.c.id.not_in(sorted(self.granted))) if self.granted else and_(restricted)

    def sees(self, connection: Connection, id: str | None) -> bool:
        """Whether one referral may be seen."""
        if self.is_whole or id is None or id in self.granted:
            return True
        return not self._restricted(connection, id)

    def needs_another(self, connection: Connection, id: str | None) -> bool:
        """Whether an act on this referral takes a second person: it is restricted, and nobody else has said yes."""
        if self.is_whole or id is None or id in self.taken or id in self.confirmed:
            return False
        return self._restricted(connection, id)

    def confirming(self, id: str) -> Sight:
        """The same eyes, where another person has asked for this act on a referral."""
        return replace(self, confirmed=self.confirmed | {id})

    def need(self, right: Right, council: str) -> None:
        """Refuse what this officer may not do for a council. Raises NotAllowed."""
        if self.officer is not None and not self.officer.may(right, council):
            raise NotAllowed(f"you may not do this for {council}: it takes {WORDS[right]}")

    @staticmethod
    def _restricted(connection: Connection, id: str) -> bool:
        return bool(connection.execute(select(referral.c.restricted).where(referral.c.id == id)).scalar())


#: What a right is called where it is missing.
WORDS = {
    Right.SEE: "a role for that council",
    Right.SEND: "the role operator",
    Right.UNMASK: "the role case-reader",
    Right.CODES: "the role code-list-owner",
    Right.MAPPINGS: "the role administrator",
    Right.CONTROL: "the role operator",
    Right.PROTECT: "the role data-protection",
    Right.ADMINISTER: "the role administrator",
}

#: The movement's own.
EVERYTHING = Sight()
#: Of somebody to whom nothing restricted was given: for what is done for many at once.
NOBODYS = Sight(Officer("nobody"))
