"""What a profile declares must be known without its connector, or nobody reads what the system has to say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors import registry
from connectors.problems import ProfileFaults

PROFILES = sorted((Path(__file__).parents[2] / "connectors/profiles").glob("*.yaml"))
OF_THE_PORT = {"changes", "fetch", "create", "update", "find", "words"}
#: Families of which no profile is shipped: each council's files and tables are its own.
OWN = ("files", "mesh", "sql")


def read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    return told


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_shipped_profile_says_what_it_offers(path: Path) -> None:
    profile = read(path)
    told = registry.declared(profile)
    assert told.kinds() == tuple(profile["records"])
    for kind in told.kinds():
        assert told.offers(kind) <= OF_THE_PORT
        sections = OF_THE_PORT & set(profile["records"][kind])
        assert sections <= told.offers(kind), "what has a section is offered"


def test_every_family_says_so() -> None:
    protocols = {read(path)["protocol"] for path in PROFILES} | set(OWN)
    assert protocols == set(registry.FAMILIES)
    for protocol in OWN:
        model: Any = registry.profile_model(protocol)
        record = model.model_fields["records"].annotation.__args__[1]
        assert isinstance(record.offers, property), protocol


def test_what_has_no_section_is_offered_all_the_same() -> None:
    told = registry.declared({"system": "n", "protocol": "notify", "records": {"Report": {}, "Text": {}}})
    assert told.offers("Report") == {"changes", "fetch"}
    assert told.offers("Text") == {"create", "fetch", "find"}


def test_a_profile_that_is_wrong_is_no_stumbling_block() -> None:
    with pytest.raises(ProfileFaults):
        registry.declared({"system": "n", "protocol": "notify"})


def test_what_could_be_read_and_is_not(shipped: Callable[[str], Any]) -> None:
    profile = shipped("contact")
    assert registry.could_be_read(profile) == {"Reply"}, "what is told there is never read"
    del profile["records"]["Request"]["changes"]
    assert registry.could_be_read(profile) == {"Reply", "Request"}
    assert registry.could_be_read(shipped("bars")) == frozenset(), "messages are pushed and cannot be listed"
