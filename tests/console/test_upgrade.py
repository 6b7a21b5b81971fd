"""`dolen site upgrade` as people run it: shown first, written with a reason, refused for a newer site."""

from __future__ import annotations

from tests.console.conftest import Site


def set_format(site: Site, number: int, more: str = "") -> str:
    file = site.folder / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8").replace("schema_version: 2", f"schema_version: {number}{more}")
    file.write_text(text, encoding="utf-8")
    return text


def test_shown_then_written(bare: Site) -> None:
    before = set_format(bare, 1)
    warned = bare.dolen("check")
    assert "warning: config/dolen.yaml:3:1 schema_version: found format 1, of an older Dolen" in warned.stdout
    assert "run: dolen site upgrade" in warned.stdout
    shown = bare.dolen("site", "upgrade")
    assert shown.returncode == 1
    assert "+schema_version: 2" in shown.stdout
    assert (bare.folder / "config" / "dolen.yaml").read_text(encoding="utf-8") == before
    assert bare.dolen("site", "upgrade", "--go").returncode == 2, "a reason is needed"
    assert (bare.folder / "config" / "dolen.yaml").read_text(encoding="utf-8") == before
    assert bare.json("site", "upgrade", "--go", said="the new Dolen")["written"] is True
    after = (bare.folder / "config" / "dolen.yaml").read_text(encoding="utf-8")
    assert "A. Swyddog: the new Dolen\nschema_version: 2" in after
    assert "the newest" in bare.dolen("site", "upgrade").stdout


def test_a_newer_site_is_left_alone(bare: Site) -> None:
    before = set_format(bare, 9)
    refused = bare.dolen("site", "upgrade", "--go", said="x")
    assert refused.returncode == 1
    assert "format 9, of a newer Dolen" in refused.stderr
    assert (bare.folder / "config" / "dolen.yaml").read_text(encoding="utf-8") == before
