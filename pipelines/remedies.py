"""Remedies: what kind of thing can be done about a cause, told from its step and error alone. Pure.

Each door words it in its own way: the command line with commands, the pages with buttons and in two languages.
"""

from __future__ import annotations

from enum import StrEnum

from pipelines import deciding, regressed


class Remedy(StrEnum):
    """What an officer can do about a cause."""

    RESTORED = "restored"  # ask whether the system was restored from a backup, then send again
    WHOSE = "whose"  # say whose record it is
    CHOOSE = "choose"  # several candidates: choose, or say new
    DELETED = "deleted"  # its source deleted it: agree what is to happen, then close it
    GONE = "gone"  # deleted in the target: ask why, then close or send anew
    CODES = "codes"  # the owner of a code list decides what a code means
    SOURCE = "source"  # have the record mended in its source; it comes back by itself
    READING = "reading"  # have a field mended in its source, or mend the mapping; then send again
    MATCH = "match"  # decide which referral or person it is, have the number mended at its source; then send again
    RING = "ring"  # no message goes: ring, and say that you did
    REPLY = "reply"  # a resident wrote back: read it, answer, then close it
    TYPE = "type"  # type it in, and say its number
    LOOK_UP = "look up"  # look it up in the target, and say what is there
    WRITING = "writing"  # have a field mended at its source, or mend the mapping; then send again
    REFUSED = "refused"  # mend what was refused, or ask whoever looks after the target; then send again


_BY_ERROR = {
    regressed.ERROR: Remedy.RESTORED,
    deciding.ANOTHER_PERSON: Remedy.WHOSE,
    "several candidates": Remedy.CHOOSE,
    "deleted": Remedy.DELETED,
    "NotThere": Remedy.GONE,
}
_BY_STEP = {
    "feed": Remedy.SOURCE,
    "read": Remedy.READING,
    "match": Remedy.MATCH,
    "by hand": Remedy.TYPE,
    "tell": Remedy.RING,
    "reply": Remedy.REPLY,
    "look up": Remedy.LOOK_UP,
    "write": Remedy.WRITING,
}


def remedy_of(step: str, error: str, code_list: str) -> Remedy:
    """The likely remedy of a cause."""
    if error in _BY_ERROR:
        return _BY_ERROR[error]
    if code_list:
        return Remedy.CODES
    return _BY_STEP.get(step, Remedy.REFUSED)
