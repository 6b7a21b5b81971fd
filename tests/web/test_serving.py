"""The pages as a process of their own, as people start them: they say where they are, and let in who started them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.pipelines.pieces import ROOT
from tests.web.desk import said


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The example site, with its pages on a port that is free."""
    folder = Path(shutil.copytree(ROOT / "config" / "example", tmp_path / "site"))
    file = folder / "config" / "dolen.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("port: 8080", "port: 0"), encoding="utf-8")
    return folder


@pytest.fixture(params=["serve", "run"])
def process(site: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """`dolen serve`, or `dolen run` with the pages in it."""
    command = [sys.executable, "-m", "console", str(request.param), "--site", str(site)]
    environment = {**os.environ, "PYTHONUTF8": "1", "DOLEN_USER": "Ann Officer"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment,
                          encoding="utf-8") as started:  # fmt: skip
        yield started
        started.send_signal(signal.SIGTERM)
        out, err = started.communicate(timeout=60)
        assert started.returncode == 0, out + err
        assert "Traceback" not in out + err
        assert "/sign-in/link/" not in err, "the log keeps no secret"


def test_whoever_started_them_signs_in_by_a_link_that_works_once(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    link = ""
    for line in process.stdout:
        if found := re.search(r"http://\S+/sign-in/link/\S+", line):
            link = found.group()
            break
    address = link.partition("/sign-in")[0]
    stranger = requests.get(f"{address}/", timeout=20)
    assert stranger.status_code == 401 and "You are not signed in" in said(stranger.text)
    with requests.Session() as browser:
        page = browser.get(link, timeout=20)
        assert page.status_code == 200 and said(page.text).startswith("Where is it?")
        assert "Signed in as Ann Officer" in page.text
        again = requests.get(link, timeout=20)
        assert again.status_code == 403 and "works no more" in said(again.text)
        assert requests.get(f"{address}/api/v1/openapi.json", timeout=20).status_code == 200
        token = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
        out = browser.post(f"{address}/sign-out", data={"csrf": token}, headers={"Origin": address}, timeout=20)
        assert "You are signed out" in said(out.text)
        assert browser.get(f"{address}/", timeout=20).status_code == 401
