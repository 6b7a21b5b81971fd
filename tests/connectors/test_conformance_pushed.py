"""Who is held to the pushed half of the one suite: forms, NHS BaRS, GOV.UK Notify, and a REST system that pushes."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.connectors import pushed
from tests.connectors.fault_proxy import AFTER, BEFORE
from tests.connectors.pushed import Caller, Headers, as_json, listening
from tests.connectors.standing import MARK
from tests.pipelines.test_bars_received import message
from tests.pipelines.test_web_form import REQUEST
from tests.rig.bars import TOKEN, lay_out_bars
from tests.rig.pushing import LEDGER, SECRET, form_signed, lay_out_form, lay_out_pushing, shown, signed
from tests.rig.site import lay_out
from tests.rig.systems import Web

_KEPT = "what has the shape of a push is kept as it came: what cannot be read in it needs attention, with its bytes"


NOTIFY = """\
  texts:
    profile: notify
    owner: {{name: The rig, phone: "01632 960101"}}
    supplier: Nobody
    connect:
      url: http://127.0.0.1:9
      login: {{notify: {{api_key: "file:{key}"}}}}
      push: {{bearer: {{tokens: ["file:{token}"]}}}}
"""


@contextmanager
def form(folder: Path) -> Iterator[Caller]:
    """Any web form: signed as Standard Webhooks says, its key is the record's id."""

    def body(_: int) -> bytes:
        return as_json({**copy.deepcopy(REQUEST), "type": "referral", "reason": {"text": f"{MARK} {uuid.uuid4()}"}})

    def key(number: int) -> str:
        return f"k-{number:04d}-0123456789-abcdef"

    def forged(body: bytes) -> dict[str, Headers]:
        good = form_signed(body, key(9000))
        return {
            "no proof": {"Content-Type": "application/json", "Idempotency-Key": key(9000)},
            "another secret": {"Idempotency-Key": key(9001), **signed(body, key(9001), secret="nid-hwn-0123456789")},
            "of another body": {**form_signed(body + b" ", key(9002))},
            "of another key": {**good, "Idempotency-Key": key(9003)},
            "of an hour ago": {"Idempotency-Key": key(9004), **signed(body, key(9004), at=time.time() - 3600)},
        }

    with _web() as web:
        site = lay_out_form(folder, web.url)
        caller = Caller(
            "web-form", "alder/form/Referral", body, lambda number, body: form_signed(body, key(number)), forged,
            first=202, again=202, other=422, secrets=(SECRET,),
        )  # fmt: skip
        with listening(caller, site) as one:
            yield one


@contextmanager
def bars(folder: Path) -> Iterator[Caller]:
    """A sender of NHS BaRS: a bearer token, a Bundle by whose id a message is known again."""
    made: dict[int, tuple[Headers, Any]] = {}

    def of(number: int) -> tuple[Headers, Any]:
        if number not in made:
            headers, bundle = message(f"conform-{number}")
            told = {one["resource"]["resourceType"]: one["resource"] for one in bundle["entry"]}
            told["ServiceRequest"]["patientInstruction"] = f"{MARK} {number}"
            made[number] = headers, bundle
        return made[number]

    def proven(number: int, _: bytes) -> Headers:
        return of(number)[0]

    def body(number: int) -> bytes:
        return as_json(of(number)[1])

    def forged(_: bytes) -> dict[str, Headers]:
        headers, _bundle = of(9000)
        return {
            "no proof": {name: value for name, value in headers.items() if name != "Authorization"},
            "another token": {**headers, "Authorization": "Bearer nid-hwn-0123456789"},
            "a token without its scheme": {**headers, "Authorization": TOKEN},
        }

    with _web() as web:
        site = lay_out_bars(folder, web.url, nhs="http://127.0.0.1:9/none", token="none")
        caller = Caller(
            "bars", "alder/nhs/Referral/$process-message", body, proven, forged, first=200, again=409, other=200,
            secrets=(TOKEN,),
        )  # fmt: skip
        with listening(caller, site) as one:
            yield one


@contextmanager
def desk(folder: Path) -> Iterator[Caller]:
    """A REST system that pushes whole records, signed as Standard Webhooks says."""
    with _web() as web:
        system = web.add("alder", "desk", "A")
        site = lay_out_pushing(folder, {"alder": "A"}, web.url, port=0, carries="record")

        def body(_: int) -> bytes:
            return shown(system.type_in(MARK))

        def forged(body: bytes) -> dict[str, Headers]:
            return {
                "no proof": {"Content-Type": "application/json"},
                "another secret": signed(body, "m9001", secret="nid-hwn-0123456789"),
                "of another body": signed(body + b" ", "m9002"),
                "of an hour ago": signed(body, "m9004", at=time.time() - 3600),
            }

        caller = Caller(
            "desk", "alder/desk/Case", body, lambda number, body: signed(body, f"m{number}"), forged, first=200,
            again=200, other=200, secrets=(SECRET,), exempt={"a number that is none": _KEPT},
        )  # fmt: skip
        with listening(caller, site) as one:
            yield one


@contextmanager
def notify(folder: Path) -> Iterator[Caller]:
    """GOV.UK Notify's callbacks of how a message went: a bearer token, and no id but the message's own."""

    def body(number: int) -> bytes:
        id = f"740e5834-3a29-46b4-9a6f-{number:012d}"
        return as_json({"id": id, "reference": f"k{number}", "to": MARK, "status": "delivered",
                        "notification_type": "sms", "created_at": "2026-03-02T09:15:00.000000Z"})  # fmt: skip

    def proven(_number: int, _body: bytes) -> Headers:
        return {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}

    def forged(_: bytes) -> dict[str, Headers]:
        return {
            "no proof": {"Content-Type": "application/json"},
            "another token": {**proven(0, b""), "Authorization": "Bearer nid-hwn-0123456789"},
            "a token without its scheme": {**proven(0, b""), "Authorization": SECRET},
        }

    with _web() as web:
        site = lay_out(folder, {"alder": "A"}, web.url)
        for name, text in (("token", SECRET), ("key", f"ours-{uuid.uuid4()}-{uuid.uuid4()}")):
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o600)
        file = site / "config/councils/alder.yaml"
        told = NOTIFY.format(key=folder / "key", token=folder / "token")
        file.write_text(file.read_text(encoding="utf-8").replace("routes:\n", f"{told}routes:\n"), encoding="utf-8")
        settings = site / "config/dolen.yaml"
        settings.write_text(settings.read_text(encoding="utf-8") + LEDGER + "listener: {port: 0}\n", encoding="utf-8")
        caller = Caller(
            "notify", "alder/texts/Report", body, proven, forged, first=204, again=204, other=204,
            secrets=(SECRET,), exempt={"a number that is none": _KEPT},
        )  # fmt: skip
        with listening(caller, site) as one:
            yield one


@contextmanager
def _web() -> Iterator[Web]:
    web = Web()
    web.add("alder", "care", "A")
    try:
        yield web
    finally:
        web.close()


CALLERS: dict[str, Callable[[Path], AbstractContextManager[Caller]]] = {
    "web-form": form,
    "bars": bars,
    "notify": notify,
    "desk": desk,
}


@pytest.fixture(scope="module", params=CALLERS)
def caller(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with CALLERS[request.param](tmp_path_factory.mktemp("pushed")) as one:
        yield one


def test_a_call_is_taken_once(caller: Caller) -> None:
    pushed.once(caller)


def test_the_same_call_at_once(caller: Caller) -> None:
    pushed.at_once(caller)


def test_what_proves_nothing(caller: Caller) -> None:
    pushed.forged(caller)


@pytest.mark.parametrize("what", pushed.WRONG)
def test_a_call_that_is_wrong(caller: Caller, what: str) -> None:
    pushed.wrong(caller, what)


def test_a_call_that_breaks_off(caller: Caller) -> None:
    pushed.broken_off(caller)


@pytest.mark.parametrize("name", ["reset before", "reset after"])
def test_an_answer_that_is_lost(caller: Caller, name: str) -> None:
    pushed.answer_lost(caller, {**BEFORE, **AFTER}[name], taken=name in AFTER)


def test_every_exemption_has_a_reason(caller: Caller) -> None:
    assert set(caller.exempt) <= set(pushed.WRONG)
    assert all(len(reason) > 20 for reason in caller.exempt.values())
