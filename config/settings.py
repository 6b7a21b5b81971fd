"""The site's own settings: `config/dolen.yaml`. What belongs to one council is in `config/council.py`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.access import Access
from config.alerts import Alerts
from config.declared import Address, Declared, Line, LongerThanNothing, refusal
from config.keys import Keys
from config.metrics import Metrics
from config.retention import Retention
from config.routes import Comparison, Nightly

SCHEMA_VERSION = 2  # a step to it is in config/upgrades


def _recipient_pattern(value: str) -> str:
    stem = value[:-1] if value.endswith("*") else value
    if "*" in stem:
        raise refusal(
            "a * in the middle", "a * at the end only", "write a number or address, with * at the end at most"
        )
    if not re.fullmatch(r"\+?[0-9][0-9 ()-]{4,24}|[^@\s]{4,}@[^@\s]*|[^@\s]+@[^@\s]{3,}", stem):
        expected = "a number or address, with * at the end at most, such as +447700900*"
        raise refusal("a text of another form", expected, "write the whole of it, or at least its first five signs")
    return value


class Ledger(Declared):
    """Where everything that was seen, sent and answered is kept."""

    url: Address = Field(
        default="sqlite:///ledger.db",
        description="The database: SQLite for one machine, PostgreSQL for several. A path without a leading slash is "
        "under the folder named by `data`; a URL with a password is a reference. PostgreSQL on another machine is "
        "spoken to with sslmode=verify-full unless the URL says otherwise, which a live site may not.",
        examples=["env:DOLEN_LEDGER_URL"],
    )


class Broker(Declared):
    """What wakes the workers. It carries ids only, and losing it loses nothing."""

    url: Address = Field(
        default="memory://",
        description="The broker. On another machine amqps://, of which the certificate and its name are checked; "
        "`?ca_bundle=PATH` behind it names the only authorities to trust. With a password it is a reference.",
        examples=["env:DOLEN_BROKER_URL"],
    )


class Console(Declared):
    """The web pages for staff."""

    host: Line = Field(default="127.0.0.1", description="The address to listen on.", examples=["127.0.0.1"])
    port: int = Field(default=8080, ge=0, le=65535, description="The port; 0 takes a free one.", examples=[8080])
    language: Literal["cy", "en"] = Field(
        default="en", description="The language in which pages open; each page has a switch.", examples=["cy"]
    )


class Listener(Declared):
    """Where systems and forms may call us: pushes to `/push/COUNCIL/CONNECTION/KIND`, and nothing else."""

    host: Line = Field(
        default="127.0.0.1",
        description="The address to listen on. Other machines reach it through a web server in front, which ends TLS; "
        "or name their network's address here together with `certificate` and `key`.",
        examples=["127.0.0.1"],
    )
    port: int = Field(default=8081, ge=0, le=65535, description="The port; 0 takes a free one.", examples=[8081])
    certificate: Line | None = Field(
        default=None,
        description="PEM file of our certificate, where no web server in front ends TLS.",
        examples=["/etc/dolen/listener.pem"],
    )
    key: Line | None = Field(
        default=None, description="PEM file of its private key.", examples=["/etc/dolen/listener-key.pem"]
    )
    most_bytes: int = Field(
        default=1_000_000,
        ge=1_000,
        le=20_000_000,
        description="A push longer than this is refused before it is read.",
        examples=[1_000_000],
    )
    within: LongerThanNothing = Field(
        default=timedelta(seconds=10),
        description="How long a caller may take from its first byte to its last.",
        examples=["PT10S"],
    )
    at_once: int = Field(
        default=16, ge=1, le=64, description="Pushes written at the same time; others are asked to wait.", examples=[16]
    )

    @model_validator(mode="after")
    def _not_in_clear(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise refusal("one of `certificate` and `key`", "both or none", "write both")
        if self.host not in ("127.0.0.1", "::1", "localhost") and self.certificate is None:
            expected = "`certificate` and `key`, or an address of this machine alone"
            remedy = "people's records must not travel in clear: let a web server in front end TLS, or name both files"
            raise refusal("an address that other machines reach, without TLS", expected, remedy)
        return self


class DocumentScanner(Declared):
    """What looks at documents before they are handed on."""

    clamd: Line = Field(
        description="The daemon of ClamAV on this machine: tcp://127.0.0.1:port or unix:/path. May be a reference.",
        examples=["tcp://127.0.0.1:3310"],
    )


class Log(Declared):
    """What is written about the running of it. Never a person."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is written.", examples=["info"]
    )
    format: Literal["json", "text"] = Field(
        default="json", description="`json` for a log collector, `text` for reading at a terminal.", examples=["json"]
    )


class SiteSettings(Declared):
    """The file `config/dolen.yaml`."""

    schema_version: Literal[1, 2] = Field(
        description="The version of the format of the site's files. `dolen site upgrade` leads from an older one to "
        "the newest; what an older one says that the newest does not, `dolen check` tells.",
        examples=[SCHEMA_VERSION],
    )
    stage: Literal["test", "live"] = Field(
        default="test",
        description="In `test`, messages to residents reach the numbers of `residents_only_to` and nobody else. "
        "In `live`, each route must say why and for how long it carries data.",
        examples=["test"],
    )
    residents_only_to: list[Annotated[str, AfterValidator(_recipient_pattern)]] = Field(
        default_factory=list,
        description="In `test`: the numbers and addresses that messages may reach. A * at the end stands for the rest.",
        examples=[["+447700900*", "tester@example.org"]],
    )
    data: Line = Field(
        default="var",
        description="The folder for what the running site writes, under the site's folder.",
        examples=["var"],
    )
    ledger: Ledger = Field(
        default_factory=Ledger, description="The database.", examples=[{"url": "sqlite:///ledger.db"}]
    )
    broker: Broker = Field(
        default_factory=Broker, description="What wakes the workers.", examples=[{"url": "memory://"}]
    )
    keys: Keys = Field(default_factory=Keys, description="Where the keys are.", examples=[{"main": "env:DOLEN_KEY"}])
    retention: Retention = Field(
        default_factory=Retention, description="How long data is kept, by class.", examples=[{"raw": "P30D"}]
    )
    purge: Nightly = Field(
        default_factory=lambda: Nightly(cron="20 2 * * *"),
        description="When what has been kept long enough is let go of.",
        examples=[{"cron": "20 2 * * *"}],
    )
    console: Console | None = Field(
        default=None,
        description="The web pages for staff, which `dolen run` serves. Leave out: it serves none; `dolen serve` does.",
        examples=[{"port": 8080}],
    )
    access: Access = Field(
        default_factory=Access,
        description="Who may do what, and how staff sign in.",
        examples=[{"roles": [{"role": "operator", "councils": ["torfaen"], "accounts": ["aevans"]}]}],
    )
    listener: Listener | None = Field(
        default=None,
        description="Where systems and forms may call us. Leave out: nothing listens.",
        examples=[{"port": 8081}],
    )
    metrics: Metrics | None = Field(
        default=None,
        description="Where each process tells how it does. Leave out: nowhere; the pages have `/healthz` and `/readyz` "
        "all the same.",
        examples=[{"port": 9464}],
    )
    alerts: Alerts = Field(
        default_factory=Alerts, description="Who is told.", examples=[{"to": ["integration@example.org"]}]
    )
    reconcile: Comparison = Field(
        default_factory=Comparison,
        description="When the two ends of each route are compared; a route may say otherwise.",
        examples=[{"cron": "15 3 * * *"}],
    )
    interface_drift: Nightly = Field(
        default_factory=Nightly,
        description="When the interface that each system shows is compared with the pinned one.",
        examples=[{"cron": "45 3 * * *"}],
    )
    scanner: DocumentScanner | None = Field(
        default=None,
        description="Looks at documents; needed where a route has `documents`, unless it says why not.",
        examples=[{"clamd": "tcp://127.0.0.1:3310"}],
    )
    log: Log = Field(default_factory=Log, description="What is logged.", examples=[{"level": "info"}])
