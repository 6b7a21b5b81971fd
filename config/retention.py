"""How long each class of data is kept, counted from the closure of the referral.

Dolen is the carrier and not the record: what systems sent is kept shortest, what proves that it was carried longest.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from pydantic import Field

from config.declared import Declared, LongerThanNothing
from config.findings import Problem


class Retention(Declared):
    """How long each class of data is kept after the referral is closed."""

    raw: LongerThanNothing = Field(
        default=timedelta(days=30),
        description="What a source sent, byte for byte. The shortest: it is only needed to map it again.",
        examples=["P30D"],
    )
    payloads: LongerThanNothing = Field(
        default=timedelta(days=90),
        description="The merged referral, what was sent to each target and what the target answered.",
        examples=["P90D"],
    )
    hashes: LongerThanNothing = Field(
        default=timedelta(days=6 * 365),
        description="Keyed hashes by which a record is recognised and compared; no content can be read from them.",
        examples=["P6Y"],
    )
    metadata: LongerThanNothing = Field(
        default=timedelta(days=6 * 365),
        description="Ids, times and states: what was carried, when, and by which route. No person in it.",
        examples=["P6Y"],
    )
    audit: LongerThanNothing = Field(
        default=timedelta(days=7 * 365),
        description="Who looked at or did what, when, and why.",
        examples=["P7Y"],
    )
    inactive: LongerThanNothing = Field(
        default=timedelta(days=2 * 365),
        description="A referral that no system has ended counts as closed when nothing was heard of it for so long.",
        examples=["P2Y"],
    )
    unattended: LongerThanNothing | None = Field(
        default=None,
        description="What waits or needs attention for so long expires, if people were told `warn` before. Leave out: "
        "never, it stays until a person decides.",
        examples=["P1Y"],
    )
    warn: LongerThanNothing = Field(
        default=timedelta(days=30),
        description="How long before it expires people are told that something unattended will.",
        examples=["P30D"],
    )


def laid_over(site: Retention, council: Retention | None) -> Retention:
    """A council's own times, and the site's where it says none."""
    if council is None:
        return site
    return site.model_copy(update={name: getattr(council, name) for name in council.model_fields_set})


def out_of_order(retention: Retention) -> list[Problem]:
    """A class that others need must not go before them: raw <= payloads <= hashes <= metadata <= audit."""
    order = ("raw", "payloads", "hashes", "metadata", "audit")
    problems = []
    for shorter, longer in pairwise(order):
        if getattr(retention, shorter) > getattr(retention, longer):
            problems.append(
                Problem(
                    ("retention", shorter),
                    f"a longer time than that of {longer}",
                    f"{shorter} to go no later than {longer}",
                    f"shorten {shorter} or lengthen {longer}",
                )
            )
    return problems
