"""What a door is, and the words of the languages that several of them read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Door:
    """One parser. `seeds`: whole inputs of which broken ones are made."""

    take: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = field(default=())  # what its language is made of


XML_WORDS = (
    b"<", b">", b"&", b"&#0;", b"&e;", b"]]>", b"<![CDATA[", b"<!--", b"<?x", b"</", b'<!DOCTYPE r [<!ENTITY e "x">]>',
    b'<!DOCTYPE r SYSTEM "file:///etc/passwd">', b"<a>" * 400, b'encoding="UTF-7"', b"\xff\xfe", b"\x00",
    b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>',
)  # fmt: skip
JSON_WORDS = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\ud800", b"NaN", b"-0", b"1e999", b"9" * 300, b"[" * 3000,
    b'{"a":' * 400, b'"id":', b"null", b"\xed\xa0\x80", b"\xef\xbb\xbf",
)  # fmt: skip
CSV_WORDS = (b",", b";", b'"', b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"T;1\n", b"=1+1", b"id,name\n")
