"""When nothing is sent: one test for each rule of the table in docs/texts.md, named as it is named there.

Each news was true when its delivery was made; what a test changes after that is what the sending finds. Whatever the
rule is, it stands on the delivery and in the story of the referral, and Notify, which is not there, was not called.
"""

import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update

from connectors.port import Item
from pipelines import desk, register, revisions, story
from pipelines.batch import Batch, one_referral
from pipelines.clock import to_instant, to_time
from pipelines.tables import news as kept
from pipelines.tidings import Tidings
from pipelines.worker import Worker
from tests.found import as_asked
from tests.pipelines.pieces import ENVIRONMENT, ROOT, Bench

MOBILE = "person.telecom[system=phone,use=mobile]"
OPT_IN = "notify.opt_in[channel=text]"
TEXTS = "texts/track-my-request.yaml"
FAMILY = {
    "referrer.kind": "family-friend", "referrer.wants_updates": True, "referrer.person_agrees": True,
    "referrer.telecom[system=phone,use=mobile].value": "+447700900456",
}  # fmt: skip
_numbers = itertools.count(1)
#: A key of Notify's shape, so that what tries to send gets as far as finding nobody there.
KEY = "TORFAEN_NOTIFY_KEY"
INVENTED = "test-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0"


def opened(folder: Path, *edits: tuple[str, str, str]) -> Bench:
    """A bench on a copy of the example site, with these words of its files changed, and nobody at Notify's address."""
    site = Path(shutil.copytree(ROOT / "config" / "example", folder / "site"))
    nobody = ("config/councils/torfaen.yaml", "http://127.0.0.1:8765/torfaen/notify", "http://127.0.0.1:9/notify")
    for file, old, new in (nobody, *edits):
        text = (site / file).read_text(encoding="utf-8")
        assert old in text, old
        (site / file).write_text(text.replace(old, new), encoding="utf-8")
    return Bench(site)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Where a family member who referred is told, else the person, by text or else by email."""
    folder = tmp_path_factory.mktemp("when-not")
    email = (ROOT / "config" / "example" / TEXTS).read_text(encoding="utf-8").replace("channel: text", "channel: email")
    with as_asked(folder / "site"), pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENT, KEY, INVENTED)
        bench = opened(
            folder, ("config/councils/torfaen.yaml", "- {who: person}",
                     "- {who: family}\n      - {who: person, texts: [track-my-request, by-email]}")
        )  # fmt: skip
        (bench.folder / "texts/by-email.yaml").write_text(email, encoding="utf-8")
        bench.restart()
        yield bench
        bench.end()


@pytest.fixture
def timed(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Where the words of the texts file say when."""
    made: list[Bench] = []
    with as_asked(tmp_path / "site"), pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENT, KEY, INVENTED)

        def build(words: str, *edits: tuple[str, str, str]) -> Bench:
            made.append(opened(tmp_path, (TEXTS, "channel: text\n", f"channel: text\n{words}\n"), *edits))
            return made[-1]

        yield build
        for one in made:
            one.end()


def news(bench: Bench, **later: Any) -> Any:
    """A request that was accepted, and facts that came `later`: the delivery of its text, not yet tried."""
    number = next(_numbers)
    # Somebody else each time: their NHS numbers differ, so that nothing is matched and no number is shared.
    bench.take(bench.request(f"C-{number}", customer__last_name=f"Llŷr-{number}"))
    lane = bench.rows("delivery", connection="casework")[-1].lane
    bench.arrived(lane, f"{8000 + number}")
    case = bench.case(f"{8000 + number}", Status="ACC", Subject__Surname=f"Llŷr-{number}")
    bench.take(case)
    row = bench.rows("delivery", kind="Text")[-1]
    if later:
        facts(bench, row.referral_id, **later)
    return row


def facts(bench: Bench, id: str, **later: Any) -> None:
    """What the systems say now."""
    with bench.writing() as connection:
        batch = Batch(connection, bench.vault, bench.council, bench.clock.now())
        referral = one_referral(batch, id)
        assert referral is not None
        revisions.revise(batch, referral, later, by="contact")
        batch.flush()


def judged(bench: Bench, row: Any) -> Any:
    """Try what is due; the delivery as it stands after that. The story says the same as it does."""
    Worker(bench.plant, "test").drain(bench.council, "texts", probe=True)
    now = bench.row("delivery", id=row.id)
    lines = "\n".join(line.words for line in story.tell(bench.plant, row.referral_id).lines)
    assert now.reason
    assert now.reason in lines, lines
    return now


def nothing(bench: Bench, row: Any) -> str:
    """The rule by which nothing is sent and nobody need act."""
    now = judged(bench, row)
    assert now.state == "not sent"
    return str(now.reason)


def rings(bench: Bench, row: Any) -> str:
    """The rule by which a person rings."""
    now = judged(bench, row)
    assert now.state == "needs attention"
    (group,) = [one for one in desk.attention(bench.plant) if now.id in one.deliveries]
    assert "rings instead" in group.words
    return str(group.error)


def test_without_a_rule_it_goes(told: Bench) -> None:
    row = news(told)
    assert judged(told, row).state == "waiting"
    assert [one.error for one in told.rows("attempt", delivery_id=row.id)] == ["Unreachable"]


# --- Nothing ----------------------------------------------------------------------------------------------------------


def test_entered_in_error(told: Bench) -> None:
    assert nothing(told, news(told, status="entered_in_error")) == "entered in error"


def test_restricted_record(told: Bench) -> None:
    assert nothing(told, news(told, restricted_record=True)) == "restricted record"


def test_deceased(told: Bench) -> None:
    assert nothing(told, news(told, **{"person.date_of_death": "2026-07-02"})) == "deceased"


def test_not_opted_in(told: Bench) -> None:
    assert nothing(told, news(told, **{f"{OPT_IN}.opted_in": None})).endswith("person: not opted in")


def test_opt_in_withdrawn(told: Bench) -> None:
    assert nothing(told, news(told, **{f"{OPT_IN}.withdrawn_at": "2026-07-02T11:30:00Z"})).endswith(
        "person: opt-in withdrawn"
    )


def test_opted_out_by_reply(told: Bench) -> None:
    row = news(told, **{f"{MOBILE}.value": "+447700900801"})
    mark(told, "+447700900801", register.OPTED_OUT)
    assert nothing(told, row).endswith("person: opted out by reply")


def test_the_referrer_did_not_ask(told: Bench) -> None:
    later = {**FAMILY, "referrer.wants_updates": False, f"{OPT_IN}.opted_in": None}
    assert nothing(told, news(told, **later)).startswith("family: the referrer did not ask for updates")


def test_the_person_did_not_agree(told: Bench) -> None:
    later = {**FAMILY, "referrer.person_agrees": None, f"{OPT_IN}.opted_in": None}
    assert nothing(told, news(told, **later)).startswith("family: the person did not agree")


def test_who_hears_was_asked_for_otherwise(told: Bench) -> None:
    later = {**FAMILY, "notify.recipient": "person", f"{OPT_IN}.opted_in": None}
    assert nothing(told, news(told, **later)).startswith("family: the person asked to be the only one who hears")
    later = {"notify.recipient": "referrer"}
    assert nothing(told, news(told, **later)).endswith("person: the person asked that the one who referred them hears")


def test_no_safe_number(told: Bench) -> None:
    assert nothing(told, news(told, **{f"{MOBILE}.safe_to_text": None})).endswith("person: no safe number")
    # Of whoever referred: their own mobile, and none that is not safe for the person.
    off = {f"{OPT_IN}.opted_in": None}
    shared = {**FAMILY, **off, f"{MOBILE}.value": "+447700900456", f"{MOBILE}.safe_to_text": False}
    assert nothing(told, news(told, **shared)).startswith("family: no safe number")


def test_email_or_postal_address(told: Bench) -> None:
    email = {"notify.opt_in[channel=email].opted_in": True, f"{OPT_IN}.opted_in": None}
    own = "person.telecom[system=email]"
    unsafe = {f"{own}.value": "sian@example.org", f"{own}.safe_to_text": False}
    # The rule of the way that is tried first is the one that is told.
    assert nothing(told, news(told, **email, **unsafe)).endswith("person: not opted in")


def test_overtaken_by_newer_news(told: Bench) -> None:
    assert nothing(told, news(told, status="in_progress")) == "overtaken by newer news"


# --- Not yet ----------------------------------------------------------------------------------------------------------


def waits(bench: Bench, row: Any, until: datetime) -> str:
    """The rule by which it waits, and until when."""
    now = judged(bench, row)
    assert now.state == "waiting"
    assert to_instant(now.due) == until, to_instant(now.due)
    return str(now.reason)


def at(bench: Bench, when: datetime) -> None:
    bench.clock.at = to_time(when)


def test_quiet_hours(timed: Callable[..., Bench]) -> None:
    bench = timed('quiet: {begins: "20:00", ends: "08:00"}')
    row = news(bench)
    at(bench, datetime(2026, 7, 2, 21, 30, tzinfo=UTC))  # half past ten in the evening, by the council's clock
    assert waits(bench, row, datetime(2026, 7, 3, 7, 0, tzinfo=UTC)) == "quiet hours"


#: The summer bank holiday, as gov.uk/bank-holidays has it; and a Sunday.
@pytest.mark.parametrize(("day", "month"), [(31, 8), (6, 9)])
def test_quiet_day(timed: Callable[..., Bench], day: int, month: int) -> None:
    bench = timed('quiet: {begins: "20:00", ends: "08:00", days: [sun, bank-holiday]}')
    row = news(bench)
    at(bench, noon := datetime(2026, month, day, 11, 0, tzinfo=UTC))
    assert waits(bench, row, noon + timedelta(hours=20)) == "quiet day"


def went(bench: Bench, row: Any, ago: timedelta, *, to: str = "+447700900123") -> None:
    """Earlier news of the same referral went."""
    lane = f"torfaen/texts/earlier-{next(_numbers)}"
    id = bench.plain_delivery(lane, route=row.route, kind="Text", connection="texts", referral_id=row.referral_id,
                              state="arrived", due=None)  # fmt: skip
    with bench.writing() as connection:
        batch = Batch(connection, bench.vault, bench.council, bench.clock.now())
        batch.note("proof", delivery_id=id, record_id=None, external_id="n", version="", revision=1, how="created",
                   at=bench.clock.now())  # fmt: skip
        batch.note(
            "news", delivery_id=id, council="torfaen", connection="texts", referral_id=row.referral_id, route=row.route,
            recipient="person", words="track-my-request", channel="text", language="cy", status="received",
            whom=register.whom(bench.vault, "torfaen", to), parts=3, asked=None, changed=None,
            at=bench.clock.now() - int(ago.total_seconds() * 1_000_000), report="",
        )  # fmt: skip
        batch.flush()


def test_digest(timed: Callable[..., Bench]) -> None:
    bench = timed("digest: PT1H")
    row, overtaken = news(bench), news(bench, status="in_progress")
    for one in (row, overtaken):
        went(bench, one, timedelta(minutes=20))
    ends = to_instant(bench.clock.now()) + timedelta(minutes=40)
    assert waits(bench, row, ends) == "digest: it waits for what else comes, and is told as one"
    assert nothing(bench, overtaken) == "digest: told with the newer news"


def test_daily_cap(timed: Callable[..., Bench]) -> None:
    bench = timed("", (TEXTS, "caps: {a_recipient: 8, a_council: 20000}", "caps: {a_recipient: 2, a_council: 3}"))
    row = news(bench)
    midnight = datetime(2026, 7, 2, 23, 0, tzinfo=UTC)  # in the council's time
    for minutes in (20, 10):
        went(bench, row, timedelta(minutes=minutes))
    assert waits(bench, row, midnight) == "daily cap: as much was sent today to one recipient as may be"
    other = news(bench, **{f"{MOBILE}.value": "+447700900777"})
    went(bench, row, timedelta(minutes=5), to="+447700900888")
    assert waits(bench, other, midnight) == "daily cap: as much was sent today by the council as may be"


# --- A person rings ---------------------------------------------------------------------------------------------------


def test_safeguarding(told: Bench) -> None:
    assert rings(told, news(told, safeguarding_flag=True)) == "safeguarding"


def test_sensitive_news(told: Bench) -> None:
    assert rings(told, news(told, outcome="admitted-to-hospital")) == "sensitive news"


def test_interpreter_needed(told: Bench) -> None:
    assert rings(told, news(told, **{"language.interpreter_required": True})) == "interpreter needed"
    assert rings(told, news(told, **{"language.spoken": "bfi"})) == "interpreter needed"


def test_accessible_format_needed(told: Bench) -> None:
    assert rings(told, news(told, communication_needs=["braille"])) == "accessible format needed"


def test_wrong_number(told: Bench) -> None:
    row = news(told, **{f"{MOBILE}.value": "+447700900802"})
    mark(told, "+447700900802", register.WRONG)
    assert rings(told, row) == "wrong number"


def test_could_not_be_delivered_by_any_channel(told: Bench) -> None:
    row = news(told)
    went(told, row, timedelta(0))
    sent = told.rows("delivery", kind="Text", state="arrived")[-1]
    said = {"id": "5d2c8a34-0a3b-4b8e-8d9f-000000000001", "status": "temporary-failure", "reference": sent.key}
    with told.writing() as connection:
        connection.execute(
            update(kept).where(kept.c.delivery_id == sent.id).values(words="by-email", status="accepted")
        )
    wired = told.council.wired["texts"]
    kind: Any = SimpleNamespace(name="Report")
    Tidings(told.plant, told.council).take(wired, kind, [Item(said["id"], said, b"{}", our_key=sent.key)])
    (group,) = [one for one in desk.attention(told.plant) if one.error == "could not be delivered"]
    assert "rings instead" in group.words
    lines = [line.words for line in story.tell(told.plant, row.referral_id).lines]
    assert any("could not be delivered" in words for words in lines)


def test_a_day_that_nobody_knows(timed: Callable[..., Bench]) -> None:
    bench = timed("", (TEXTS, "Your request for help (reference ((reference))) has been accepted.",
                       "We visit you on ((visit_en)) about ((reference))."),
                  (TEXTS, "(cyfeirnod ((reference))) wedi'i dderbyn.",
                   "(cyfeirnod ((reference))), dyddiad ein hymweliad: ((visit_cy))."))  # fmt: skip
    row = news(bench)
    assert rings(bench, row) == "nothing known for ((visit_cy))"


def mark(bench: Bench, number: str, what: str) -> None:
    """Our register says something of a number."""
    with bench.writing() as connection:
        one = register.whom(bench.vault, "torfaen", number)
        register.write(connection, bench.vault, "torfaen", one, what, True, by="reply", now=bench.clock.now())


# --- All of them ------------------------------------------------------------------------------------------------------

#: Rules that show only where Notify is there: their tests are in `test_telling.py`.
ELSEWHERE = {"sent already": "test_two_messages_go_welsh_first_and_neither_twice"}


def test_every_rule_of_the_table_has_a_test_named_for_it() -> None:
    page = (ROOT / "docs" / "texts.md").read_text(encoding="utf-8")
    table = page.partition("## When nothing is sent")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ") and "---" not in line][1:]
    rules = [rule.strip() for cell in cells for rule in re.sub(r"\([^)]*\)", "", cell).split(",")]
    assert len(rules) > 20
    there = {*globals(), *re.findall(r"def (test_\w+)", Path(__file__).with_name("test_telling.py").read_text("utf-8"))}
    missing = [rule for rule in rules if ELSEWHERE.get(rule, f"test_{re.sub(r'[^a-z]+', '_', rule)}") not in there]
    assert missing == []
