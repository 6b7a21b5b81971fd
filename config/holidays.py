"""Bank holidays in England and Wales, for councils whose file does not list its own.

They are those that https://www.gov.uk/bank-holidays names for 2026 to 2028 (Banking and Financial Dealings Act 1971 and
the usual proclamations, substitute days in place of those that fall on a weekend). A holiday that is proclaimed later,
or a council's own closing day, is written into the council's file, which then lists all of them.
"""

from __future__ import annotations

from datetime import date

ENGLAND_AND_WALES = (
    "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28",
    "2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27", "2027-12-28",
    "2028-01-03", "2028-04-14", "2028-04-17", "2028-05-01", "2028-05-29", "2028-08-28", "2028-12-25", "2028-12-26",
)  # fmt: skip


def dates(listed: tuple[str, ...] | list[str]) -> frozenset[date]:
    """Dates from how settings write them."""
    return frozenset(date.fromisoformat(text) for text in listed)
