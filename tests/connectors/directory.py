"""A directory of services by Open Referral UK 3.0, for a small server on loopback. All of it is invented.

`test_open_referral.py` holds its answers to what the standard says (version 3.0), as restated in `contracts`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

JSON = {"Content-Type": "application/json"}
NAMES = ["Grŵp Galar Cwm Afan", "Lunch club", "Sitting service", "Telephone befriending", "Clwb Cinio Tŷ Llwyd"]


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """A service as `/services` lists it: the fields that are one to one."""
    return {
        "id": str(UUID(int=number + 1, version=4)),
        "organization_id": str(UUID(int=10_000, version=4)),
        "name": NAMES[number % len(NAMES)],
        "description": "For people who have lost somebody" if number % len(NAMES) == 0 else "For older people",
        "url": f"https://services.example.org/{number}",
        "email": "services@example.org",
        "status": "active",
        "fees": "Free",
        "minimum_age": 18,
        "maximum_age": 120,
        "assured_date": "2026-01-01",
        "last_modified": "2026-03-02T09:30:00Z",
        "organization": {
            "id": str(UUID(int=10_000, version=4)),
            "name": "Cymdogion Cwm Afan",
            "description": "A charity",
        },
        **changes,
    }


class Feed:
    """Answers as a feed does: `/`, `/services` in pages, `/services/{id}`."""

    def __init__(self, answer: Any, number: int = 12) -> None:
        self.answer = answer
        self.services: list[Any] = [entry(at) for at in range(number)]
        self.said: list[tuple[str, str]] = []
        self.version = "3.0"

    def __call__(self, call: Any) -> Any:
        path, query = urlsplit(call.path).path, parse_qs(urlsplit(call.path).query)
        self.said.append((path, urlsplit(call.path).query))
        if path == "/feed/":
            told = {
                "version": self.version,
                "profile": "https://docs.example.org/uk",
                "openapi_url": "https://example.org/o",
            }
            return self.answer(200, json.dumps(told).encode(), JSON)
        if path == "/feed/services":
            page, size = int(query["page"][0]), int(query["per_page"][0])
            return self.answer(200, json.dumps(self.page(page, size)).encode(), JSON)
        found = [one for one in self.services if path == f"/feed/services/{one['id']}"]
        if not found:
            return self.answer(404, b'{"message": "not found"}', JSON)
        return self.answer(200, json.dumps({**found[0], "contacts": [{"id": found[0]["id"]}]}).encode(), JSON)

    def page(self, number: int, size: int) -> dict[str, Any]:
        """One page, with the envelope of the standard."""
        total = -(-len(self.services) // size)
        part = self.services[(number - 1) * size : number * size]
        return {
            "total_items": len(self.services), "total_pages": total, "page_number": number, "size": len(part),
            "first_page": number == 1, "last_page": number >= total, "empty": not part, "contents": part,
        }  # fmt: skip
