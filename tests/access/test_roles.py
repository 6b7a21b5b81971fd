"""Roles from a site's settings: by name, by group, by account; and whoever owns the files of a site without any."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from console.main import app
from pipelines import roles
from pipelines.rights import Right, Role
from pipelines.roles import Holding, Roles

COUNCILS = ("torfaen", "blaenau-gwent")


def some(*holdings: Holding) -> Roles:
    return Roles(holdings)


def test_a_role_is_held_by_name_by_group_or_by_account() -> None:
    told = some(
        Holding(Role.OPERATOR, frozenset({"torfaen"}), names=frozenset({"a.evans@example.org"})),
        Holding(Role.VIEWER, frozenset({"blaenau-gwent"}), groups=frozenset({"look"})),
        Holding(Role.ADMINISTRATOR, frozenset({"all"}), accounts=frozenset({"aevans"})),
    )
    by_name = told.officer("A", COUNCILS, identity="x", names=["A.Evans@Example.org"], groups=["look", "other"])
    assert by_name.roles == {"torfaen": {Role.OPERATOR}, "blaenau-gwent": {Role.VIEWER}}
    by_account = told.at_the_machine("aevans", "A. Evans", COUNCILS, owner=True)
    assert by_account.roles == dict.fromkeys(COUNCILS, frozenset({Role.ADMINISTRATOR}))
    assert (by_account.who, by_account.key) == ("A. Evans (aevans)", "account aevans")
    assert told.at_the_machine("AEVANS", "AEVANS", COUNCILS, owner=True).roles == {}  # an account has its capitals
    assert told.officer("A", COUNCILS, identity="x", names=["aevans"], groups=["aevans"]).roles == {}


def test_a_role_for_a_council_that_is_gone_is_none() -> None:
    told = some(Holding(Role.OPERATOR, frozenset({"gone", "torfaen"}), accounts=frozenset({"a"})))
    assert told.at_the_machine("a", "a", COUNCILS, owner=False).councils() == ("torfaen",)


def test_without_roles_the_owner_of_the_files_runs_the_site_and_reads_no_case() -> None:
    owner = some().at_the_machine("a", "a", COUNCILS, owner=True)
    assert owner.councils(Right.SEND) == owner.councils(Right.ADMINISTER) == tuple(sorted(COUNCILS))
    assert owner.councils(Right.UNMASK) == owner.councils(Right.PROTECT) == ()
    assert some().at_the_machine("b", "b", COUNCILS, owner=False).roles == {}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such accounts")
def test_no_environment_variable_changes_who_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    real = roles.account()
    for name in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert roles.account() == real


def dolen(site: Path, *arguments: str, said: str = "") -> Result:
    """Run a command in this process: to start one for each takes seconds, and tests/console does that."""
    kept = {"DOLEN_USER": "A. Swyddog", "DOLEN_SITE": str(site)}
    return CliRunner().invoke(app, list(arguments), input=said, env=kept)


def test_the_command_line_asks_the_same_rights(site: Path) -> None:
    account = roles.account()
    fresh = dolen(site, "whoami", "--json")
    told = json.loads(fresh.stdout)
    assert told["who"] == f"A. Swyddog ({account})"
    assert told["identity"] == f"account {account}"
    assert told["by_owning_the_files"]
    assert told["roles"]["torfaen"] == ["administrator", "operator"]
    refused = dolen(site, "unmask", "C-1", said="why not")
    assert refused.exit_code == 1
    assert "it takes the role case-reader" in refused.stderr
    file = site / "config" / "dolen.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(
        before + f"access: {{roles: [{{role: viewer, councils: [torfaen], accounts: [{account}]}}]}}\n",
        encoding="utf-8",
    )
    status = json.loads(dolen(site, "status", "--json").stdout)
    assert {one["council"] for one in status["connections"]} == {"torfaen"}
    paused = dolen(site, "pause", "torfaen/contact", said="why not")
    assert (paused.exit_code, "it takes the role operator" in paused.stderr) == (1, True)
    file.write_text(
        before + "access: {roles: [{role: viewer, councils: [torfaen], accounts: [nobody-here]}]}\n", encoding="utf-8"
    )
    nobody = dolen(site, "status")
    assert (nobody.exit_code, "access.roles" in nobody.stderr) == (1, True)
    file.write_text(before, encoding="utf-8")
    asked = ("token", "add", "nightly", "--role", "viewer", "--council", "torfaen")
    made = dolen(site, *asked, said="for the nightly job")
    assert made.stdout.startswith("dolen_")
    assert made.stdout.count("\n") == 1
    listed = json.loads(dolen(site, "token", "list", "--json").stdout)
    assert [(one["name"], one["roles"]) for one in listed] == [("nightly", {"torfaen": ["viewer"]})]
    assert "worth nothing" in dolen(site, "token", "revoke", "t1", said="the job is gone").stdout
