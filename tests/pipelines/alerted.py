"""A bench whose alerts go to a real mailbox and a real web address. Test files load this as a plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import alert_post, alerting, watchman
from pipelines.alert_looks import Amiss
from pipelines.alerting import News
from pipelines.decision import Decision, Do
from pipelines.sending import Result
from tests.pipelines.pieces import ENVIRONMENT, Bench
from tests.rig.receivers import SECRET, Ear, Mailbox

#: What happens in the movement. The bench's clock stands in another season than the machine's.
MOVED = {Amiss.ATTENTION, Amiss.LATE, Amiss.LAG, Amiss.PAUSED, Amiss.BACKLOG, Amiss.NOT_PICKED_UP}


class Alerted:
    """A bench, its receivers, and short words for looking and failing."""

    def __init__(self, bench: Bench, mailbox: Mailbox, ear: Ear) -> None:
        self.bench = bench
        self.mailbox = mailbox
        self.ear = ear

    @property
    def rules(self) -> Any:
        return self.bench.plant.alerts

    def look(self, seconds: float = 0, kinds: Any = MOVED, owner: str = "one") -> News:
        """Let time pass, look once, and tell."""
        self.bench.clock.pass_by(seconds)
        return watchman.watch(self.bench.plant, self.rules, owner=owner, kinds=kinds)

    def fail(self, *ids: str, **changes: Any) -> list[str]:
        """So many deliveries that casework refused. Returns their ids."""
        made = []
        for id in ids:
            self.bench.take(self.bench.request(id, **changes))
            lane = next(row.lane for row in reversed(self.bench.rows("delivery")) if row.connection == "casework")
            job = self.bench.job(lane)
            words = "the date is missing"
            assert self.bench.write(Result(job, error="Rejected", words=words, decision=Decision(Do.ATTENTION)))
            made.append(f"d{job.row.id}")
        return made

    def untold(self) -> list[str]:
        """The ways that could not be reached."""
        return [row.way for row in alerting.untold(self.bench.plant)]

    def tell(self, owner: str) -> int:
        """Tell what is due, as another process."""
        return alert_post.tell(self.bench.plant, self.rules, owner)

    def amiss(self) -> list[Any]:
        """What is amiss now."""
        return alerting.open_alerts(self.bench.plant)


SETTINGS = """alerts:
  mail: {{host: localhost, port: {port}, from: dolen@example.org, ca_bundle: "{ca}"}}
  to: [integration@example.org]
  webhooks: [{{url: "{url}/all", secret: env:ALERT_SECRET}}]
  duty: {{name: Duty team, phone: "01632 960199", email: duty@example.org}}
  console: https://dolen.example.org
  language: {language}
  when: {{attention: 2, attention_after: PT4H, disk_megabytes: 1, clock: P9000D}}
{more}"""


@pytest.fixture
def alerted_with(site_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Alerted]]:
    """Make one with more lines under `alerts` of dolen.yaml; only Torfaen is on the site."""
    ENVIRONMENT["ALERT_SECRET"] = SECRET
    made: list[Alerted] = []

    def build(*more: str, language: str = "en", council: str = "") -> Alerted:
        mailbox, ear = Mailbox(tmp_path), Ear()
        mailbox.serve()
        file = site_folder / "config" / "dolen.yaml"
        kept = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("alerts:")]
        text = SETTINGS.format(
            port=mailbox.port, ca=mailbox.ca.as_posix(), url=ear.url, language=language,
            more="".join(f"  {line.format(url=ear.url)}\n" for line in more),
        )  # fmt: skip
        file.write_text("\n".join(kept) + "\n" + text, encoding="utf-8")
        if council:
            own = site_folder / "config" / "councils" / "torfaen.yaml"
            own.write_text(own.read_text(encoding="utf-8") + council.format(url=ear.url), encoding="utf-8")
        for code in ("neath-port-talbot", "blaenau-gwent"):
            (site_folder / "config" / "councils" / f"{code}.yaml").unlink()
        made.append(Alerted(Bench(site_folder), mailbox, ear))
        return made[-1]

    yield build
    for one in made:
        one.bench.end()
        one.mailbox.close()
        one.ear.close()
    ENVIRONMENT.pop("ALERT_SECRET")


@pytest.fixture
def alerted(alerted_with: Callable[..., Alerted]) -> Alerted:
    """One with the settings as they are."""
    return alerted_with()
