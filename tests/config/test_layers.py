"""The site's files laid over the shipped ones, and names that must not lead out of their folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.layers import ENDINGS, Layers


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    for place, words in (
        ("site/mappings/casework/referral.yaml", "site"),
        ("site/mappings/own.yaml", "own"),
        ("site/secret.yaml", "out of reach"),
        ("shipped/casework/referral.yaml", "shipped"),
        ("shipped/contact/request.yaml", "shipped"),
        ("interfaces/contact.openapi.yaml", "openapi"),
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words, encoding="utf-8")
    return Layers(tmp_path / "site", {"mappings": tmp_path / "shipped", "interfaces": tmp_path / "interfaces"})


def test_the_sites_own_comes_first(layers: Layers) -> None:
    assert layers.read("mappings", "casework/referral") == b"site"
    assert layers.read("mappings", "contact/request") == b"shipped"
    found = layers.find("mappings", "casework/referral", below="site")
    assert found is not None
    assert (found.layer, found.path.read_text(encoding="utf-8")) == ("shipped", "shipped")


def test_an_interface_is_named_with_or_without_its_folder(layers: Layers) -> None:
    assert layers.read("interfaces", "interfaces/contact.openapi.yaml") == b"openapi"
    assert layers.read("interfaces", "contact.openapi.yaml") == b"openapi"


def test_all_names_of_both_layers(layers: Layers) -> None:
    assert layers.names("mappings") == ("casework/referral", "contact/request", "own")
    assert layers.names("interfaces") == ("contact.openapi.yaml",)
    assert layers.names("codes") == ()


def test_a_missing_file_says_what_may_have_been_meant(layers: Layers) -> None:
    assert layers.missing("mappings", "contact/reqest", ("here",)).remedy == "did you mean 'contact/request'?"
    with pytest.raises(LookupError, match=r"create codes/needs.csv in the site"):
        layers.read("codes", "needs")


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "casework/../../secret",
        "/etc/passwd",
        "..",
        "",
        ".",
        "a\0b",
        "C:/x",
        "..\\secret",
        "a//b",
        ".hidden",
    ],
)
def test_a_name_never_leads_out(layers: Layers, name: str) -> None:
    assert layers.find("mappings", name) is None
    assert "which is no name" in layers.missing("mappings", name, ()).found
    with pytest.raises(ValueError, match="no name for a file"):
        layers.place_in_site("mappings", name)


def test_a_link_never_leads_out(layers: Layers) -> None:
    (layers.site / "mappings" / "link.yaml").symlink_to(layers.site / "secret.yaml")
    (layers.site / "mappings" / "circle.yaml").symlink_to(layers.site / "mappings" / "circle.yaml")
    assert layers.find("mappings", "link") is None
    assert layers.find("mappings", "circle") is None


@given(name=st.text(max_size=40), kind=st.sampled_from(sorted(ENDINGS)))
def test_any_text_as_a_name_finds_nothing_outside(
    tmp_path_factory: pytest.TempPathFactory, name: str, kind: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    found = Layers(folder / "site", {kind: folder / "shipped"}).find(kind, name)
    assert found is None
    Layers(folder / "site", {}).missing(kind, name, ())


def test_reading_a_code_list_that_only_the_shipped_layer_has(load: Callable[[], object], site: Path) -> None:
    place = Layers(site, {}).place_in_site("codes", "contact-need")
    assert place == site / "codes" / "contact-need.csv"
