"""The server behind which a folder lies, and what settings and profiles may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError, Misconfigured, Unreachable
from connectors.problems import ProfileFaults
from tests.connectors.files.conftest import Server, ids, opened, profile, put, row, walk


def test_a_server_with_another_key_is_not_spoken_to(drop: Path, sftp: Server) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    with pytest.raises(Misconfigured, match="another key than the pinned one"):
        opened(profile(), sftp.settings(drop, host_key=other)).changes("Referral", watermark="")


def test_a_server_that_refuses_or_is_away(drop: Path, sftp: Server) -> None:
    settings = sftp.settings(drop)
    login = {"key": {**settings["login"]["key"], "username": "nobody-of-that-name"}}
    with pytest.raises(ConnectorError) as refused:
        opened(profile(), {**settings, "login": login}).changes("Referral", watermark="")
    assert type(refused.value).__name__ == "Unauthorised"
    with pytest.raises(Unreachable):
        opened(profile(), {**settings, "url": "sftp://127.0.0.1:9/drop"}).changes("Referral", watermark="")


def test_a_line_that_broke_is_laid_again(drop: Path, sftp: Server) -> None:
    put(drop, "referrals_1.csv", row(1))
    connector = opened(profile(), sftp.settings(drop))
    assert ids(walk(connector)[0]) == ["R1"]
    connector._folder._transport.close()  # type: ignore[attr-defined] # as a server that was started again does
    assert ids(walk(connector)[0]) == ["R1"]
    connector.close()
    assert "Prydderch" not in repr(connector)


@pytest.mark.parametrize(
    ("connect", "words"),
    [
        ({}, "either folder or url"),
        ({"folder": "relative"}, "whole path"),
        ({"url": "sftp://files.example.org/out"}, "needs login and host_key"),
        ({"url": "sftp://me:secret@files.example.org/out"}, "use `login`"),
        ({"url": "https://files.example.org/out"}, "whole address such as sftp"),
        ({"folder": "/srv/x", "host_key": "ssh-ed25519 AAAA"}, "go with url"),
    ],
)
def test_settings_that_cannot_work(connect: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileFaults, match=words) as fault:
        opened(profile(), connect)
    assert "secret@" not in str(fault.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"names": "../*.csv"}, "in the one folder"),
        ({"names": "*"}, "takes every file"),
        ({"encoding": "utf-16"}, "write one of"),
        ({"format": "xml"}, "items goes with format xml"),
        ({"control": {}}, "either trailer or file"),
        ({"csv": {"delimiter": "ab"}}, "the one sign"),
    ],
)
def test_profiles_that_cannot_work(drop: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileFaults, match=words):
        opened(profile(**changes), {"folder": str(drop)})
