"""Care at the command line: figures of a running site, a backup while it runs, a restore that is refused over it."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any


def test_a_running_site_is_measured_and_copied_and_nothing_is_put_over_it(torfaen: Any, tmp_path: Path) -> None:
    site = torfaen
    file = site.folder / "config" / "dolen.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\nmetrics: {port: 0}\n", encoding="utf-8")
    process = site.start("run")
    try:
        address = ""
        while not address:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            address = line.partition("Figures at ")[2].strip().removesuffix(".")
        with urllib.request.urlopen(address, timeout=20) as answer:
            text = answer.read().decode()
        assert 'dolen_processes{role="work"} 1.0' in text
        with urllib.request.urlopen(address.replace("metrics", "readyz"), timeout=20) as answer:
            assert json.load(answer)["ready"] is True
        made = site.dolen("backup", "--out", str(tmp_path / "copy"))
        assert made.returncode == 0, made.stderr
        assert "The keys are not in it" in made.stdout
        refused = site.dolen("restore", str(tmp_path / "copy"), said="why not\n")
        assert refused.returncode == 1
        assert "The site runs; stop it first" in refused.stderr
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_a_copy_is_put_back_where_there_is_no_ledger_and_a_bundle_is_written(torfaen: Any, tmp_path: Path) -> None:
    site, copy, keys = torfaen, tmp_path / "copy", tmp_path / "keys"
    made = site.dolen("backup", "--out", str(copy), "--keys-out", str(keys))
    assert "The main key is in neither" in made.stdout, made.stderr
    refused = site.dolen("restore", str(copy), said="why not\n")
    assert "There is a ledger already, and nothing was touched" in refused.stderr
    shutil.move(site.folder / "var", tmp_path / "lost")
    (site.folder / "var" / "keys").mkdir(parents=True)
    shutil.copy(tmp_path / "lost" / "keys" / "main.key", site.folder / "var" / "keys" / "main.key")
    done = site.dolen("restore", str(copy), "--keys", str(keys), said="the disk broke\n")
    assert done.returncode == 0, done.stderr
    assert "Each council sends again once its sources have been read again" in done.stdout
    assert site.dolen("go-on", "torfaen", said="contact is down\n").stdout.startswith("torfaen sends again")
    bundle = tmp_path / "bundle.zip"
    assert site.dolen("support-bundle", "--out", str(bundle)).returncode == 0
    assert bundle.stat().st_size > 1000
