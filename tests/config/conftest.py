"""Sites for these tests: the example site copied to a place where it can be spoilt, and where shipped files lie."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from config.site import Site, load_site

ROOT = Path(__file__).resolve().parents[2]
SHIPPED: Mapping[str, Path] = {
    "mappings": ROOT / "mappings" / "shipped",
    "codes": ROOT / "mappings" / "shipped" / "codes",
    "profiles": ROOT / "connectors" / "profiles",
    "interfaces": ROOT / "connectors" / "interfaces",
}


@pytest.fixture
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture
def shipped() -> Mapping[str, Path]:
    """Where the shipped files lie, as pipelines will say."""
    return SHIPPED


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the example site."""
    return Path(shutil.copytree(ROOT / "config" / "example", tmp_path / "site"))


@pytest.fixture
def load(site: Path) -> Callable[[], Site]:
    """Load the copy as it stands now."""
    return lambda: load_site(site, shipped=SHIPPED)


@pytest.fixture
def spoil(site: Path) -> Callable[[str, str, str], None]:
    """Replace words in one file of the copy, which must be there."""

    def replace(file: str, old: str, new: str) -> None:
        path = site / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace
