"""The pretend case system behaving badly: each fault is named by what the caller does next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors import errors
from connectors.port import Connector

KIND = "Referral"
Open = Callable[..., Connector]
Everything = Callable[..., tuple[list[Any], str, int]]


@pytest.mark.parametrize(
    ("fault", "numbers", "expected"),
    [
        ("error_before", {"status": 503}, errors.Unknown),
        ("error_after", {"status": 500}, errors.Unknown),
        ("reset_before", {}, errors.Unknown),
        ("reset_after", {}, errors.Unknown),
        ("hang_before", {"seconds": 5}, errors.Unknown),
        ("hang_after", {"seconds": 5}, errors.Unknown),
        ("html_before", {}, errors.Unknown),
        ("html_after", {}, errors.Unknown),
        ("slow_drip", {"bytes_a_second": 100}, errors.Unknown),
        ("truncated", {}, errors.Unknown),
        ("throttle", {"seconds": 7}, errors.Throttled),
        ("expired_token", {}, errors.Unauthorised),
    ],
)
def test_a_create_under_every_fault_is_named_by_what_to_do_next(
    connect: Open,
    council: Any,
    fault: str,
    numbers: dict[str, Any],
    expected: type[errors.ConnectorError],
    new: dict[str, Any],
) -> None:
    casework = connect(timeout_seconds=1.0)
    council.faults("casework", **{fault: numbers})
    started = time.monotonic()
    with pytest.raises(errors.ConnectorError) as caught:
        casework.deliver(KIND, new, key="k")
    assert type(caught.value) is expected or (expected is errors.Unknown and isinstance(caught.value, errors.Unknown))
    assert time.monotonic() - started < 4
    assert council.calls("casework", "CreateReferral") <= 1, "a create is sent once and never again from here"
    if isinstance(caught.value, errors.Throttled):
        assert caught.value.after == 7
    council.well("casework")
    there = casework.find(KIND, "k")
    assert len(there) == (1 if fault in ("error_after", "reset_after", "hang_after", "html_after") else len(there))


def test_a_read_is_tried_again_inside_its_time(connect: Open, council: Any, new: dict[str, Any]) -> None:
    casework = connect()
    made = casework.deliver(KIND, new, key="k")
    council.faults("casework", error_before={"times": 2})
    assert casework.fetch(KIND, made.id) is not None


def test_a_dead_system_is_unreachable_or_unknown_but_never_done(
    connect: Open, council: Any, new: dict[str, Any]
) -> None:
    casework = connect(timeout_seconds=2)
    council.faults("casework", dead={})
    with pytest.raises((errors.Unreachable, errors.Unknown)):
        casework.deliver(KIND, new, key="k")
    council.well("casework")
    assert casework.find(KIND, "k") == []


def test_many_threads_share_one_connector(connect: Open, new: dict[str, Any], everything: Everything) -> None:
    casework = connect(limits={"at_once": 4})
    problems: list[BaseException] = []

    def work(mine: int) -> None:
        try:
            for n in range(10):
                name = f"t{mine}-{n}"
                made = casework.deliver(KIND, {**new, "Team": name}, key=name)
                item = casework.fetch(KIND, made.id)
                assert item is not None
                assert (item.record["Team"], item.our_key) == (name, name)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(everything(casework)[0]) == 80


def test_the_doctor_finds_a_well_connection_well(connect: Open, port: str) -> None:
    findings = connect(port).doctor()
    assert {finding.subject for finding in findings} >= {"interface", "name", "clock", "login", "permission", "page"}
    assert all(finding.well for finding in findings), findings


def test_the_doctor_names_what_is_wrong(connect: Open) -> None:
    gone = connect(url="http://127.0.0.1:9/soap").doctor()
    assert [(finding.subject, finding.well) for finding in gone][-1] == ("route", False)
    unknown = connect(url="https://casework.invalid/soap").doctor()
    assert [(finding.subject, finding.well) for finding in unknown][-1] == ("name", False)
