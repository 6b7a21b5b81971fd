"""What must hold between the parts of a council's file, and between councils on one installation."""

from collections.abc import Callable
from pathlib import Path

import pytest

from config.findings import SiteFaults
from config.routes import LIVE_NEEDS
from config.site import Site, load_site

Spoil = Callable[[str, str, str], None]
Load = Callable[[], Site]

TORFAEN = "config/councils/torfaen.yaml"
BLAENAU_GWENT = "config/councils/blaenau-gwent.yaml"
NPT = "config/councils/neath-port-talbot.yaml"


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("code: torfaen", "code: torfean", "council.code", "in a file called 'torfaen.yaml'"),
        ("from: contact", "from: contat", "routes[0].from", "did you mean 'contact'?"),
        ("to: casework", "to: case-work", "routes[0].to", "did you mean 'casework'?"),
        ("record: Referral", "record: Referal", "routes[0].record", "did you mean 'Referral'?"),
        ("record: Referral", "record: Request", "routes[0].record", "does not have"),
        ("name: casework-to-contact", "name: contact-to-casework", "routes[1].name", "twice"),
        ("from: casework", "from: texts", "routes[1].from", "without `records`"),
        ("owns: [status,", "owns: [person,", "connections.casework.owns[0]", "'contact' owns too"),
        ("owns: [status, ", "owns: [", "connections", "no owner of `status`"),
        ("profile: contact", "profile: contacts", "connections.contact.profile", "did you mean 'contact'?"),
        (
            "mapping: contact/request",
            "mapping: contact/reqest",
            "connections.contact.records.Request.mapping",
            "did you mean",
        ),
        ("text: track-my-request", "text: track-my-requests", "routes[2].text", "did you mean 'track-my-request'?"),
        ("in_progress, completed]", "in_progres, completed]", "routes[2].when.status", "did you mean 'in_progress'?"),
        ("    recipients:\n      - {who: person}\n", "", "routes[2]", "a text without `recipients`"),
        ("{who: person}", "{who: persons}", "routes[2].recipients[0].who", "did you mean 'person'?"),
        ("{who: person}", "{who: person, texts: [track]}", "routes[2].recipients[0].texts[0]", "the unknown text"),
        (
            "      status: [accepted, in_progress, completed]\n",
            "      priority: [urgent]\n",
            "routes[2]",
            "`status` in `when`",
        ),
        ("carries: event", "carries: state", "routes[2]", "a text on a route that carries state"),
        ("    record: Referral\n", "", "routes[0]", "neither `record` nor `text`"),
        ("to: casework", "to: contact", "routes[0]", "the same connection at both ends"),
        ("every: PT2S", "every: 2", "connections.contact.schedule.every", "a duration such as"),
        ("{every: PT2S}", "{}", "connections.contact.schedule", "neither `every` nor `cron`"),
        ("{every: PT2S}", '{cron: "* * * * * *"}', "connections.contact.schedule.cron", "five fields"),
        (
            "client_secret: env:TORFAEN_CONTACT_SECRET",
            "client_secret: hunter2",
            "connections.contact.connect.login.oauth2.client_secret",
            "env:NAME or file:PATH",
        ),
        ("url: http://", "url: http://dolen:hunter2@", "connections.contact.connect.url", "a password in it"),
        ("time_zone: Europe/London", "time_zone: Cardiff", "council.time_zone", "write Europe/London"),
        ("council:\n", "council:\n  council_field: Authority\n", "council.council_field", "the unknown key"),
        ("settle_seconds: 2", "council_field: Authority", "connections.contact", "no council_values"),
    ],
)
def test_one_fault(load: Load, spoil: Spoil, old: str, new: str, key: str, words: str) -> None:
    spoil(TORFAEN, old, new)
    site = load()
    found = [finding for finding in site.findings if finding.key == key]
    assert found, [str(finding) for finding in site.findings]
    assert words in str(found[0])
    assert found[0].line > 1
    assert "torfaen" not in site.councils
    assert "hunter2" not in "\n".join(map(str, site.findings))


def test_a_group_that_does_not_exist(site: Path) -> None:
    found = load_site(site, groups=("status", "person", "language")).findings
    assert any("the unknown group 'referrer'" in str(finding) for finding in found)


@pytest.mark.parametrize("key", LIVE_NEEDS)
def test_live_needs_its_reasons(site: Path, load: Load, spoil: Spoil, key: str) -> None:
    spoil("config/dolen.yaml", "stage: test", "stage: live")
    told = "access: {roles: [{role: operator, councils: [torfaen], accounts: [aevans]}]}"
    spoil("config/dolen.yaml", 'residents_only_to: ["+447700900*"]', told)
    checked = "welsh_checked: {by: A. Checker, on: 2026-11-30}\nchannel: text\n"
    spoil("texts/track-my-request.yaml", "channel: text\n", checked)
    assert load().findings == ()
    lines = (site / TORFAEN).read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if line.startswith(f"    {key}: ") and number > 60)
    (site / TORFAEN).write_text("".join(lines[:first] + lines[first + 1 :]), encoding="utf-8")
    (finding,) = load().findings
    assert finding.key.endswith(f".{key}")
    assert f"`{key}`, because the stage is live" in finding.expected


def test_a_live_site_names_no_test_numbers(load: Load, spoil: Spoil) -> None:
    spoil("config/dolen.yaml", "stage: test", "stage: live")
    with pytest.raises(Exception, match="a list in a live site"):
        load()


def test_retention_must_be_in_order(load: Load, spoil: Spoil) -> None:
    spoil("config/dolen.yaml", "raw: P30D", "raw: P120D")
    with pytest.raises(Exception, match=r"retention.raw: found a longer time than that of payloads"):
        load()


def share(site: Path, *, login: bool) -> None:
    """Let Blaenau Gwent's contact connection be Torfaen's installation, with its login or its own."""
    path = site / BLAENAU_GWENT
    text = path.read_text(encoding="utf-8").replace("8765/blaenau-gwent/contact", "8765/torfaen/contact")
    if login:
        text = text.replace("dolen-blaenau-gwent", "dolen-torfaen").replace("BLAENAU_GWENT_CONTACT", "TORFAEN_CONTACT")
    path.write_text(text, encoding="utf-8")


def test_two_councils_on_one_installation_must_be_told_apart(site: Path, load: Load) -> None:
    share(site, login=True)
    loaded = load()
    assert list(loaded.councils) == ["neath-port-talbot"]
    assert {finding.key for finding in loaded.findings} == {"connections.contact.connect.url"}
    assert {finding.file for finding in loaded.findings} == {TORFAEN, BLAENAU_GWENT}


def test_one_installation_with_two_logins_is_warned_about(site: Path, load: Load) -> None:
    share(site, login=False)
    loaded = load()
    assert len(loaded.councils) == 3
    assert {finding.severity for finding in loaded.findings} == {"warning"}


def test_councils_that_say_what_tells_them_apart(site: Path, load: Load, spoil: Spoil) -> None:
    share(site, login=True)
    extra = "settle_seconds: 2\n    council_field: authority\n    council_values: [{}]"
    spoil(TORFAEN, "settle_seconds: 2", extra.format("TOR"))
    spoil(BLAENAU_GWENT, "settle_seconds: 2", extra.format("BG"))
    assert load().findings == ()
    spoil(BLAENAU_GWENT, "[BG]", "[BG, TOR]")
    loaded = load()
    assert list(loaded.councils) == ["neath-port-talbot"]
    assert all("council_values" in finding.key for finding in loaded.findings)


def test_a_route_cannot_name_another_councils_connection(load: Load, spoil: Spoil) -> None:
    spoil(TORFAEN, "to: casework", "to: blaenau-gwent/casework")
    assert any(finding.key == "routes[0].to" for finding in load().findings)


@pytest.mark.parametrize(
    ("written", "found", "remedy"),
    [
        ("{role: operater, councils: [torfaen], accounts: [a]}", "'operater'", "'operator'"),
        ("{role: operator, councils: [torfean], accounts: [a]}", "the unknown council 'torfean'", "'torfaen'"),
        ("{role: operator, councils: [torfaen]}", "a role that nobody holds", "say who holds it"),
        ("{role: operator, councils: [torfaen], groups: [a]}", "groups, where no provider tells any", "name the"),
    ],
)
def test_a_role_that_cannot_be_meant_is_found_with_its_line(
    site: Path, spoil: Spoil, written: str, found: str, remedy: str
) -> None:
    spoil("config/dolen.yaml", "stage: test", f"stage: test\naccess: {{roles: [{written}]}}")
    try:
        findings = load_site(site).findings
    except SiteFaults as faults:
        findings = faults.findings
    (finding,) = [one for one in findings if one.file == "config/dolen.yaml"]
    assert found in finding.found
    assert remedy in finding.remedy
    assert finding.line == 7
    assert finding.key.startswith("access.roles[0]")


def test_a_live_site_says_who_may_do_what(load: Load, spoil: Spoil) -> None:
    spoil("config/dolen.yaml", "stage: test", "stage: live")
    spoil("config/dolen.yaml", 'residents_only_to: ["+447700900*"]', "")
    assert [finding.key for finding in load().findings if finding.file.endswith("dolen.yaml")] == ["access"]
