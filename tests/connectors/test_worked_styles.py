"""The worked profiles for closed case systems do what they say, as the site of examples has them: each against an
invented system of its style, over loopback, in a folder, or in a PostgreSQL of somebody else's."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from connectors.errors import ConnectorError, NotThere, Outdated, Unauthorised
from connectors.port import Item
from pipelines import composition
from tests.connectors.closed_system import KEY, PASSWORD, Closed

pytest_plugins = ("tests.on_servers",)

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"OUR_COUNCIL_SOAP_PASSWORD": PASSWORD, "OUR_COUNCIL_REST_KEY": KEY,
           "OUR_COUNCIL_REPORTING_PASSWORD": PASSWORD}  # fmt: skip
NEW = {
    "Kind": "REF", "Status": "NEW", "Priority": "P3", "Received": "2026-03-02T09:15:00", "Surname": "Llŷr",
    "Forenames": "Siân", "Born": "1941-02-28", "Mobile": "07700 900123", "Summary": "Angen help yn y bore",
    "Team": "Oedolion",
}  # fmt: skip
MEANT = {"type": "referral", "priority": "routine", "person.name.family": "Llŷr", "assigned_to.team": "Oedolion"}
CALLS = ("soap-style", "rest-style")


@pytest.fixture
def closed() -> Closed:
    """The invented system, whose clock stands a little before ours: what it shows has come to rest."""
    return Closed(datetime.now(UTC) - timedelta(hours=2))


@pytest.fixture
def site(tmp_path: Path, closed: Closed, small: Callable[..., Any]) -> Path:
    """The site of examples, led to the invented system."""
    folder = Path(shutil.copytree(ROOT / "docs/systems/closed-case-systems", tmp_path / "site"))
    url = small(closed.answer).url
    change(folder, "https://cases.example.org", url)
    change(folder, "https://reporting.example.org", url)
    change(folder, "/srv/extracts", (tmp_path / "extracts").as_posix())
    (tmp_path / "extracts").mkdir()
    return folder


@pytest.fixture
def opened(site: Path) -> Iterator[Callable[..., Any]]:
    """Opens a connection of the site as Dolen would: its connector, and the mapping of its contacts."""
    plants: list[Any] = []

    def wired(name: str, **secrets: str) -> Any:
        plants.append(composition.build(composition.load(site), environment={**SECRETS, **secrets}))
        return plants[-1].councils["our-council"].wired[name]

    yield wired
    for plant in plants:
        plant.close()


def change(folder: Path, old: str, new: str) -> None:
    file = folder / "config/councils/our-council.yaml"
    words = file.read_text(encoding="utf-8")
    assert old in words
    file.write_text(words.replace(old, new), encoding="utf-8")


def walk(wired: Any, watermark: str = "") -> tuple[list[Item], str]:
    """A whole walk of contacts: its items, and where the next begins."""
    items: list[Item] = []
    cursor = ""
    while True:
        page = wired.connector.changes("Contact", watermark=watermark, cursor=cursor)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items, page.watermark


def meaning(wired: Any, item: Item) -> dict[str, Any]:
    """What the mapping reads in a record."""
    reading = wired.kinds["Contact"].mapping.read(item.record)
    assert not reading.stopped
    return {path: str(reading.facts[path]) for path in MEANT}


@pytest.mark.parametrize("style", [*CALLS, "id-list-style"])
def test_a_style_that_calls_reads_all_and_then_what_changed(style: str, opened: Any, closed: Closed) -> None:
    for number in range(7):
        closed.keep({**NEW, "Surname": "Llŷr" if number else "Prydderch"})
    wired = opened(style)
    items, watermark = walk(wired)
    assert {item.id for item in items} == set(closed.rows)
    last = next(item for item in items if item.id == "1006")
    assert meaning(wired, last) == MEANT
    closed.now += timedelta(hours=1)
    closed.keep({**NEW, "Team": "Plant"}, "1003")
    again, _ = walk(wired, watermark)
    assert next(item for item in again if item.id == "1003").record["Team"] == "Plant"
    assert closed.refused == 0


@pytest.mark.parametrize("style", CALLS)
def test_a_style_that_calls_writes_once_and_finds_what_it_wrote(style: str, opened: Any, closed: Closed) -> None:
    connector = opened(style).connector
    made = connector.deliver("Contact", NEW, key="our-key-1")
    assert closed.rows[made.id]["OurReference"] == "our-key-1"
    found = connector.find("Contact", "our-key-1")
    assert [item.id for item in found] == [made.id]
    held = connector.fetch("Contact", made.id)
    changed = {**held.record, "Status": "ACC"}
    connector.deliver("Contact", changed, key="our-key-1", id=made.id, version=held.version)
    assert (closed.rows[made.id]["Status"], len(closed.rows)) == ("ACC", 1)
    assert connector.fetch("Contact", "9999") is None
    with pytest.raises(NotThere):
        connector.deliver("Contact", changed, key="our-key-1", id="9999", version=held.version)


def test_soap_is_refused_where_somebody_wrote_in_between(opened: Any, closed: Closed) -> None:
    connector = opened("soap-style").connector
    made = connector.deliver("Contact", NEW, key="our-key-1")
    held = connector.fetch("Contact", made.id)
    closed.keep({**closed.rows[made.id], "Team": "Plant"}, made.id)
    with pytest.raises(Outdated):
        connector.deliver(
            "Contact", {**held.record, "Status": "ACC"}, key="our-key-1", id=made.id, version=held.version
        )
    assert closed.rows[made.id]["Team"] == "Plant"


@pytest.mark.parametrize("style", [*CALLS, "id-list-style"])
def test_a_wrong_secret_is_said_to_be_one(style: str, opened: Any, closed: Closed) -> None:
    wrong = dict.fromkeys(SECRETS, "something else")
    with pytest.raises(Unauthorised) as caught:
        walk(opened(style, **wrong))
    assert "something else" not in str(caught.value)


def test_a_file_each_night_is_read_once_it_is_whole(opened: Any, closed: Closed, tmp_path: Path) -> None:
    rows = [closed.keep(NEW) for _ in range(3)]
    out = io.StringIO()
    names = [name for name in rows[0] if name != "Version"]
    table = csv.writer(out, delimiter="|", lineterminator="\n")
    table.writerow(names)
    table.writerows([row[name] for name in names] for row in rows)
    table.writerow(["TRL", "3"])
    file = tmp_path / "extracts/contacts_20260302.csv"
    file.write_text(out.getvalue(), encoding="utf-8")
    wired = opened("extract-style")
    assert walk(wired)[0] == [], "it is not said to be whole"
    (tmp_path / "extracts/contacts_20260302.csv.done").touch()
    items, _ = walk(wired)
    assert [item.id for item in items] == list(closed.rows)
    assert meaning(wired, items[0]) == MEANT


def test_a_database_for_reports_is_read_and_never_written(
    site: Path, opened: Any, closed: Closed, new_database: Callable[[], str]
) -> None:
    url = make_url(new_database())
    owner = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    kinds = {"Id": "integer", "Changed": "timestamp", "Received": "timestamp", "Born": "date"}
    names = [name for name in (*closed.keep(NEW), "OurReference") if name != "Version"]
    columns = ", ".join(f'"{name}" {kinds.get(name, "text")}' for name in names)
    with owner.connect() as connection:
        connection.execute(text("CREATE SCHEMA reporting"))
        connection.execute(text(f"CREATE TABLE reporting.contacts ({columns})"))
        for row in closed.rows.values():
            marks = ", ".join(f":{name}" for name in names)
            connection.execute(text(f"INSERT INTO reporting.contacts VALUES ({marks})"), {"OurReference": None, **row})
    owner.dispose()
    change(site, "postgresql://reports.example.org/extract", f"postgresql://{url.host}:{url.port}/{url.database}")
    change(site, "username: dolen_reader", f"username: {url.username}")
    wired = opened("sql-style", OUR_COUNCIL_EXTRACT_PASSWORD=url.password or "")
    items, _ = walk(wired)
    assert [item.id for item in items] == ["1000"]
    assert meaning(wired, items[0]) == MEANT
    with pytest.raises(ConnectorError):
        wired.connector.deliver("Contact", NEW, key="our-key-1")
