"""The recovery drill: yesterday's copy is put back, the systems went on meanwhile, and nothing is sent twice.

Against the pretend systems over real SOAP and REST, with the ledger in a file and on PostgreSQL.
"""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.port import Tier
from pipelines import backups, composition, dumps, holding, processes, restored
from pipelines.backups import NOTE
from pipelines.dumps import CannotCopy
from pipelines.restored import Restoring
from tests.console.conftest import REQUEST
from tests.found import databases, found_postgresql

#: These tests choose their databases themselves.
pytestmark = pytest.mark.embedded

EMBEDDED = 'ledger: {url: "sqlite:///ledger.db"}'


both = pytest.mark.parametrize("drill", ["sqlite", "postgresql"], indirect=True)


class Drill:
    """A town whose ledger is copied, lost and put back."""

    def __init__(self, town: Any, folder: Path, fresh: Callable[[], str] | None) -> None:
        self.town, self.folder, self._fresh = town, folder, fresh
        self.settings = town.site / "config" / "dolen.yaml"
        self.text = self.settings.read_text(encoding="utf-8")
        if fresh is not None:
            assert EMBEDDED in self.text
            self.text = self.text.replace(EMBEDDED, 'ledger: {url: "file:../ledger-url"}')
            self.settings.write_text(self.text, encoding="utf-8")
            self.lose()

    @property
    def site(self) -> Any:
        return composition.load(self.town.site)

    def lose(self) -> None:
        """The database is gone, and an empty place is made for another."""
        self.town.plant.close()
        if self._fresh is None:
            for file in (self.town.site / "var").glob("ledger.db*"):
                file.unlink()
        else:
            (self.town.site.parent / "ledger-url").write_text(self._fresh(), encoding="utf-8")
            (self.town.site.parent / "ledger-url").chmod(0o600)

    def build(self) -> None:
        self.town.plant = composition.build(self.site, clock=self.town.clock)

    def copy(self, name: str = "copy") -> Path:
        backups.backup(self.town.plant, self.site, self.folder / name, self.folder / f"{name}-keys")
        return self.folder / name

    def put_back(self, folder: Path, keys: Path | None = None) -> Any:
        done = backups.put_back(self.site, folder, keys, who="ann", why="the disk broke")
        self.build()
        return done

    def go_on(self, turns: int = 14) -> None:
        """Read, let go of what may, deliver, and let time pass."""
        chore = Restoring(self.town.plant)
        for _ in range(turns):
            self.town.read("torfaen")
            chore._looked = 0
            chore(None)  # type: ignore[arg-type]
            self.town.deliver()
            self.town.push(30)

    def cases(self) -> list[str]:
        return sorted(one["ReferralId"] for one in self.town.records("torfaen", "casework"))

    def texts(self) -> int:
        return len(self.town.records("torfaen", "notify"))

    def rows(self, state: str) -> list[Any]:
        from sqlalchemy import select

        from pipelines.tables import delivery

        with self.town.plant.ledger.reading() as connection:
            return list(connection.execute(select(delivery).where(delivery.c.state == state)).all())


@pytest.fixture
def drill(request: pytest.FixtureRequest, town: Any, tmp_path: Path) -> Any:
    """One with its ledger in a file, or on PostgreSQL where a test asks for both."""
    for other in ("blaenau-gwent", "neath-port-talbot"):
        (town.site / "config" / "councils" / f"{other}.yaml").unlink()
    if getattr(request, "param", "sqlite") == "sqlite":
        made = Drill(town, tmp_path, None)
        made.town.plant.close()
        made.build()
        yield made
        return
    with databases(found_postgresql()) as fresh:
        made = Drill(town, tmp_path, fresh)
        made.build()
        yield made
        made.town.plant.close()


@both
def test_yesterdays_copy_is_put_back_and_nothing_is_sent_twice(drill: Drill) -> None:
    town = drill.town
    now = datetime.now(UTC)
    town.push(((36 - now.hour) % 24) * 3600)  # by day: nobody is texted at night
    wants = {
        "updates": {"opted_in": True, "asked_at": "2026-01-10T11:31:00Z"}, "customer": REQUEST["customer"],
        "language": {"letters": "cy", "speech": "cy", "interpreter": False},
    }  # fmt: skip
    for _ in range(2):
        town.ask(**wants)
    town.rest()
    town.ask(**wants)
    town.read()  # one waits as the copy is made ...
    copied = drill.copy()
    town.rest()  # ... and goes after that
    for _ in range(2):  # and two more are known to the lost ledger alone
        town.ask(**wants)
    town.rest()
    before = drill.cases()
    assert len(before) == 5
    for case in (before[0], before[-1]):  # one of whom was told what came of it
        town.change("torfaen", "casework", case, Status="ACC")
    town.rest()
    texts = drill.texts()
    assert texts
    drill.lose()
    done = drill.put_back(copied)
    assert done.doubtful >= 1
    assert town.deliver() == 0  # nothing goes before the sources have been read again
    drill.go_on()
    assert drill.cases() == before
    assert drill.texts() == texts
    with town.plant.ledger.reading() as connection:
        assert holding.held_since(connection) == {}
    # What nobody could tell waits for a person, and everything else is where it was.
    assert drill.rows("waiting") == []
    assert all(row.cause_id for row in drill.rows("not sure"))
    town.ask()  # and what is new goes as ever
    drill.go_on(4)
    assert len(drill.cases()) == 6


def test_what_cannot_be_told_to_be_there_waits_for_a_person(drill: Drill) -> None:
    """Tier C: the target keeps no key, cannot be searched, and shows no number of ours."""
    town = drill.town
    profile = (Path(__file__).parents[2] / "connectors/profiles/casework.yaml").read_text(encoding="utf-8")
    (town.site / "profiles").mkdir()
    bare = "".join(line for line in profile.splitlines(True) if not line.startswith("    find:"))
    (town.site / "profiles" / "casework.yaml").write_text(bare, encoding="utf-8")
    council = town.site / "config" / "councils" / "torfaen.yaml"
    text = council.read_text(encoding="utf-8")
    matched = 'Referral: {mapping: casework/referral, match: ["source_identifiers[system=contact].value"]}'
    assert matched in text
    council.write_text(text.replace(matched, "Referral: {mapping: casework/referral}"), encoding="utf-8")
    town.plant.close()
    drill.build()
    assert town.plant.councils["torfaen"].wired["casework"].connector.tier("Referral") is Tier.NEITHER
    town.ask()
    town.read()
    copied = drill.copy()
    town.rest()
    town.ask()
    town.rest()
    before = drill.cases()
    assert len(before) == 2
    drill.lose()
    drill.put_back(copied)
    drill.go_on()
    assert drill.cases() == before
    waits = [row for row in drill.rows("not sure") if row.connection == "casework"]
    assert waits
    assert all(row.due is None and row.cause_id for row in waits)


@both
def test_what_is_refused_is_refused_before_anything_is_touched(drill: Drill, tmp_path: Path) -> None:
    town = drill.town
    town.ask()
    town.rest()
    copied = drill.copy()
    with pytest.raises(CannotCopy, match="holds a backup already"):
        drill.copy()
    with pytest.raises(CannotCopy, match="to another folder"):
        backups.backup(town.plant, drill.site, tmp_path / "one", tmp_path / "one" / "keys")
    with pytest.raises(CannotCopy, match="there is a ledger already"):
        drill.put_back(copied)
    drill.lose()
    damaged = Path(shutil.copytree(copied, tmp_path / "damaged"))
    file = damaged / json.loads((damaged / NOTE).read_text(encoding="utf-8"))["file"]
    file.write_bytes(file.read_bytes()[:-7] + b"changed")
    newer = Path(shutil.copytree(copied, tmp_path / "newer"))
    note = json.loads((newer / NOTE).read_text(encoding="utf-8"))
    (newer / NOTE).write_text(json.dumps({**note, "tables": "9999"}), encoding="utf-8")
    for folder, words in (
        (damaged, "it is damaged"), (newer, "made by a newer Dolen"), (tmp_path / "none", "holds no whole backup"),
        (tmp_path / "copy-keys", "is a backup of the keys"),
    ):  # fmt: skip
        with pytest.raises(CannotCopy, match=words):
            drill.put_back(folder)
    shutil.move(town.site / "var" / "keys" / "keys.db", tmp_path / "lost.db")
    for end in ("-wal", "-shm"):
        (town.site / "var" / "keys" / f"keys.db{end}").unlink(missing_ok=True)
    with pytest.raises(CannotCopy, match="name the folder of its backup with --keys"):
        drill.put_back(copied)
    assert drill.put_back(copied, tmp_path / "copy-keys").referrals == 1  # and everything can be read again
    drill.go_on(6)
    assert len(drill.cases()) == 1


def test_a_person_may_let_a_council_go_on(drill: Drill) -> None:
    town = drill.town
    town.ask()
    town.rest()
    copied = drill.copy()
    drill.lose()
    drill.put_back(copied)
    assert restored.unread(town.plant, town.plant.councils["torfaen"], town.clock.now())
    assert restored.go_on(town.plant, "torfaen", who="ann", why="contact is down") == 0
    town.ask()
    town.rest()
    assert len(drill.cases()) == 2
    assert processes.program()
    assert dumps.is_empty(drill.site.ledger_url()) is False
