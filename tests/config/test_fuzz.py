"""Whatever the files hold, loading ends in a site or in findings: never in a traceback, never with a value shown."""

import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.documents import parse_yaml
from config.findings import Finding, SiteFaults
from config.site import Site, load_site, reload

# fmt: off
KEYS = st.sampled_from((
    "council", "connections", "routes", "connect", "records", "owns", "when", "from", "to", "name",
    "schedule", "statuses", "template", "wording", "cy", "contact", "torfaen", "retention", "url", "login",
    "password", "council_field", "x",
))
# fmt: on
PLAIN: Any = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12), KEYS, st.just("env:X")
)
TREES: Any = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
MARKS = "{}[]:,-#&*!|>'\"%@`?\n \t\r\0abNO1.~<\ufeff\u2028é"


def sound(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        said = str(finding)
        assert said.isprintable(), said
        assert finding.found
        assert finding.expected
        assert finding.remedy


@given(
    raw=st.one_of(st.binary(max_size=200), st.text(alphabet=MARKS, max_size=120).map(lambda text: text.encode("utf-8")))
)
@example(raw=b"? ")
@example(raw=b"- - - -\n: :")
@example(raw=b"\xff\xfe\x00")
def test_any_bytes_are_data_or_findings(raw: bytes) -> None:
    try:
        document = parse_yaml(raw, Path("any.yaml"))
    except SiteFaults as faults:
        assert faults.findings
        sound(faults.findings)
    else:
        for path in document.places:
            line, column = document.where(path)
            assert line >= 1
            assert column >= 1


@given(data=TREES)
def test_any_data_written_as_json_reads_back_or_is_refused(data: Any) -> None:
    raw = orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS) if _fits(data) else b""
    try:
        document = parse_yaml(raw, Path("any.yaml"))
    except SiteFaults as faults:
        sound(faults.findings)
    else:
        assert raw == b"" or document.places.keys() >= {()}


def _fits(data: Any) -> bool:
    try:
        orjson.dumps(data)
    except TypeError:
        return False
    return True


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(__file__).resolve().parents[2]
    return Path(shutil.copytree(root / "config" / "example", tmp_path_factory.mktemp("fuzz") / "site"))


def load(folder: Path, shipped: Mapping[str, Path]) -> Site | None:
    try:
        site = load_site(folder, shipped=shipped)
    except SiteFaults as faults:
        sound(faults.findings)
        return None
    sound(site.findings)
    return site


QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
FILES = ("config/dolen.yaml", "config/councils/torfaen.yaml", "texts/track-my-request.yaml")


@settings(suppress_health_check=QUIET)
@given(data=TREES, file=st.sampled_from(FILES))
def test_any_data_in_any_file(sites: Path, shipped: Mapping[str, Path], data: Any, file: str) -> None:
    path = sites / file
    kept = path.read_bytes()
    try:
        path.write_bytes(orjson.dumps(data) if _fits(data) else b"")
        site = load(sites, shipped)
        assert site is None or len(site.councils) >= 2
    finally:
        path.write_bytes(kept)


@settings(suppress_health_check=QUIET)
@given(file=st.sampled_from(FILES), seed=st.integers(0, 2**32), value=PLAIN | TREES)
def test_one_value_anywhere_is_something_else(
    sites: Path, shipped: Mapping[str, Path], file: str, seed: int, value: Any
) -> None:
    chance = random.Random(seed)
    path = sites / file
    kept = path.read_bytes()
    document = parse_yaml(kept, path)
    places = [place for place in document.places if place]
    spot = chance.choice(places)
    inside = document.data
    for step in spot[:-1]:
        inside = inside[step]
    inside[spot[-1]] = value if _fits(value) else None
    try:
        path.write_bytes(orjson.dumps(document.data))
        site = load(sites, shipped)
        if site is not None:
            assert len(reload(site).councils) >= 2
    finally:
        path.write_bytes(kept)


@settings(suppress_health_check=QUIET)
@given(file=st.sampled_from(FILES), seed=st.integers(0, 2**32))
def test_a_few_letters_anywhere_are_others(sites: Path, shipped: Mapping[str, Path], file: str, seed: int) -> None:
    chance = random.Random(seed)
    path = sites / file
    kept = path.read_bytes()
    text = list(kept.decode("utf-8"))
    for _ in range(chance.randrange(1, 4)):
        spot = chance.randrange(len(text))
        text[spot : spot + chance.randrange(0, 3)] = chance.choice(MARKS) * chance.randrange(0, 3)
    try:
        path.write_bytes("".join(text).encode("utf-8"))
        load(sites, shipped)
    finally:
        path.write_bytes(kept)
