"""The composition root: from a site's folder to a running plant. Everything is built here, and nothing is sent.

`load` reads the files, `build` opens the ledger and the keys and wires each council. A council whose mappings cannot be
compiled is left out, with findings that say why, and stops nobody else. Connectors are opened when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from config.connection import Connection as ConnectionSettings
from config.findings import Finding, SiteFaults, in_order
from config.holidays import dates
from config.site import Council as CouncilFiles
from config.site import Site, load_site
from connectors.errors import Misconfigured
from connectors.pinned_files import pinned_files
from connectors.push.declared import pushed_kinds
from connectors.registry import declared, open_connector
from connectors.scanner import Scanner
from connectors.settings import HttpSettings, Limits
from mappings import fieldpaths
from pipelines import alert_rules, artifacts, known_ids, roles, wire_checks
from pipelines.clock import Clock
from pipelines.emptied import emptied
from pipelines.freshness import Freshness, day_of, look
from pipelines.identifiers import PERSON_IDENTIFIERS
from pipelines.jobs import REPLY_KIND, REPORT_KIND
from pipelines.keystore import KeyStore
from pipelines.ledger import Ledger
from pipelines.ledger_clock import LedgerClock
from pipelines.library import Library, field_groups, has_lookups, shipped_folders
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.rooms import check_rooms
from pipelines.route_building import route_of
from pipelines.site_keys import belong_together, mains_of
from pipelines.spool import give_places
from pipelines.turns import Turns
from pipelines.vault import Vault
from pipelines.wording import rules_of

if TYPE_CHECKING:
    from connectors.known import Known
    from connectors.pace import Agree
    from connectors.port import Connector
    from connectors.spool import Spool

#: Protocols by which messages reach residents: in stage test those that the site lists, and nobody else.
_TO_RESIDENTS = frozenset({"notify", "smtp"})


def load(root: Path) -> Site:
    """Read a site, laid over what is shipped. Raises SiteFaults if `dolen.yaml` cannot be used."""
    return load_site(root.resolve(), shipped=shipped_folders(), groups=field_groups())


def build(site: Site, *, clock: Clock | None = None, environment: Dictionary[str, str] | None = None) -> Plant:
    """Build a plant. `environment` is where `env:NAME` leads (default: the process's). Nothing is sent.

    Raises StrangeRoom, LedgerFault, KeyFault, SiteFaults where a live site speaks in clear, and SecretMissing for the
    ledger's, the broker's and the main key's references; those of a connection are looked up when it is opened.
    """
    check_rooms()
    wire_checks.refuse(site, environment)
    broker_url = site.broker_url(environment)
    ledger = Ledger(site.ledger_url(environment))
    try:
        keys = KeyStore(site.keys_url(environment), *mains_of(site, environment), lost=ledger.lost)
        belong_together(ledger, keys)
    except BaseException:
        ledger.close()
        raise
    clock = clock or LedgerClock(ledger)
    library = Library(site.layers)
    seen = look(site.layers)  # before anything is read: what is changed from now on is noticed
    councils: dict[str, Council] = {}
    findings: list[Finding] = list(site.findings)
    for code, files in site.councils.items():
        try:
            councils[code] = wire(site, files, library, clock=clock, environment=environment)
        except SiteFaults as faults:
            findings += faults.findings
        else:
            known_ids.hand_in(councils[code], ledger)
            if not ledger.embedded:
                _agree_on_turns(councils[code], files, ledger, clock)
            give_places(councils[code], keys, site.data_folder / "spool", alone=ledger.embedded)
    return Plant(
        root=site.root,
        stage=site.settings.stage,
        ledger=ledger,
        keys=keys,
        vault=Vault(keys),
        clock=clock,
        councils=councils,
        lock_file=site.data_folder / "dolen.lock",
        broker_url=broker_url,
        freshness=Freshness(site.layers, councils, clock, seen, partial(_shadows, site.root)),
        roles=roles.of_site(site),
        kept=artifacts.Keeper(own=lambda: Library(site.layers).own_converters().converters),
        findings=in_order(findings),
        scanner=_scanner(site, environment),
        alerts=alert_rules.rules_of(site, environment),
    )


def _shadows(root: Path) -> dict[str, frozenset[str]]:
    """By council, the routes that its file has in shadow now. Raises SiteFaults."""
    councils = load(root).councils.items()
    return {
        code: frozenset(route.name for route in files.settings.routes if route.mode == "shadow")
        for code, files in councils
    }


def _scanner(site: Site, environment: Dictionary[str, str] | None) -> Scanner | None:
    told = site.settings.scanner
    return None if told is None else Scanner(site.plain(told.clamd, environment))


def _agree_on_turns(council: Council, files: CouncilFiles, ledger: Ledger, clock: Clock) -> None:
    """Let all processes that share this ledger keep one limit of calls a second for each connection."""
    for name, connection in files.settings.connections.items():
        limits = connection.connect.get("limits")
        rate = limits.get("calls_a_second") if isinstance(limits, dict) else None
        if isinstance(rate, int | float) and rate > 0:
            council.wired[name].agree = Turns(ledger, clock, council.code, name, rate)


def wire(
    site: Site,
    files: CouncilFiles,
    library: Library,
    *,
    clock: Clock,
    environment: Dictionary[str, str] | None = None,
) -> Council:
    """Wire one council. Raises SiteFaults with everything that is wrong with its profiles and mappings."""
    settings = files.settings
    wired: dict[str, Wired] = {}
    findings: list[Finding] = []
    for name, connection in settings.connections.items():
        try:
            wired[name] = _wire(site, files, name, connection, library, clock, environment)
        except SiteFaults as faults:
            findings += faults.findings
    if findings:
        raise SiteFaults(findings)
    kept = settings.preferences.model_dump()
    used = {name for route in settings.routes for name in route.all_texts}
    return Council(
        code=files.code,
        gss=settings.council.gss,
        name={"cy": settings.council.name.cy, "en": settings.council.name.en},
        zone=settings.council.time_zone,
        wired=wired,
        routes=tuple(route_of(route, site.settings.reconcile) for route in settings.routes),
        owners={group: name for name, connection in settings.connections.items() for group in connection.owns},
        person_identifiers=PERSON_IDENTIFIERS,
        retention=site.retention(files.code),
        texts={
            name: rules_of(name, text, lambda value: site.plain(value, environment))
            for name, text in site.texts.items()
            if name in used
        },
        phone=settings.council.phone,
        bank_holidays=dates(settings.bank_holidays),
        replies=settings.replies.inbox if settings.replies else "",
        preferences={what: place for what, place in kept.items() if place is not None},
    )


def interface_reader(site: Site, profile: Dictionary[str, Any]) -> Callable[[str], bytes]:
    """Return what gives the bytes of a pinned file of a profile. Calling it raises Misconfigured."""

    def interface(name: str) -> bytes:
        try:
            return site.layers.read("interfaces", name)
        except LookupError as missing:
            raise Misconfigured(f"the pinned interface of {profile.get('system')}: {missing}") from None

    return interface


def opener(
    site: Site,
    connection: ConnectionSettings,
    profile: Dictionary[str, Any],
    *,
    clock: Clock,
    secret: Callable[[str], str],
) -> Callable[..., Connector]:
    """Return what opens a connection's connector. Calling it raises Misconfigured; nothing is sent."""

    interface = interface_reader(site, profile)

    def opened(agree: Agree | None = None, known: Known | None = None, spool: Spool | None = None) -> Connector:
        connect: dict[str, Any] = dict(connection.connect)
        if site.settings.stage == "test" and profile.get("protocol") in _TO_RESIDENTS:
            connect["only_to"] = _listed(connect.get("only_to"), site.settings.residents_only_to)
        now = clock.instant
        more: dict[str, Any] = {"agree": agree, "known": known, "spool": spool}
        return open_connector(profile, connect, interfaces=interface, clock=now, secret=secret, **more)

    return opened


def _wire(
    site: Site,
    files: CouncilFiles,
    name: str,
    connection: ConnectionSettings,
    library: Library,
    clock: Clock,
    environment: Dictionary[str, str] | None,
) -> Wired:
    profile = profile_of(library, connection)
    zone = str(profile.get("clock") or files.settings.council.time_zone)
    today = day_of(clock, files.settings.council.time_zone)
    kinds: dict[str, Kind] = {}
    findings: list[Finding] = []
    for kind, use in connection.records.items():
        try:
            mapping = library.mapping(use.mapping, zone, today)
        except SiteFaults as faults:
            findings += faults.findings
        else:
            match = tuple(fieldpaths.normalise(path) for path in use.match)
            kinds[kind] = Kind(kind, mapping, use.mapping, zone, match)
    if findings:
        raise SiteFaults(findings)
    replies = {route.record for route in files.settings.routes if route.to == name and route.replies_to}
    limits = connection.connect.get("limits")
    offers = offers_of(profile)
    return Wired(
        council=files.code,
        name=name,
        kinds={kind: one for kind, one in kinds.items() if kind not in replies},
        answers={kind: one for kind, one in kinds.items() if kind in replies},
        open_connector=opener(
            site, connection, profile, clock=clock, secret=lambda reference: site.secret(reference, environment)
        ),
        timeout_seconds=_number(connection.connect, "timeout_seconds", HttpSettings),
        settle_seconds=connection.settle_seconds,
        at_once=int(_number(limits if isinstance(limits, dict) else {}, "at_once", Limits)),
        polls=connection.schedule is not None or any("changes" in offers.get(kind, ()) for kind in kinds),
        overlay=_settings(site, files, connection, profile, offers),
        describe=lambda: _described(site, connection.profile, profile),
        tidings=_tidings(files, connection, profile),
    )


def _tidings(files: CouncilFiles, connection: ConnectionSettings, profile: Dictionary[str, Any]) -> list[str]:
    """What a service tells of messages, where it is asked or calls us. What residents reply is somebody's to read."""
    records, wanted = profile.get("records"), {REPORT_KIND: True, REPLY_KIND: files.settings.replies is not None}
    asked = connection.schedule is not None or bool(connection.connect.get("push"))
    return [kind for kind, read in wanted.items() if asked and read and isinstance(records, dict) and kind in records]


def _described(site: Site, name: str, profile: Dictionary[str, Any]) -> tuple[str, artifacts.Artifacts]:
    """A profile and the pinned files that it leads to, as artifacts; a file that is missing is `check`'s business."""
    pinned = pinned_files(profile, lambda file: site.layers.read("interfaces", file))
    return artifacts.profile_of(name, profile, pinned)


def profile_of(library: Library, connection: ConnectionSettings) -> Dictionary[str, Any]:
    """The profile of a connection, as data. Raises SiteFaults if nothing can be wired with it.

    Its clock is looked at here, because mappings are compiled with it and would be blamed for it; the rest is the
    business of `check` and of the connector.
    """
    try:
        document = library.document("profiles", connection.profile)
    except LookupError:
        missing = Finding(f"profiles/{connection.profile}.yaml", 0, 0, "", "no such file", "a profile", "create it")
        raise SiteFaults([missing]) from None
    found = expected = ""
    at: tuple[str, ...] = ()
    if not isinstance(document.data, dict):
        found, expected = "an empty file or a list", "a profile with system, protocol and records"
    elif "clock" in document.data and not is_zone(document.data["clock"]):
        found, at, expected = "no time zone", ("clock",), "a zone such as Europe/London"
    if found:
        remedy = "compare it with a shipped profile"
        raise SiteFaults([document.finding(at, found=found, expected=expected, remedy=remedy)])
    profile: dict[str, Any] = document.data
    return profile


def is_zone(name: object) -> bool:
    """Whether this is the name of a time zone."""
    try:
        return isinstance(name, str) and ZoneInfo(name) is not None
    except (OSError, ValueError, KeyError):  # a folder's name, a name with .., a name nobody knows
        return False


def offers_of(profile: Dictionary[str, Any]) -> dict[str, frozenset[str]]:
    """What a profile declares for each kind of record, without loading its connector; nothing of one that is wrong,
    which `check` tells of, and whoever opens it."""
    try:
        return dict(declared(profile).declared)
    except Misconfigured:
        return {}


def _settings(
    site: Site,
    files: CouncilFiles,
    connection: ConnectionSettings,
    profile: Dictionary[str, Any],
    offers: Dictionary[str, frozenset[str]],
) -> dict[str, Any]:
    """What the scheduler and the screens want to know of a connection. Seconds, and times of the council's zone."""
    schedule, limits = connection.schedule, connection.connect.get("limits")
    return {
        "every": schedule.every.total_seconds() if schedule and schedule.every else None,
        "cron": schedule.cron if schedule else None,
        "jitter": schedule.spread.total_seconds() if schedule else 0.0,
        "zone": files.settings.council.time_zone,
        "bank_holidays": dates(files.settings.bank_holidays),
        "on_bank_holidays": schedule.bank_holidays if schedule else True,
        "lookups": has_lookups(profile),
        "codes_cron": site.settings.reconcile.cron,
        "polls_a_day": limits.get("polls_a_day") if isinstance(limits, dict) else None,
        "most_waiting": connection.most_waiting,
        "windows": [window.model_dump() for window in connection.maintenance],
        "paused": connection.paused,
        "pause": {
            "after_failures": connection.pause.after_failures,
            "within": connection.pause.within.total_seconds(),
            "try_again": connection.pause.try_again.total_seconds(),
        },
        "offers": dict(offers),
        "emptied": emptied(profile),
        "pushed": pushed_kinds(profile, connection.connect),
        "pushed_ids": pushed_kinds(profile, connection.connect, carries="id"),
        "system": profile.get("system"),
        "protocol": profile.get("protocol"),
        "profile": connection.profile,
        "drift": site.settings.interface_drift.cron,
        "owner": connection.owner.model_dump(),
        "supplier": connection.supplier,
        "council_field": connection.council_field,
        "council_values": tuple(connection.council_values),
    }


def _listed(own: Any, site_wide: list[str]) -> list[str]:
    """Whom a text may reach in stage test: the site's list, or what a connection's own narrower list has of it."""
    if own is None:
        return list(site_wide)
    from connectors.notify.profile import allows

    among = allows(list(site_wide))
    return [one for one in own if isinstance(one, str) and among(one.rstrip("*"))] if isinstance(own, list) else []


def _number(given: Any, name: str, model: Any) -> float:
    """A number of the connection's settings, or what the connectors take without it."""
    value = given.get(name)
    return float(
        value if isinstance(value, int | float) and not isinstance(value, bool) else model.model_fields[name].default
    )
