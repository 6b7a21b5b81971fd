"""Schemathesis calls the interface in ways that nobody thought of, as its own description allows and forbids.

A few cases for each address here; thousands by hand before a release (docs/console-access.md says how).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.access.conftest import House
from tests.access.pages import free_socket, served, whole
from tests.conftest import SEED

CASES = int(os.environ.get("DOLEN_TEST_API_CASES", "2"))


@pytest.fixture
def everything(house: House) -> Iterator[str]:
    """The pages, where one token stands for somebody who is signed in with every role; and nobody is locked out."""
    bench = house.bench
    bench.take(*(bench.request(f"C-{number}", flags__restricted=number == 3) for number in range(1, 5)))
    bench.take(bench.request("C-7", priority="whenever"))

    browser = house.signed_in("all@example.org", "look", "operate", "read", "codes", "protect", "run")
    cookies = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
    held = {"cookie": cookies, "x-csrf-token": browser.home()["csrf"], "origin": house.address}
    inner = whole(house.entrance)
    told = [(name.encode(), value.encode()) for name, value in held.items()]

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        house.entrance.tries.__init__()  # type: ignore[misc]
        if scope["type"] == "http" and (b"authorization", b"Bearer everything") in scope["headers"]:
            mine = (b"authorization", b"sec-fetch-site", *(name for name, _ in told))
            kept = [one for one in scope["headers"] if one[0] not in mine]
            scope = {**scope, "headers": [*kept, *told]}
        await inner(scope, receive, send)

    with served(app, free_socket()) as address:
        yield address


@pytest.mark.timeout(600)
def test_nothing_is_found_by_whoever_tries_everything(everything: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run",
        f"{everything}/api/v1/openapi.json", "--max-examples", str(CASES), "--seed", str(SEED), "--no-color",
        "--header", "Authorization: Bearer everything", "--suppress-health-check", "all",
        "--phases", "examples,fuzzing" if CASES < 5 else "examples,coverage,fuzzing", "--request-timeout", "60",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=590, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    (tested,) = re.findall(r"Tested: (\d+)", done.stdout)
    assert int(tested) > 30
