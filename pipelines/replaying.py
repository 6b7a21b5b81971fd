"""Sending again: what needs attention is tried once more, with the mapping of today or with one that a person chose.

Nothing here sends: rows and an audit line are written in one transaction, and a running `dolen run` notices. Two
officers who send one thing again have one effect, and the second is told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from pipelines import audit, deciding, deliveries, four_eyes, regressed
from pipelines.acting import at, tell
from pipelines.attention import attention
from pipelines.choosing import Chooser
from pipelines.ids import number_of
from pipelines.intake import Intake
from pipelines.looking import NotPossible, council_of, delivery_of, referral_of, version_of
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.states import DeliveryState, IllegalMove, VersionState
from pipelines.tables import delivery


@dataclass(slots=True)
class Done:
    """What an action did: ids as people are shown them, and what was not possible."""

    done: list[str] = field(default_factory=list)
    not_done: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)  # restricted: another officer has to confirm it


def replay(
    plant: Plant,
    ids: Sequence[str],
    *,
    who: str,
    why: str,
    fingerprint: str = "",
    route: str = "",
    council: str = "",
    chooser: Chooser | None = None,
) -> Done:
    """Send again: some by id (d12, v7), all of a cause, or all of a route that need attention. The oldest go first.

    `chooser`: with another mapping than today's. Raises NotPossible if nothing is named or nothing fits.
    """
    chosen = list(ids)
    if fingerprint:
        group = next((g for g in attention(plant, [council] if council else ()) if g.fingerprint == fingerprint), None)
        if group is None:
            raise NotPossible(f"nothing needs attention because of {fingerprint}; see `dolen attention`")
        chosen += [f"v{n}" for n in group.versions] + [f"d{n}" for n in group.deliveries]
    if route:
        with plant.ledger.reading() as connection:
            codes = [code for code in plant.councils if council in ("", code)]
            where = [
                delivery.c.route == route,
                delivery.c.state == DeliveryState.ATTENTION,
                delivery.c.council.in_(codes),
                plant.sight.of(delivery.c.referral_id),
            ]
            chosen += [f"d{n}" for n in connection.execute(select(delivery.c.id).where(*where)).scalars()]
    if not chosen:
        raise NotPossible("nothing was named; give ids such as d12 or v7, --cause or --route (see `dolen attention`)")
    done = Done()
    for id in sorted(set(chosen), key=lambda one: (one[0] != "v", number_of(one, one[0]) or 0)):
        try:
            _replay_one(plant, id, chooser or Chooser(plant), who=who, why=why)
            done.done.append(id)
        except four_eyes.Asked as asked:
            done.asked.append((id, str(asked)))
        except (NotPossible, IllegalMove) as fault:
            done.not_done.append((id, str(fault)))
            _tell_in_vain(plant, id, who=who, why=why)
    return done


def _tell_in_vain(plant: Plant, id: str, *, who: str, why: str) -> None:
    """Write in the audit that somebody asked to send again what need not or cannot be sent: a second click, or an
    officer who came after another. An id that is not there leaves no trace."""
    try:
        code = (version_of if id.startswith("v") else delivery_of)(plant, id).council
    except NotPossible:
        return
    with plant.ledger.writing() as connection:
        audit.write(
            connection,
            plant.vault,
            council=code,
            who=who,
            action="send again: nothing to do",
            subject=id,
            why=why,
            now=plant.clock.now(),
        )


def _replay_one(plant: Plant, id: str, chooser: Chooser, *, who: str, why: str) -> None:
    if id.startswith("v"):
        _take_again(plant, id, chooser, who=who, why=why)
        return
    found = delivery_of(plant, id)
    _may(plant, found.council, chooser)
    _another_agrees(plant, id, found.council, found.referral_id, chooser, who=who, why=why)
    if deciding.error_of(plant, found.cause_id) == regressed.ERROR:
        if found.state == DeliveryState.REPLACED:
            return  # what was just done for its record sends a newer one
        if newest := deciding.regressed_version(plant, found):
            chooser.only_todays(id)
            deciding.send_newest(plant, newest, who=who, why=why)
            return
    _may_be_sent(found)
    chosen = chooser.for_delivery(found)
    with at(plant, id) as (batch, held):
        _may_be_sent(held)
        # The newest state is written with it. A newer revision replaces this delivery, and is written with today's.
        deliveries.move(
            batch,
            held,
            DeliveryState.WAITING,
            reason="sent again by a person",
            due=batch.now,
            look_ups=0,
            mapping=chosen.digest,
        )
        plant.kept.keep(batch.connection, chosen.artifacts, batch.now)
        tell(plant, batch, held, who=who, action=chosen.action, why=why, detail=chosen.detail)


def _may(plant: Plant, council: str, chooser: Chooser) -> None:
    plant.sight.need(Right.SEND, council)
    if not chooser.is_todays:
        plant.sight.need(Right.MAPPINGS, council)


def _another_agrees(
    plant: Plant, id: str, council: str, referral: str | None, chooser: Chooser, *, who: str, why: str
) -> None:
    """Let nobody alone send a restricted referral again, unless they opened it in an emergency. Raises Asked,
    NotPossible."""
    with plant.ledger.reading() as connection:
        if not plant.sight.needs_another(connection, referral):
            return
    assert referral is not None
    chooser.only_todays(id)
    row = (version_of if id.startswith("v") else delivery_of)(plant, id)
    if row.state not in (DeliveryState.ATTENTION, VersionState.ATTENTION):
        raise NotPossible(f"{id} is {row.state}: only what needs attention can be sent again")
    raise four_eyes.ask(plant, council=council, referral=referral, subject=id, who=who, why=why)


def confirm(plant: Plant, id: str, *, yes: bool, why: str) -> Done:
    """Answer what another officer asked for (q3): send it again in both names, or refuse. Raises NotPossible,
    NotAllowed."""
    row = four_eyes.answer(plant, id, yes=yes, why=why)
    if not yes:
        return Done()
    officer = plant.sight.officer
    assert officer is not None
    both = dataclasses.replace(plant, sight=plant.sight.confirming(row.referral_id))
    return replay(both, [row.subject], who=f"{row.asked_by}, confirmed by {officer.who}", why=why)


def _may_be_sent(row: Any) -> None:
    if row.state == DeliveryState.NOT_SURE and row.due is None:
        raise NotPossible(f"d{row.id} may have been sent: look it up in {row.connection}, then settle it")
    if row.state != DeliveryState.ATTENTION:
        raise NotPossible(f"d{row.id} is {row.state}: only what needs attention can be sent again")


def _take_again(plant: Plant, id: str, chooser: Chooser, *, who: str, why: str) -> None:
    row = version_of(plant, id)
    council = council_of(plant, row.council)
    _may(plant, council.code, chooser)
    if row.state != VersionState.ATTENTION:
        raise NotPossible(f"{id} is {row.state}: there is nothing to take again")
    if not row.external_id:
        raise NotPossible(
            f"{id} could not be read at all: it has to be mended in {row.connection}, and comes back by itself"
        )
    match deciding.error_of(plant, row.cause_id):
        case regressed.ERROR:
            _another_agrees(plant, id, row.council, referral_of(plant, row), chooser, who=who, why=why)
            chooser.only_todays(id)
            deciding.send_newest(plant, id, who=who, why=why)
            return
        case deciding.ANOTHER_PERSON:
            raise NotPossible(f"say whose {id} is: `dolen settle {id} --same` or `dolen settle {id} --new`")
    _another_agrees(plant, id, row.council, referral_of(plant, row), chooser, who=who, why=why)
    chosen = chooser.for_version(row)

    def told(connection: Connection) -> None:
        now = plant.clock.now()
        plant.kept.keep(connection, chosen.artifacts, now)
        audit.write(
            connection,
            plant.vault,
            council=row.council,
            who=who,
            action=chosen.action,
            subject=id,
            why=why,
            now=now,
            detail=chosen.detail,
        )

    # In the order of versions as ever: one that a newer one has overtaken ends as replaced, whatever reads it.
    if not Intake(plant, council).again([row.id], mapping=chosen.mapping, first=told).news:
        raise NotPossible(f"{id} is {version_of(plant, id).state}: there is nothing to take again")
