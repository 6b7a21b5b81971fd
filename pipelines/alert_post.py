"""Telling: takes the notices that are due, hands each message to its way, and writes down that it went.

At least once: a notice is claimed, sent with no transaction open, and marked as sent. Who dies between the last two has
it sent again, under the same id, by which its receiver can drop the repeat. Each way has a thread of its own and its
own back-off, so that a mail server that does not answer delays no other way and nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from connectors import announcing
from connectors.errors import ConnectorError
from pipelines import alert_words, audit
from pipelines.alert_rules import AlertRules, Told, Way
from pipelines.alert_words import Entry, Message
from pipelines.clock import SECOND
from pipelines.logs import log, warn
from pipelines.plant import Plant
from pipelines.tables import alert, alert_notice

#: How long a claim holds: longer than the deadline of a call.
CLAIM = 120 * SECOND
#: A way that could not be reached is tried again after so long, doubled each time, up to the second.
FIRST, LONGEST = 15 * SECOND, 900 * SECOND
#: What could not be told for so long is given up; `dolen alerts` shows it.
GIVE_UP = 7 * 86_400 * SECOND
#: What goes into one message at most.
MOST = 50


def tell(plant: Plant, rules: AlertRules, owner: str) -> int:
    """Tell whatever is due; returns how many messages went."""
    now = plant.clock.now()
    with plant.ledger.reading() as connection:
        waits = connection.execute(
            select(alert_notice.c.way)
            .where(*_is_due(now))
            .distinct()
        ).scalars().all()  # fmt: skip
    gone: list[int] = []
    threads = [
        threading.Thread(target=_one_way, args=(plant, rules, name, f"{owner}/{name}", gone), name=f"tell-{name}")
        for name in waits
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(gone)


def _is_due(now: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The conditions of a notice that is due and that nobody has in hand."""
    return alert_notice.c.due <= now, or_(alert_notice.c.until.is_(None), alert_notice.c.until <= now)


def _one_way(plant: Plant, rules: AlertRules, name: str, owner: str, gone: list[int]) -> None:
    try:
        for batch, rows in _claim(plant, name, owner).items():
            if not _send(plant, rules, name, owner, batch, rows):
                break  # what comes later is told later, so that nobody hears of an end before its beginning
            gone.append(len(rows))
    except Exception as fault:
        # The claim ends by itself, and whoever finds it then tells it.
        warn("alert_fault", part=name, error=type(fault).__name__)


def _claim(plant: Plant, name: str, owner: str) -> dict[str, list[Row[Any]]]:
    """Take what is due for one way, in the order in which it happened, by message."""
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        free = (
            select(alert_notice.c.id)
            .where(alert_notice.c.way == name, *_is_due(now))
            .order_by(alert_notice.c.id)
            .limit(MOST)
            .with_for_update(skip_locked=True)
        )
        ids = list(connection.execute(free).scalars())
        if not ids:
            return {}
        mine = alert_notice.c.id.in_(ids)
        connection.execute(update(alert_notice).where(mine).values(owner=owner, until=now + CLAIM))
        held = connection.execute(select(alert_notice).where(mine).order_by(alert_notice.c.id)).all()
        return _batches(connection, held)


def _batches(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """Which are told in one message. One that was tried before keeps its company, so that a repeat is the same."""
    batches: dict[str, list[Row[Any]]] = {}
    rest = []
    for row in rows:
        if row.batch:
            batches.setdefault(row.batch, []).append(row)
        elif row.urgent:
            batches[row.key] = [row]
        else:
            rest.append(row)
    if rest:
        batches[rest[0].key if len(rest) == 1 else alert_words.batch_id([row.key for row in rest])] = rest
    for batch, among in batches.items():
        ids = [row.id for row in among if row.batch != batch]
        if ids:
            connection.execute(update(alert_notice).where(alert_notice.c.id.in_(ids)).values(batch=batch))
    return dict(sorted(batches.items(), key=lambda one: one[1][0].id))


def _send(
    plant: Plant, rules: AlertRules, name: str, owner: str, batch: str, rows: Sequence[Row[Any]]
) -> bool:
    """Send one message; False where it could not be told now."""
    way = rules.way(name)
    if way is None:
        _end(plant, owner, rows, words="the site's files name nobody of this name any more", sent=None)
        return True
    with plant.ledger.reading() as connection:
        alerts = {
            row.id: row
            for row in connection.execute(select(alert).where(alert.c.id.in_({row.alert_id for row in rows})))
        }
    entries = [entry(alerts[row.alert_id], row.what, row.key) for row in rows]
    told = rules.of(entries[0].council)
    try:
        hand_over(plant, rules, way, alert_words.message(entries, told, id=batch, console=_console(rules)))
    except (ConnectorError, ValueError) as fault:  # SecretMissing is a ValueError
        _later(plant, owner, rows, fault)
        return False
    _end(plant, owner, rows, words="", sent=plant.clock.now())
    log("alert_told", part=name, count=len(rows))
    return True


def entry(row: Any, what: str, id: str) -> Entry:
    """One alert as it is told."""
    return Entry(
        id, what, row.kind, row.id, row.council, row.connection, row.route, row.cause, row.words, bool(row.urgent),
        row.count, row.since, row.opened, row.closed,
    )  # fmt: skip


def hand_over(plant: Plant, rules: AlertRules, way: Way, message: Message) -> None:
    """Give one message to one way, now. Raises ConnectorError, and SecretMissing where a reference leads nowhere."""
    if way.webhook is None:
        server = rules.alerts.mail
        assert server is not None, "a way by mail is made where there is a mail server"
        announcing.mailer(
            server.model_dump(by_alias=True), way.to, clock=plant.clock.instant, secret=rules.plain
        ).announce(message.subject, message.text, id=message.id)
        return
    body = orjson.dumps(shaped(way.webhook.form, message))
    secret = rules.plain(way.webhook.secret) if way.webhook.secret else ""
    seconds = plant.clock.now() // SECOND
    announcing.post(rules.plain(way.webhook.url), body, secret=secret, at=seconds, way=way.webhook.way)


def shaped(form: str, message: Message) -> Mapping[str, Any]:
    """A message as a receiver takes it. Chat rooms are given plain text, in which no sign means anything."""
    if form == "slack":
        plain = {"type": "plain_text", "text": message.text[:2900], "emoji": False}
        quiet = message.subject.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": quiet, "blocks": [{"type": "section", "text": plain}]}
    if form == "teams":
        lines = [
            {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]}
            for line in (message.subject, *message.text.splitlines())
            if line
        ]
        card = {"type": "AdaptiveCard", "version": "1.4", "body": lines,
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json"}  # fmt: skip
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}
    return message.data


def test(plant: Plant, rules: AlertRules, told: Told, *, who: str) -> dict[str, str]:
    """Tell every way of a council that this is a test. Returns by way what went wrong, "" where nothing did; who asked
    stands in the audit."""
    now = plant.clock.now()
    outcome: dict[str, str] = {}
    id = f"test.{told.council or 'site'}.{now}"
    for way in told.ways:
        one = Entry(f"{id}.{way.name}", "test", "test", council=told.council, since=now, opened=now)
        try:
            hand_over(plant, rules, way, alert_words.message([one], told, id=one.id, console=_console(rules)))
            outcome[way.name] = ""
        except ConnectorError as fault:
            outcome[way.name] = fault.reason
        except ValueError as fault:
            outcome[way.name] = str(fault)
    council = told.council or min(plant.councils, default="")
    with plant.ledger.writing(making_room=True) as connection:
        audit.write(
            connection, plant.vault, council=council, who=who, action="test alerts", subject=told.council or "site",
            why="", now=now, detail={"ways": {name: not words for name, words in outcome.items()}},
        )  # fmt: skip
    return outcome


def _console(rules: AlertRules) -> str:
    try:
        return rules.plain(rules.alerts.console or "")
    except ValueError:
        return ""


def _later(plant: Plant, owner: str, rows: Sequence[Row[Any]], fault: Exception) -> None:
    now = plant.clock.now()
    tries = max(row.tries for row in rows) + 1
    words = fault.reason if isinstance(fault, ConnectorError) else str(fault)
    due: int | None = now + min(FIRST * 2 ** min(tries - 1, 10), LONGEST)
    if now - min(row.at for row in rows) > GIVE_UP:
        due = None
    warn("alert_not_told", part=rows[0].way, tries=tries, error=type(fault).__name__)
    with plant.ledger.writing(making_room=True) as connection:
        # What stands behind it in the line of this way waits with it.
        connection.execute(
            update(alert_notice)
            .where(alert_notice.c.owner == owner, alert_notice.c.due.is_not(None))
            .values(owner=None, until=due)
        )
        connection.execute(
            update(alert_notice)
            .where(alert_notice.c.id.in_([row.id for row in rows]), alert_notice.c.due.is_not(None))
            .values(due=due, tries=tries, words=words[:300])
        )


def _end(plant: Plant, owner: str, rows: Sequence[Row[Any]], *, words: str, sent: int | None) -> None:
    with plant.ledger.writing(making_room=True) as connection:
        connection.execute(
            update(alert_notice)
            .where(alert_notice.c.id.in_([row.id for row in rows]), alert_notice.c.owner == owner)
            .values(due=None, owner=None, until=None, words=words, sent=sent)
        )
