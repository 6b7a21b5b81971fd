"""What a running site consists of: its councils, their connections with mappings and connectors, and the ledger.

These are plain holders. `pipelines.composition` builds them from a site's files; everything else takes them as
arguments.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipelines.calendar import closed_until
from pipelines.clock import SECOND, Clock, to_instant, to_time
from pipelines.keystore import KeyStore
from pipelines.ledger import Ledger
from pipelines.roles import Roles
from pipelines.routing import Route
from pipelines.sight import EVERYTHING, Sight
from pipelines.vault import Vault

if TYPE_CHECKING:
    from config.findings import Finding
    from config.retention import Retention
    from connectors.known import Known
    from connectors.pace import Agree
    from connectors.port import Connector
    from connectors.scanner import Scanner
    from connectors.spool import Spool
    from mappings.mapping import Mapping as FieldMapping
    from pipelines.alert_rules import AlertRules
    from pipelines.artifacts import Artifacts, Keeper
    from pipelines.freshness import Freshness
    from pipelines.texts import TextRules


def _declared() -> Retention:
    from config.retention import Retention  # here and below: not loaded by those who only look

    return Retention()


def _keeper() -> Keeper:
    from pipelines.artifacts import Keeper

    return Keeper()


@dataclass(slots=True)
class Kind:
    """One kind of record of one connection, with the mapping that reads and writes it."""

    name: str
    mapping: FieldMapping  # as the site's files say at this moment; whoever works with it takes a copy of the kind
    mapping_name: str = ""
    zone: str = ""  # in which the system's times without offset are read
    match: tuple[str, ...] = ()  # exact identifiers by which an unknown record may be matched


class Wired:
    """One connection: its settings and, once somebody talks to it, its connector."""

    def __init__(
        self,
        *,
        council: str,
        name: str,
        kinds: Mapping[str, Kind],
        open_connector: Callable[..., Connector],
        timeout_seconds: float,
        settle_seconds: float,
        at_once: int,
        polls: bool,
        overlay: Mapping[str, Any] | None = None,
        describe: Callable[[], tuple[str, Artifacts]] = lambda: ("", {}),
        tidings: Collection[str] = (),
        answers: Mapping[str, Kind] | None = None,
    ) -> None:
        self.council = council
        self.name = name
        self.kinds = kinds
        self.tidings = frozenset(tidings)  # what it tells of messages: no records of referrals, and without a mapping
        self.answers = answers or {}  # kinds of record by which its caseworkers are told what became of a referral
        self.timeout_seconds = timeout_seconds
        self.settle_seconds = settle_seconds
        self.at_once = at_once
        self.polls = polls
        self.settings = overlay or {}
        self._open = open_connector
        self.agree: Agree | None = None  # reserves turns, where other processes call the same system
        self.known: Known | None = None  # which of its records are linked, where its feed reads those again
        self._connector: Connector | None = None
        self._describe = describe
        self._described: tuple[str, Artifacts] | None = None
        self._lock = threading.Lock()

    @property
    def connector(self) -> Connector:
        """The connector, opened when first asked for: a command that only reads the ledger never loads it."""
        with self._lock:
            if self._connector is None:
                handed_in = (self.agree, self.known) if self.known else (self.agree,) if self.agree else ()
                self._connector = self._open(*handed_in)
            return self._connector

    def keeps(self, spool: Spool) -> None:
        """Hand the connector a place of its own on the disk, as it is opened."""
        self._open = partial(self._open, spool=spool)

    @property
    def described(self) -> tuple[str, Artifacts]:
        """The digest of the profile that it is spoken to by, and the artifacts to keep; read when first asked for."""
        with self._lock:
            if self._described is None:
                self._described = self._describe()
            return self._described

    def told_by(self, kind: str) -> Kind | None:
        """The kind of this name, also of what it tells of messages; None if nothing of the sort is taken from it."""
        return Kind(kind, cast(Any, None)) if kind in self.tidings else self.kinds.get(kind)

    def offers(self, kind: str) -> frozenset[str]:
        """What can be asked of the connection, from its profile where that is known, so that it need not be opened."""
        known = self.settings.get("offers")
        return known[kind] if isinstance(known, dict) and kind in known else self.connector.offers(kind)

    def closed_until(self, now: int) -> int | None:
        """When the pause that the site's files ask for ends (a maintenance window); None while it is open.

        A connection that the files pause altogether is closed for a day at a time.
        """
        if self.settings.get("paused"):
            return now + 86_400 * SECOND
        windows = self.settings.get("windows") or ()
        if not windows:
            return None
        zone, holidays = str(self.settings.get("zone") or "UTC"), self.settings.get("bank_holidays") or ()
        ends = closed_until(windows, zone, to_instant(now), holidays)
        return None if ends is None else to_time(ends)

    def close(self) -> None:
        """Let go of the connector. Idempotent."""
        with self._lock:
            if self._connector is not None:
                self._connector.close()
                self._connector = None


@dataclass(slots=True)
class Council:
    """One council: what it has wired, who owns which fields, and where changes go."""

    code: str
    gss: str
    name: Mapping[str, str]  # cy, en
    zone: str
    wired: Mapping[str, Wired]
    routes: tuple[Route, ...]
    owners: Mapping[str, str]  # field group -> connection
    person_identifiers: tuple[str, ...]  # fields whose equal value means the same person
    texts: Mapping[str, TextRules] = field(default_factory=dict)
    retention: Retention = field(default_factory=_declared)  # how long it keeps data
    phone: str = ""  # that residents ring
    bank_holidays: frozenset[date] = frozenset()
    replies: str = ""  # who reads what residents text back; "" where nobody does, and then nothing is read
    preferences: Mapping[str, str] = field(default_factory=dict)  # opt_in, language, safe_number -> where it is kept
    # Routes that were put into shadow since this process began; `pipelines.freshness` notices.
    shadowed: set[str] = field(default_factory=set)

    def in_shadow(self, route: Route) -> bool:
        """Whether everything is done for this route but the sending."""
        return route.shadow or route.name in self.shadowed

    def replying(self, route: str) -> list[Route]:
        """The routes by which caseworkers are told what became of what this one carries."""
        return [one for one in self.routes if route in one.replies_to]

    def routes_from(self, connection: str) -> list[Route]:
        """The routes that a change in this connection may take."""
        return [route for route in self.routes if route.source == connection]

    def closed(self, now: int) -> set[tuple[str, str]]:
        """(council, connection) of those that the site's files keep closed at this moment."""
        return {(self.code, name) for name, wired in self.wired.items() if wired.closed_until(now) is not None}

    def route(self, name: str) -> Route | None:
        """The route of this name, None if the site no longer has it."""
        return next((route for route in self.routes if route.name == name), None)


@dataclass(slots=True)
class Plant:
    """A running site."""

    root: Path
    stage: str
    ledger: Ledger
    keys: KeyStore
    vault: Vault
    clock: Clock
    councils: Mapping[str, Council]
    lock_file: Path
    freshness: Freshness = field(repr=False)  # keeps the mappings as the site's files say
    broker_url: str = "memory://"
    scanner: Scanner | None = None  # looks at documents before they are handed on
    nudge: threading.Event = field(default_factory=threading.Event, repr=False)  # set by whoever wrote work
    pushed: threading.Event = field(default_factory=threading.Event, repr=False)  # set by whoever kept a push
    kept: Keeper = field(default_factory=_keeper, repr=False)  # what it maps with, kept in the ledger
    roles: Roles = field(default_factory=Roles)  # who may do what, as the site's files say
    sight: Sight = EVERYTHING  # whose eyes look through it (`pipelines.seeing.through`); the movement's own see all
    behind: Plant | None = field(default=None, repr=False)
    alerts: AlertRules | None = None  # whom alerts go to, and from when on
    findings: Sequence[Finding] = ()  # what is wrong with the site's files; a council with errors is not in `councils`

    @property
    def whole(self) -> Plant:
        """The movement's own plant behind an officer's: for work that is the site's, whoever asked for it."""
        return self.behind or self

    def refresh(self) -> None:
        """Take in what changed in the site's mappings and code lists. Quick where nothing did."""
        self.freshness.take_in()

    @property
    def journals(self) -> Path:
        """The folder in which the processes of this machine note what they begin to send."""
        return self.lock_file.parent / "journals"

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        for council in self.councils.values():
            for wired in council.wired.values():
                wired.close()
        self.ledger.close()
        self.keys.close()
