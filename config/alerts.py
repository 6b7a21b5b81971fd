"""Who is told when something waits for a person, how, and from when on. An alert holds counts and ids, never a person.

What stands in `config/dolen.yaml` holds for the site; a council's file may name its own people, who are then told in
place of the site's of what concerns that council.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.connection import CronLine, Window
from config.declared import Address, Declared, Line, LongerThanNothing, Phone, Reference, refusal
from config.findings import Problem


def _mail_address(value: str) -> str:
    name, mark, host = value.partition("@")
    if not (name and mark and "." in host) or any(sign.isspace() or sign in ",;<>" for sign in value):
        raise refusal("a text that is no address", "an address such as duty@example.org", "write one address a line")
    return value


MailAddress = Annotated[Line, AfterValidator(_mail_address)]
Language = Literal["cy", "en", "both"]


class MailLogin(Declared):
    """A user name and a password."""

    username: Line = Field(description="User name.", examples=["dolen@example.org"])
    password: Reference = Field(description="Password, as a reference.", examples=["env:MAIL_PASSWORD"])


class Mail(Declared):
    """The mail server that takes our alerts. The line is encrypted or nothing is sent."""

    host: Line = Field(description="The mail server.", examples=["mail.example.org"])
    port: int = Field(default=587, ge=1, le=65_535, description="Its port.", examples=[587])
    security: Literal["starttls", "tls"] = Field(
        default="starttls",
        description="starttls: the line is encrypted before anything is said. tls: from the first byte (port 465).",
        examples=["starttls"],
    )
    from_: MailAddress = Field(alias="from", description="Our own address.", examples=["dolen@example.org"])
    login: MailLogin | None = Field(
        default=None,
        description="How we log in. Leave out where the server knows this machine.",
        examples=[{"username": "dolen@example.org", "password": "env:MAIL_PASSWORD"}],
    )
    ca_bundle: Line | None = Field(
        default=None,
        description="PEM file of the only authorities to trust. Leave out for the machine's own.",
        examples=["/etc/dolen/council-ca.pem"],
    )


class Called(Declared):
    """An address that is called, and the way there."""

    url: Address = Field(
        description="The address. Those of Teams and Slack are secrets themselves: write a reference.",
        examples=["env:DOLEN_TEAMS_URL"],
    )
    private_network: bool = Field(
        default=False,
        description="It is on a private network, and its name may lead to an address there.",
        examples=[True],
    )
    proxy: Line | None = Field(
        default=None,
        description="Proxy on the way. The environment's proxy settings are not used.",
        examples=["http://proxy.example.org:3128"],
    )
    ca_bundle: Line | None = Field(
        default=None,
        description="PEM file of the only authorities to trust. Leave out for the machine's own.",
        examples=["/etc/dolen/council-ca.pem"],
    )

    @property
    def way(self) -> dict[str, str | bool]:
        """The settings of the way there that differ from the usual."""
        said = {"private_network": self.private_network, "proxy": self.proxy, "ca_bundle": self.ca_bundle}
        return {name: value for name, value in said.items() if value}


class Webhook(Called):
    """An address that alerts are posted to."""

    form: Literal["json", "teams", "slack"] = Field(
        default="json", description="What it takes: our own JSON, a Teams card or a Slack message.", examples=["teams"]
    )
    secret: Reference | None = Field(
        default=None,
        description="Signs each call (HMAC-SHA256, header `Dolen-Signature`), so that its receiver can tell ours.",
        examples=["env:DOLEN_ALERT_SECRET"],
    )


class Duty(Declared):
    """Who is told at once, at any hour, of what is urgent or late, and again until somebody answers."""

    name: Line = Field(description="A team or a post.", examples=["Out-of-hours duty team"])
    phone: Phone | None = Field(default=None, description="Their number.", examples=["01632 960199"])
    email: MailAddress | None = Field(default=None, description="Their address.", examples=["duty@example.org"])
    webhook: Webhook | None = Field(
        default=None, description="Or what wakes them.", examples=[{"url": "env:DOLEN_PAGER_URL"}]
    )


class Contacts(Declared):
    """Who is told, and when it may wait."""

    to: list[MailAddress] = Field(
        default_factory=list, description="Addresses that alerts go to.", examples=[["integration@example.org"]]
    )
    webhooks: list[Webhook] = Field(
        default_factory=list,
        description="Addresses that alerts are posted to.",
        examples=[[{"url": "env:DOLEN_TEAMS_URL", "form": "teams"}]],
    )
    duty: Duty | None = Field(
        default=None,
        description="Who is told at once of what is urgent or late.",
        examples=[{"name": "Out-of-hours duty team", "email": "duty@example.org"}],
    )
    language: Language | None = Field(
        default=None, description="In which language: cy, en or both. Left out: both.", examples=["both"]
    )
    quiet: list[Window] = Field(
        default_factory=list,
        description="Hours in which nobody is told of what can wait. Urgent, safeguarding and late ones never wait.",
        examples=[[{"begins": "18:00", "ends": "08:00"}]],
    )

    @property
    def anybody(self) -> bool:
        """Whether anybody at all is named here."""
        return bool(self.to or self.webhooks or self.duty)


class Heartbeat(Called):
    """An address that is called while all is well: whoever keeps it rings when the calls stop."""

    every: LongerThanNothing = Field(
        default=timedelta(minutes=1), description="How often it is called.", examples=["PT1M"]
    )


class Limits(Declared):
    """From when on something is worth an alert. What is urgent or late always is."""

    attention: int = Field(
        default=10, ge=1, description="So many that need attention because of one cause.", examples=[10]
    )
    attention_after: LongerThanNothing = Field(
        default=timedelta(hours=4), description="... or fewer, but for so long.", examples=["PT4H"]
    )
    lag: LongerThanNothing = Field(
        default=timedelta(minutes=30), description="A source was due to be read so long ago.", examples=["PT30M"]
    )
    paused: LongerThanNothing = Field(
        default=timedelta(minutes=10), description="A connection has been paused for so long.", examples=["PT10M"]
    )
    not_picked_up: LongerThanNothing = Field(
        default=timedelta(days=2),
        description="A referral arrived so long ago, and nobody there has picked it up.",
        examples=["P2D"],
    )
    urgent_not_picked_up: LongerThanNothing = Field(
        default=timedelta(hours=1), description="The same for one that is urgent.", examples=["PT1H"]
    )
    expiry: LongerThanNothing = Field(
        default=timedelta(days=30), description="A certificate or a login ends in so long.", examples=["P30D"]
    )
    backlog: int = Field(default=5_000, ge=1, description="So many wait for one target.", examples=[5_000])
    disk_megabytes: int = Field(
        default=1_000, ge=1, description="Less than this is free where Dolen writes.", examples=[1_000]
    )
    clock: LongerThanNothing = Field(
        default=timedelta(seconds=30), description="A clock is off by more than this.", examples=["PT30S"]
    )
    quiet_sources: bool = Field(
        default=True,
        description="Whether a source that is quieter than it ever was at that hour and weekday is told of.",
        examples=[True],
    )


class Alerts(Contacts):
    """Who is told when something waits for a person. An alert holds ids, never a person."""

    mail: Mail | None = Field(
        default=None,
        description="The mail server that takes them.",
        examples=[{"host": "mail.example.org", "from": "dolen@example.org"}],
    )
    console: Address | None = Field(
        default=None,
        description="Where staff open the pages, for the links in alerts.",
        examples=["https://dolen.example.org"],
    )
    again: LongerThanNothing = Field(
        default=timedelta(minutes=15),
        description="The duty contact is told again after so long, until somebody answers.",
        examples=["PT15M"],
    )
    digest: CronLine | None = Field(
        default=None,
        description="What can wait is gathered and told at these times, in the council's zone. Left out: when it "
        "happens, outside the quiet hours.",
        examples=["0 9 * * mon-fri"],
    )
    heartbeat: Heartbeat | None = Field(
        default=None,
        description="Called while all is well, so that somebody else notices when Dolen itself is down.",
        examples=[{"url": "env:DOLEN_HEARTBEAT_URL"}],
    )
    when: Limits = Field(default_factory=Limits, description="From when on.", examples=[{"attention_after": "PT4H"}])


def unreachable(contacts: Contacts, mail: Mail | None) -> Iterator[Problem]:
    """Find people who could never be told: `to` and `duty` without a way to them."""
    if contacts.to and mail is None:
        yield Problem(
            ("alerts", "to"), "addresses, and no mail server that takes alerts", "`alerts.mail` in dolen.yaml",
            "add `mail: {host: mail.example.org, from: dolen@example.org}`, or take the addresses out",
        )  # fmt: skip
    duty = contacts.duty
    if duty is None:
        return
    if duty.email is None and duty.webhook is None:
        yield Problem(
            ("alerts", "duty"), "a duty contact whom no alert can reach", "`email` or `webhook`",
            "add one of the two: a telephone number alone is for people",
        )  # fmt: skip
    elif duty.email is not None and mail is None:
        yield Problem(
            ("alerts", "duty", "email"), "an address, and no mail server that takes alerts",
            "`alerts.mail` in dolen.yaml", "add `mail: {host: mail.example.org, from: dolen@example.org}`",
        )  # fmt: skip


def nobody_on_duty(site: Alerts, councils: Mapping[str, Contacts | None]) -> Iterator[Problem]:
    """Find the councils of which nobody would be told at once. A live site must have somebody for each."""
    without = sorted(code for code, own in councils.items() if own is None or own.duty is None)
    if site.duty is None and (without or not councils):
        yield Problem(
            ("alerts",), f"no duty contact for {', '.join(without) or 'the site'}",
            "`duty` under `alerts`, because the stage is live: who is told at once of what is urgent or late",
            "add `duty: {name: ..., email: ...}` here, or under `alerts` in each council's file",
        )  # fmt: skip


class CouncilAlerts(Contacts):
    """A council's own people: told in place of the site's of what concerns this council."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.anybody:
            raise refusal("nobody", "`to`, `webhooks` or `duty`", "name somebody, or take `alerts` out")
        return self
