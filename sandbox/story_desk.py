"""The control desk's part for stories: start the life of the councils, watch it, mend, and ask for the verdict.

GET  /control/life               how far it is: planned, started, done, waiting for what, quiet
POST /control/life               {"referrals": 300, "seed": 1, "pace": 20}: begin a story
POST /control/life/mend-source   staff mend the unreadable requests where they stand
POST /control/truth/typed        {"tenant", "contact_id", "number"}: an officer typed this one in by hand
POST /control/notify/callback    {"tenant", "url", "bearer"}: push delivery receipts there (url "" = no more)
POST /control/bars/answer        {"tenant", "id", "url", "bearer", "service", "status", "reason"}: staff decide about a
                                 referral, and its answer is sent to `url`: {"status": of the reply, 0 for none}
GET  /control/verdict            what is lost, doubled, stale, wiped, misdirected; &except=ID,ID leaves those out
"""

from __future__ import annotations

import json

from sandbox.bars_answers import BarsAnswers, NotHere
from sandbox.exchange import Request, Response
from sandbox.life import Life, Refused
from sandbox.receipts import Receipts
from sandbox.store import Json, Store
from sandbox.verdict import Verdict


class StoryDesk:
    """Answers those calls, and None for any other."""

    def __init__(self, store: Store, life: Life, receipts: Receipts, answers: BarsAnswers) -> None:
        self._store, self._life, self._receipts, self._answers = store, life, receipts, answers

    def __call__(self, request: Request, steps: list[str]) -> Response | None:
        """Answer one call; `steps` is the path behind `/control`."""
        try:
            match request.method, steps:
                case "GET", ["life"]:
                    return _json(200, self._life.progress())
                case "POST", ["life"]:
                    return _json(201, self._life.start(_object(request)))
                case "POST", ["life", "mend-source"]:
                    return _json(200, {"mended": self._life.mend_source()})
                case "POST", ["truth", "typed"]:
                    return _json(201, self._life.typed(*_texts(_object(request), "tenant", "contact_id", "number")))
                case "POST", ["notify", "callback"]:
                    self._receipts.send_to(*_texts(_object(request), "tenant", "url", "bearer"))
                    return _json(200, {})
                case "POST", ["bars", "answer"]:
                    given = _object(request)
                    tenant, id = _texts(given, "tenant", "id")
                    names = ("url", "bearer", "service", "status", "reason")
                    told = dict(zip(names, _texts(given, *names), strict=True))
                    return _json(200, {"status": self._answers.send(tenant, id, **told)})
                case "GET", ["verdict"]:
                    left_out = [each for each in request.query.get("except", "").split(",") if each]
                    return _json(200, Verdict(self._store, leave_out=left_out).found())
        except Refused as refused:
            return _json(409, {"error": str(refused)})
        except NotHere:
            return _json(404, {"error": "No such referral is here."})
        return None


def _texts(given: Json, *names: str) -> list[str]:
    if not all(isinstance(given.get(name), str) for name in names):
        raise Refused(f"Name {', '.join(names)}, each a text.")
    return [given[name] for name in names]


def _object(request: Request) -> Json:
    try:
        read = json.loads(request.body)
    except ValueError:
        raise Refused("The body must be JSON.") from None
    if not isinstance(read, dict):
        raise Refused("The body must be a JSON object.")
    return read


def _json(status: int, body: object) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False).encode())
