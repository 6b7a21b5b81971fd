"""The plant of a command that only shows: built from the site's outline where there is one, else from its files.

Ledger and keys are opened exactly as always, and with the same refusals. What is not there is what nobody shows:
mappings, connectors, texts, alerts. `pipelines.composition` builds whatever does anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from config.secrets import SecretMissing
from pipelines import outline as outlines
from pipelines.databases import in_clear
from pipelines.keystore import KeyStore
from pipelines.ledger import Ledger
from pipelines.ledger_clock import LedgerClock
from pipelines.outline import Outline
from pipelines.plant import Council, Plant, Wired
from pipelines.rooms import check_rooms
from pipelines.site_keys import belong_together, mains_at
from pipelines.vault import Vault
from pipelines.wire_checks import plain_broker

#: In the place of what keeps mappings as the files say, of what they are kept with, and of how long data is kept.
_NOT_SHOWN = cast(Any, None)


def onlooking(root: Path) -> Plant:
    """A plant to look at, of the site in this folder. Raises what `composition.load` and `build` raise."""
    root = root.resolve()
    seen = outlines.stamp(root)
    outline = outlines.read(root, seen)
    plant = None if outline is None else _from(outline)
    if plant is None:
        from pipelines import composition

        site = composition.load(root)
        plant = composition.build(site)
        outlines.keep(site, plant, seen)
    return plant


def _from(outline: Outline) -> Plant | None:
    """None where only whoever reads the files can say what is amiss."""
    places = outline.places
    check_rooms()
    try:
        ledger_url, keys_url, broker_url = places.ledger_url(), places.keys_url(), places.broker_url()
        if outline.stage == "live" and (
            in_clear(make_url(ledger_url)) or in_clear(make_url(keys_url)) or plain_broker(broker_url)
        ):
            return None
    except (SecretMissing, ArgumentError):
        return None
    ledger = Ledger(ledger_url)
    try:
        keys = KeyStore(keys_url, *mains_at(places, None), lost=ledger.lost)
        belong_together(ledger, keys)
        clock = LedgerClock(ledger)
    except BaseException:
        ledger.close()
        raise
    if not outline.is_of_today(clock):
        ledger.close()
        keys.close()
        return None
    return Plant(
        root=places.root,
        stage=outline.stage,
        ledger=ledger,
        keys=keys,
        vault=Vault(keys),
        clock=clock,
        councils={
            one.code: Council(
                code=one.code,
                gss=one.gss,
                name=one.name,
                zone=one.zone,
                wired={name: _shown(one.code, name, pushed) for name, pushed in one.connections.items()},
                routes=one.routes,
                owners={},
                person_identifiers=(),
                retention=_NOT_SHOWN,
            )
            for one in outline.councils
        },
        lock_file=places.data_folder / "dolen.lock",
        broker_url=broker_url,
        freshness=_NOT_SHOWN,
        kept=_NOT_SHOWN,
        roles=outline.roles,
        findings=outline.findings,
    )


def _shown(council: str, name: str, pushed: bool) -> Wired:
    """A connection of which there is only the name, and whether its system may call us."""

    def nobody_calls(*_: Any, **__: Any) -> Any:
        raise AssertionError("who only shows a connection does not call it")

    return Wired(
        council=council, name=name, kinds={}, open_connector=nobody_calls, timeout_seconds=0, settle_seconds=0,
        at_once=0, polls=False, overlay={"pushed": pushed},
    )  # fmt: skip
