"""Whatever a system answers, a call ends in time as a value or a named error: no other error, no file, no other host.

Every parser of replies is met through the connector that owns it, over a real socket: answers that were whole are
broken by chance, in body, headers and status (`broken_replies`). What they point to is a server that must not hear of
it and a file that must not be read. `long_replies` gives each case tens of thousands, and what that found is written
in docs/threat-model.md.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import live
from connectors.http import Reply, retry_after
from connectors.port import Connector
from connectors.soap.times import moment
from tests.connectors import reply_cases, reply_cases_public
from tests.connectors.broken_replies import INSIDE, SECONDS, Said, answers, ends_well
from tests.connectors.reply_cases import KEY

# After some of the broken answers a socket is closed by the garbage collector and not by us; which, is not known yet.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

CASES = reply_cases.CASES | reply_cases_public.CASES
FUZZED = settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))
CHANCE = st.randoms(use_true_random=False)
MEGABYTES = 128  # that all broken answers to one call may cost


@pytest.fixture(scope="module")
def system() -> Iterator[Said]:
    """The system."""
    made = Said()
    yield made
    made.close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Said]:
    """The other host."""
    made = Said()
    yield made
    made.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    made = tmp_path_factory.mktemp("ffeil") / "ffeil"
    made.write_text(INSIDE, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def opened(
    system: Said, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes]
) -> Iterator[Callable[[str], Connector]]:
    """The connector of each case, opened once."""
    made: dict[str, Connector] = {}

    def connector(name: str) -> Connector:
        if name not in made:
            made[name] = reply_cases.opened(CASES[name], system.origin, shipped, interfaces)
        return made[name]

    yield connector
    for one in made.values():
        one.close()


def peak() -> float:
    """The most memory that this process ever had, in megabytes; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("name", CASES)
@given(chance=CHANCE)
@FUZZED
def test_any_answer_ends_in_a_named_way(
    name: str, chance: random.Random, opened: Any, system: Said, canary: Said, file: Path
) -> None:
    case, one, before = CASES[name], opened(name), peak()
    said = [*case.before, *answers(chance, case.kind, case.wholes, case.own)]
    ends_well(lambda: case.call(one), system, canary, file, said)
    assert peak() - before < MEGABYTES


WSDL = (
    '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    '<wsdl:types><xs:schema><xs:import namespace="urn:t" schemaLocation="CANARY/x.xsd"/><xs:include schemaLocation='
    '"?xsd=1"/></xs:schema></wsdl:types></wsdl:definitions>'
)


@pytest.mark.parametrize(("profile", "kind", "whole"), [
    ("casework", "text/xml", WSDL),
    ("contact", "application/yaml", "openapi: 3.1.0\npaths: {/a: {get: {}}}\n&a b: *a\n"),
])  # fmt: skip
@given(chance=CHANCE)
@FUZZED
def test_any_live_interface_ends_in_a_named_way(
    profile: str, kind: str, whole: str, chance: random.Random, system: Said, canary: Said, file: Path, shipped: Any
) -> None:
    told = {"url": f"{system.origin}/api", "timeout_seconds": SECONDS, "max_reply_bytes": 100_000}
    said = answers(chance, kind, [whole])

    def fetch() -> Any:
        return live.fetch(shipped(profile), told, secret=lambda _: KEY)

    ends_well(fetch, system, canary, file, said)


STAMP = r"\d{1,5}-\d\d?-\d\d?([T ]\d\d?:\d\d?(:\d\d?(\.\d*)?)?)?(Z|[+-]\d\d:?\d\d)?"


@given(text=st.text(max_size=40) | st.from_regex(STAMP))
def test_any_stamp_is_a_moment_in_utc_or_none(text: str) -> None:
    found = moment(text, ZoneInfo("Europe/London"))
    assert found is None or found.tzinfo is UTC


@given(after=st.text(max_size=30), date=st.text(max_size=40))
def test_any_retry_after_is_a_number_or_none(after: str, date: str) -> None:
    found = retry_after(Reply(429, {"Retry-After": after, "Date": date}, b"", 0.0))
    assert found is None or 0 <= found < 1e12
