"""A route in shadow: everything is done for it but the sending.

Whoever is about to call a target for a route in shadow is stopped at that very place, so that no way of sending can
forget to ask. What would have been sent is kept with the try, and the delivery ends as not sent, by a rule of this
name. What comes of it is told by `pipelines.shadow_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sending import Result

#: What would have been done, by which the rule of a delivery is told.
EFFECTS = ("create", "update", "nothing", "text")
_RULE = "in shadow: "


class InShadow(Exception):
    """The call that would have changed the target is not made."""


def rule(effect: str) -> str:
    """The rule by which a delivery is not sent, naming what would have been done."""
    return _RULE + effect


def effect_of(reason: str) -> str:
    """What would have been done, from a delivery's rule; "" if it was not a shadow that stopped it."""
    return reason.removeprefix(_RULE) if reason.startswith(_RULE) else ""


def instead(result: Result) -> Result:
    """What is written in shadow of an update that the target needs no call for: it proves nothing, and nothing arrived
    by us."""
    if result.in_shadow and result.how == "nothing to do":
        result.how, result.rule, result.expected = "", rule("nothing"), {}
    return result
