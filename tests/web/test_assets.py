"""What is shipped of others: just what its notice says, with nothing in it that only services on GOV.UK may use."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import metadata

from console.web.frame import ASSETS

NOTICE = (ASSETS / "NOTICE").read_text(encoding="utf-8")


def test_the_files_are_those_of_the_notice() -> None:
    shipped = {
        name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", NOTICE.partition("shipped")[2], re.M)
    }
    assert set(shipped) == {"govuk-frontend.min.css", "govuk-frontend.min.js"}
    for name, digest in shipped.items():
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest


def test_the_version_is_the_one_that_the_components_were_made_for() -> None:
    [version] = re.findall(r"^GOV\.UK Frontend (\S+) ", NOTICE)
    ours = metadata("govuk-frontend-jinja")
    row = re.search(rf"\[{re.escape(ours['Version'])}\].*?\[(\d[\d.]*)\]", str(ours.get_payload()))
    assert row is not None and row.group(1) == version


def test_nothing_is_fetched_from_elsewhere_and_no_font_or_crown_is_there() -> None:
    styles = (ASSETS / "govuk-frontend.min.css").read_text(encoding="utf-8")
    assert "GDS Transport" not in styles and "url(" not in styles and "@import" not in styles
    assert {path.suffix for path in ASSETS.iterdir()} == {"", ".css", ".js", ".svg"}
