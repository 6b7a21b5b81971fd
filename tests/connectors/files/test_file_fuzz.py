"""Whatever bytes lie in a file, they end as records, as unreadable records, or as an unreadable file."""

from __future__ import annotations

import io
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.profile import Drop
from connectors.files.rows import Bad, Row, UnreadableFile, again, rows, total

DROPS = {
    "csv": {"format": "csv"},
    "trailer": {"format": "csv", "csv": {"delimiter": ";"}, "control": {"trailer": {"first": "T", "count": 2}}},
    "windows": {"format": "csv", "encoding": "windows-1252"},
    "lines": {"format": "json-lines"},
    "xml": {"format": "xml", "items": "r"},
}
PIECES = st.sampled_from(
    [b"id,name\n", b'"', b",", b";", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"T;1\n", b"<r>", b"</r>", b"<x>",
     b"</x>", b"<!DOCTYPE x>", b"&e;", b"<![CDATA[", b"{", b"}", b'{"id": 1}\n', b"[", b"NaN", b"1e999",
     b"\xef\xbb\xbf", b"<?xml "]
)  # fmt: skip


@pytest.mark.parametrize("name", DROPS)
@given(content=st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=40).map(b"".join))
def test_any_bytes_end_in_a_named_way(name: str, content: bytes) -> None:
    drop = Drop.model_validate({"feed": "file-drop", "names": "a*", **DROPS[name]})
    try:
        found: list[Any] = list(islice(rows(io.BytesIO(content), drop), 1000))
        number, _ = total(io.BytesIO(content), drop)
    except UnreadableFile as fault:
        assert "\n" not in str(fault)
        return
    assert number <= len(content)
    for one in found:
        assert isinstance(one, Row | Bad)
        if isinstance(one, Row):
            assert again(one.raw, drop) == one
