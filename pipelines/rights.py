"""Who may do what: roles, held for named councils, and the rights that each role brings. Pure.

An officer is whoever acts: a person who signed in to the pages, a program with a token, or the person at the command
line. Every door asks here and nowhere else; what a role may *see* of a field follows from the field's sensitivity
(`pipelines.masking`). A right that nobody named is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What an officer is, for one council. The names are those of `access.roles` in a site's settings."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    CASE_READER = "case-reader"
    CODE_LIST_OWNER = "code-list-owner"
    DATA_PROTECTION = "data-protection"
    ADMINISTRATOR = "administrator"


class Right(StrEnum):
    """One thing that a door may let somebody do."""

    SEE = "see"  # ids, states, times and field names; values masked
    SEND = "send"  # send again, settle, close, decide whose a record is and which side of a conflict is right
    UNMASK = "unmask"  # the values of one referral, with a reason, which the audit keeps
    CODES = "codes"  # map a code and release what waits for it
    MAPPINGS = "mappings"  # send with another mapping than today's
    CONTROL = "control"  # pause, resume, ask a source now, look at a connection
    PROTECT = "protect"  # restricted referrals, what is held about a person, erasing, the audit
    ADMINISTER = "administer"  # settings, tokens, who is signed in


#: What each role brings. Case-readers work cases; whoever runs the site reads none.
BRINGS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.SEE}),
    Role.OPERATOR: frozenset({Right.SEE, Right.SEND, Right.CONTROL}),
    Role.CASE_READER: frozenset({Right.SEE, Right.UNMASK}),
    Role.CODE_LIST_OWNER: frozenset({Right.SEE, Right.CODES}),
    Role.DATA_PROTECTION: frozenset({Right.SEE, Right.PROTECT}),
    Role.ADMINISTRATOR: frozenset(
        {Right.SEE, Right.SEND, Right.CONTROL, Right.CODES, Right.MAPPINGS, Right.ADMINISTER}
    ),
}


@dataclass(frozen=True, slots=True)
class Officer:
    """Who acts, and as what: a name for the audit, and roles by council code."""

    who: str
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    identity: str = ""  # what nobody can choose for themselves: grants and four eyes are held against it

    @property
    def key(self) -> str:
        """What this officer is told apart from others by."""
        return self.identity or self.who

    def may(self, right: Right, council: str) -> bool:
        """Whether this officer has a right for this council."""
        return any(right in BRINGS[role] for role in self.roles.get(council, ()))

    def councils(self, right: Right = Right.SEE) -> tuple[str, ...]:
        """The councils for which this officer has a right, in order."""
        return tuple(sorted(code for code in self.roles if self.may(right, code)))
