"""The words of causes that are ours have their Welsh; what a system said itself is left as it is."""

from __future__ import annotations

import re

import pytest

from console.cause_words import in_welsh
from console.web.words import Speech
from mappings.mapping import Gap
from pipelines import merge, regressed, tombstones
from pipelines.causes import gap_cause

GAPS = [
    gap_cause("contact", "read", Gap("priority", "priority", kind, "contact-priority"))  # type: ignore[arg-type]  # a kind by its name
    for kind in ("unknown code", "missing", "too long", "wrong type")
]
OURS = [
    *(one.words for one in GAPS), tombstones.why("contact").words, tombstones.erased("contact").words,
    regressed.why("contact").words, merge.WHY_SAFEGUARDING, merge.WHY_ENDLESS, merge.WHY_IN_ERROR, merge.WHY_CANCELLED,
]  # fmt: skip


@pytest.mark.parametrize("words", OURS)
def test_what_is_ours_has_its_welsh_with_the_same_names(words: str) -> None:
    welsh = in_welsh(words)
    assert welsh is not None and welsh != words
    for name in ("contact", "priority", "contact-priority"):
        assert bool(re.search(rf"\b{name}\b", words)) == bool(re.search(rf"\b{name}\b", welsh))
    assert "<span" not in Speech("cy").said(words)
    assert Speech("en").said(words) == Speech("en").english(words)


def test_what_a_system_said_stays_and_is_marked_as_english() -> None:
    said = "refused: <b>the date is missing</b>"
    assert in_welsh(said) is None
    assert Speech("cy").said(said) == '<span lang="en">refused: &lt;b&gt;the date is missing&lt;/b&gt;</span>'
