"""Questions about logging in, limits, maintenance, tests and upgrades: of the system as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.questions.question import Known, Question, Topic, part

_RENEWED = ("token", "session", "soap_sign_in", "oauth2")


def about_running(known: Known) -> Iterator[Question]:
    """Of the system as a whole."""
    if known.protocol != "files":
        yield from _about_the_login(known)
        yield from _about_limits(known)
    yield Question(
        Topic.RUNNING,
        "Is there a test system with invented people, at which address, and how is it reset?",
        "Mappings and failures must be tried where no real person is written to.",
        "Nothing can be proven before the first real referral.",
    )
    if not known.maintenance:
        yield Question(
            Topic.RUNNING,
            "When is the system regularly not there, and how are other outages announced?",
            "A night's maintenance is then waited out quietly instead of alarming people.",
            "Dolen pauses the connection after some failures, and tells somebody each time.",
            "maintenance",
        )
    yield Question(
        Topic.RUNNING,
        "How long before it is changed is the interface announced to change, and can the old version be used beside "
        "the new one for a time?",
        "A field that is renamed overnight stops every referral in the morning.",
        "Dolen compares the live interface with the pinned one every night where the system shows it, and says which "
        "fields are concerned.",
        "interface",
    )
    yield Question(
        Topic.RUNNING,
        "Whom do we ring when the interface fails, at which hours, and what do they need from us?",
        "In an outage staff of both sides must find each other.",
        "The connection names whoever was written down when it was set up.",
        "supplier",
    )


def _about_the_login(known: Known) -> Iterator[Question]:
    login = known.connect.get("login")
    kind = next(iter(login), "") if isinstance(login, dict) else ""
    if not kind:
        yield Question(
            Topic.LOGIN,
            "How does another system log in, and is it a user of its own with no more rights than it needs?",
            "Every act must be traceable to Dolen, and a login that can do more is a risk.",
            "Dolen calls the system without any login.",
            "connect.login",
        )
    elif kind in _RENEWED:
        yield Question(
            Topic.LOGIN,
            "For how long is a token or session good, what says that it is over, and does a second sign-in end the "
            "first?",
            "Calls that run at the same time must not log each other out.",
            "Dolen renews it before its time is over and once when it is refused, and holds one for all calls.",
            f"connect.login.{kind}",
        )
    yield Question(
        Topic.LOGIN,
        "Do the password, key or certificate of this login expire, who is told before, and after how many refusals is "
        "it locked?",
        "A password that expires on a bank holiday stops every referral.",
        "Dolen pauses the connection at the first refusal, so that it locks nobody out, and tells somebody.",
        "connect.login",
    )


def _about_limits(known: Known) -> Iterator[Question]:
    limits = known.connect.get("limits") or {}
    if not limits.get("calls_a_second"):
        yield Question(
            Topic.RUNNING,
            "How many calls a second and how many at once does the system bear, and what does it answer beyond that?",
            "A back-fill of a whole council must not slow down the people who work in it.",
            f"Dolen makes {limits.get('at_once', 4)} calls at once and as many a second as are answered.",
            "connect.limits.calls_a_second",
        )
    if any(part(record, "changes") for record in known.records.values()) and not limits.get("polls_a_day"):
        yield Question(
            Topic.RUNNING,
            "How often may the list of changes be asked for?",
            "The oftener, the sooner a person hears; some licences count the calls.",
            "Dolen asks as often as the connection's schedule says.",
            "connect.limits.polls_a_day",
        )
    seconds = known.settle_seconds
    yield Question(
        Topic.RUNNING,
        "After how many seconds does the system give up a call, and may it still be carried out after the caller has "
        "gone?",
        "A call that is done after we stopped waiting must be found before it is sent again.",
        f"Dolen waits {known.connect.get('timeout_seconds', 20)} seconds for an answer, and "
        + (f"{seconds:g} more" if seconds is not None else "two minutes more")
        + " before it looks whether it was done.",
        "settle_seconds",
    )
