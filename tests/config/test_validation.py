"""From a refused model to problems: all of them, with place and remedy, without values."""

from typing import Any

import pytest

from config.council import CouncilSettings
from config.settings import SiteSettings
from config.validation import told, validated


def site(**given: Any) -> list[str]:
    return [told(problem) for problem in validated(SiteSettings, {"schema_version": 2, **given})[1]]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stge": "live"}, ["stge: found the unknown key 'stge'", "did you mean 'stage'?"]),
        ({"stage": "liv"}, ["stage: found 'liv', expected one of live, test; did you mean 'live'?"]),
        ({"stage": True}, ["stage: found true or false, expected one of live, test"]),
        ({"console": {"port": "8080"}}, ["console.port: found a text, expected a whole number; write `port: 8080`"]),
        (
            {"console": {"port": 70000}},
            ["console.port: found a whole number that does not fit, expected 65535 or less"],
        ),
        ({"console": []}, ["console: found an empty list, expected a section with keys"]),
        ({"retention": {"raw": 30}}, ["retention.raw: found a whole number, expected a duration"]),
        ({"retention": {"rwa": "P30D"}}, ["retention.rwa: found the unknown key", "did you mean 'raw'?"]),
        ({"alerts": {"to": ["a@example.org", 5]}}, ["alerts.to[1]: found a whole number, expected a text"]),
        ({"ledger": {"url": "postgresql://dolen:hunter2@db/dolen"}}, ["ledger.url: found a URL with a password in it"]),
        ({"keys": {"main": "hunter2"}}, ["keys.main: found a text of another form, expected a reference to a key"]),
        ({"schema_version": 9}, ["schema_version: found a whole number, expected"]),
    ],
)
def test_one_slip(given: dict[str, Any], words: list[str]) -> None:
    (said,) = site(**given)
    for word in words:
        assert word in said
    assert "hunter2" not in said


def test_all_slips_at_once() -> None:
    said = site(stage="liv", cosnole={}, retention={"raw": "30", "payloads": None}, log={"level": "loud"})
    assert [line.split(":")[0] for line in said] == [
        "stage",
        "retention.raw",
        "retention.payloads",
        "log.level",
        "cosnole",
    ]


def test_a_missing_key_says_what_to_add() -> None:
    (said,) = [told(problem) for problem in validated(SiteSettings, {})[1]]
    assert said.startswith("schema_version: found nothing, expected this key: The version of the format of")
    assert said.endswith("; add `schema_version: 2`")


def test_a_key_inside_lists_and_named_sections_is_found() -> None:
    data = {
        "council": {"code": "x", "gss": "W06000020", "name": {"cy": "X", "en": "X"}, "phone": "01632 960100"},
        "connections": {
            "a": {"profile": "p", "owner": {"name": "n", "phone": "01632 960001", "fone": "1"}, "supplier": "s"}
        },
        "routes": [{"name": "r", "from": "a", "too": "b", "record": "Referral"}],
    }
    said = [told(problem) for problem in validated(CouncilSettings, data)[1]]
    assert any("connections.a.owner.fone: found the unknown key 'fone'" in line and "'phone'" in line for line in said)
    assert any("routes[0].to: found nothing" in line for line in said)
    assert any("routes[0].too: found the unknown key 'too'" in line and "did you mean 'to'?" in line for line in said)


def test_a_named_section_with_an_impossible_name() -> None:
    _, problems = validated(CouncilSettings, {"connections": {"Con Tact": {}}})
    assert any(
        problem.path == ("connections", "Con Tact") and "a name in small letters" in problem.expected
        for problem in problems
    )


@pytest.mark.parametrize(
    "data", [None, [], "text", 5, True, {"connections": []}, {"routes": {}}, {"routes": [None, 3]}]
)
def test_any_shape_gives_problems_and_no_traceback(data: Any) -> None:
    model, problems = validated(CouncilSettings, data)
    assert model is None
    assert problems
