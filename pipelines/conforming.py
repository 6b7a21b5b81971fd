"""`dolen conform`: one connection held against the contract, and the report of it.

The checks are those of `connectors.conform`. Here they are given what they need: the connection opened more than once,
and an invented record in the system's words, made from a golden pair by the site's own mapping. Reading changes
nothing; writing is refused where the site is live.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dictionary
from contextlib import closing
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.connection import Connection as ConnectionSettings
from config.site import Site
from connectors.conform.reading import READING
from connectors.conform.report import OfKind, Report
from connectors.conform.trial import Check, Made, NotTried, Trial, perform
from connectors.conform.writing import WRITING
from connectors.errors import ConnectorError
from connectors.live import operations_used
from connectors.port import Connector
from mappings import golden
from mappings.mapping import Mapping
from pipelines import audit, composition
from pipelines.emptied import TAKE_AWAY
from pipelines.library import Library
from pipelines.looking import NotPossible
from pipelines.mapping_bench import pairs_of
from pipelines.plant import Plant, Wired

TEXT = "reason.text"  # where the mark of an invented record stands, in our words
_WRONG = "not-the-secret"


def hold(
    plant: Plant,
    wired: Wired,
    *,
    writes: bool = False,
    wrong_login: bool = False,
    pages: int = 20,
    who: str = "",
    why: str = "",
    told: Callable[[str], None] = lambda _: None,
) -> Report:
    """Hold a connection against the contract. With `writes` invented records are made, in the name of `who`.

    Raises NotPossible where nothing can be asked, and for `writes` where the site is live.
    """
    if writes and plant.stage != "test":
        raise NotPossible(
            f"the site is in stage {plant.stage}, and invented records have no place in a live system: hold the "
            "supplier's test system against it, from a site with `stage: test`"
        )
    site = composition.load(plant.root)
    connection = site.councils[wired.council].settings.connections[wired.name]
    library = Library(site.layers)
    profile = composition.profile_of(library, connection)
    if writes:
        with plant.ledger.writing() as writing:
            audit.write(
                writing, plant.vault, council=wired.council, who=who, action="conform: invented records", why=why,
                subject=f"{wired.council}/{wired.name}", now=plant.clock.now(),
            )  # fmt: skip
    key = f"dolen-conform-{secrets.token_hex(4)}"
    # Written first: what was made is read with the rest, and an empty test system is none any more.
    checks = [one for one in (*(WRITING if writes else ()), *READING) if wrong_login or not one.risky]
    kinds: list[OfKind] = []
    made: list[Made] = []
    open_it = _opener(site, plant, connection, profile)
    try:
        connector = open_it()
    except ConnectorError as fault:
        raise NotPossible(f"{wired.council}/{wired.name} cannot be opened: {fault.reason}") from None
    with closing(connector):
        for kind in connector.kinds():
            told(kind)
            mapping = wired.kinds[kind].mapping if kind in wired.kinds else None
            trial = _trial(connector, kind, profile, open_it, f"{key}-{len(kinds)}", pages)
            trial.invented = _invented(library, mapping) if mapping is not None else None
            kinds.append(OfKind(kind, _calls(profile, kind), perform(trial, _fitting(checks, kinds))))
            made += trial.made
    name = str(profile.get("interface") or "")
    return Report(
        connection=f"{wired.council}/{wired.name}",
        system=str(profile.get("system")),
        protocol=str(profile.get("protocol")),
        host=urlsplit(str(connection.connect.get("url") or "")).hostname or "",
        interface=name,
        interface_digest=sha256(composition.interface_reader(site, profile)(name)).hexdigest() if name else "",
        version=version("dolen"),
        at=plant.clock.instant(),
        kinds=kinds,
        made=made,
    )


def _fitting(checks: Sequence[Check], before: Sequence[OfKind]) -> list[Check]:
    """A wrong login is tried once, however many kinds there are."""
    return [one for one in checks if not (one.risky and before)]


def _opener(
    site: Site, plant: Plant, connection: ConnectionSettings, profile: Dictionary[str, Any]
) -> Callable[..., Connector]:
    """Opens the connection anew; with `wrong` under a secret that is not its own. Raises NotTried where it has none."""

    def opened(*, wrong: bool = False) -> Connector:
        asked: list[str] = []

        def secret(reference: str) -> str:
            asked.append(reference)
            return _WRONG if wrong else site.secret(reference)

        connector = composition.opener(site, connection, profile, clock=plant.clock, secret=secret)()
        if wrong and not asked:  # everybody may read there, and would be said to have been let in
            connector.close()
            raise NotTried("the connection has no secret that could be wrong")
        return connector

    return opened


def _trial(
    connector: Connector,
    kind: str,
    profile: Dictionary[str, Any],
    opened: Callable[..., Connector],
    key: str,
    pages: int,
) -> Trial:
    section = profile["records"][kind] or {}
    changes, item = section.get("changes") or {}, section.get("item") or {}
    moving = [item.get("id"), item.get("version"), item.get("modified"), *section.get("leave_out", ())]
    return Trial(
        kind,
        connector,
        opened,
        key,
        takes_away=changes.get("feed") in TAKE_AWAY,
        overlap="overlap" in changes or "since" in changes,
        versioned=bool(item.get("version")) or bool((section.get("update") or {}).get("check")),
        moving=frozenset(str(path).partition("/")[0] for path in moving if path),
        stranger=lambda: opened(wrong=True),
        most_pages=pages,
    )


def _calls(profile: Dictionary[str, Any], kind: str) -> dict[str, str]:
    """By which operation of the interface each verb is spoken."""
    return {str(at[2]): call for at, call in operations_used(profile) if at[1] == kind}


def _invented(library: Library, mapping: Mapping) -> Callable[[str], dict[str, Any]] | None:
    """What makes an invented record from the first golden pair that can be written; None if there is none."""
    for path in _pair_files(library, mapping.name):
        try:
            pair = golden.load(path.read_bytes(), path.name)
        except (golden.BadPair, OSError):
            continue  # `dolen mapping test` tells
        facts = (pair.write.facts if pair.write else None) or (pair.read.facts if pair.read else None)
        if facts and not mapping.write(facts, None).stopped:
            # `facts` is bound now, as the loop goes on; mypy cannot tell the type of a default like that.
            return lambda text, facts=facts: mapping.write({**facts, TEXT: text}, None).record  # type: ignore[misc]
    return None


def _pair_files(library: Library, name: str) -> list[Path]:
    """The golden pairs of a mapping, else of the one that it extends."""
    seen: set[str] = set()
    while name and name not in seen:
        seen.add(name)
        if found := pairs_of(library, name):
            return found
        data = library.document("mappings", name).data
        name = str(data.get("extends") or "") if isinstance(data, dict) else ""
    return []
