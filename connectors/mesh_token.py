"""NHS MESH's token: one for each call, as the MESH API's contract says under "MESH Authorization header".

`NHSMESH mailbox:nonce:count:timestamp:hash`, where the hash is HMAC-SHA-256 with the environment's shared secret over
`mailbox:nonce:count:password:timestamp`, the timestamp is UTC as yyyyMMddHHmm, and no token is taken twice.
"""

from __future__ import annotations

import hmac
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from connectors.deadline import Deadline
from connectors.login_settings import MeshLogin


class MeshToken:
    """A login that makes a token for each call. Safe to use from several threads at once."""

    def __init__(self, login: MeshLogin, *, now: Callable[[], float] = time.time) -> None:
        self._login = login
        self._now = now

    def __repr__(self) -> str:
        return "MeshToken()"

    def headers(self, deadline: Deadline) -> Mapping[str, str]:  # noqa: ARG002 - nothing to wait for
        """Return a header with a token of its own."""
        stamp = datetime.fromtimestamp(self._now(), UTC).strftime("%Y%m%d%H%M")
        return {"Authorization": token(self._login, str(uuid.uuid4()), 0, stamp)}

    def renewed(self, refused: Mapping[str, str], deadline: Deadline) -> Mapping[str, str] | None:  # noqa: ARG002 - the login's port; another token says the same
        """There is no other."""
        return None


def token(login: MeshLogin, nonce: str, count: int, stamp: str) -> str:
    """The header's value for one nonce, which was used `count` times before, at a time in UTC (yyyyMMddHHmm)."""
    said = f"{login.mailbox}:{nonce}:{count}:{login.password.get_secret_value()}:{stamp}"
    digest = hmac.new(login.shared_key.get_secret_value().encode(), said.encode(), "sha256").hexdigest()
    return f"NHSMESH {login.mailbox}:{nonce}:{count}:{stamp}:{digest}"
