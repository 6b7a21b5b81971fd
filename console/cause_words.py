"""The words of causes in Welsh. The Welsh awaits a Welsh checker.

The ledger keeps a cause in the English in which it was noted. Those sentences are of a few known shapes; each has its
Welsh here, with the same names of fields, lists and connections. What a system itself said of a record stays as it was
said: nobody here knows what it means.
"""

from __future__ import annotations

import re

_SHAPES: tuple[tuple[str, str], ...] = (
    (r"(?P<a>\S+): the code list (?P<b>\S+) has no row for the code that was given",
     "{a}: nid oes gan y rhestr godau {b} res ar gyfer y cod a roddwyd"),
    (r"(?P<a>\S+): nothing was given, and it is needed", "{a}: ni roddwyd dim, ac mae ei angen"),
    (r"(?P<a>\S+): the text is longer than (?P<b>\S+) takes", "{a}: mae'r testun yn hirach nag y mae {b} yn ei gymryd"),
    (r"(?P<a>\S+): what was given is not of the kind expected", "{a}: nid yw'r hyn a roddwyd o'r math a ddisgwylid"),
    (r"the record's identifiers belong to more than one referral",
     "mae dynodwyr y cofnod yn perthyn i fwy nag un atgyfeiriad"),
    (r"the person's identifiers belong to more than one person",
     "mae dynodwyr y person yn perthyn i fwy nag un person"),
    (r"it answers more than one of the referrals that we sent",
     "mae'n ateb mwy nag un o'r atgyfeiriadau a anfonwyd gennym"),
    (r"it answers a referral that we do not know to have sent there",
     "mae'n ateb atgyfeiriad na wyddom i ni ei anfon yno"),
    (r"(?P<a>\S+) has deleted the record; nothing was deleted in any other system",
     "mae {a} wedi dileu'r cofnod; ni ddilewyd dim mewn unrhyw system arall"),
    (r"the person of this record was erased here, and the source shows a newer version of it",
     "dilewyd person y cofnod hwn yma, ac mae'r ffynhonnell yn dangos fersiwn mwy newydd ohono"),
    (r"(?P<a>\S+) shows records as they were before: it was restored from a backup, or put back\. Nothing of it was "
     r"taken in; sending again writes the newest there, and keeps what was typed there since",
     "mae {a} yn dangos cofnodion fel yr oeddent o'r blaen: cafodd ei adfer o gopi wrth gefn, neu ei roi yn ôl. Ni "
     "dderbyniwyd dim ohono; mae anfon eto yn ysgrifennu'r diweddaraf yno, ac yn cadw'r hyn a deipiwyd yno ers hynny"),
    (r"the site no longer has the route (?P<a>\S+)", "nid oes gan y safle y llwybr {a} mwyach"),
    (r"Dolen stumbled over this record \((?P<a>\w+)\)", "baglodd Dolen dros y cofnod hwn ({a})"),
    (r"safeguarding", "diogelu"),
    (r"two systems rewrite each other", "mae dwy system yn ailysgrifennu ei gilydd"),
    (r"entered in error, says a system that does not own the status",
     "cofnodwyd ar gam, medd system nad yw'n berchen ar y statws"),
    (r"cancelled, says a system that does not own the status", "canslwyd, medd system nad yw'n berchen ar y statws"),
)  # fmt: skip
_COMPILED = tuple((re.compile(english), welsh) for english, welsh in _SHAPES)


def in_welsh(words: str) -> str | None:
    """What a cause says, in Welsh; None for words that are not of a known shape."""
    for shape, welsh in _COMPILED:
        if found := shape.fullmatch(words):
            return welsh.format(**found.groupdict())
    return None
