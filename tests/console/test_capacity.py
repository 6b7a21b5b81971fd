"""`dolen capacity` as people run it: on a new site it says that there is too little, and with figures it adds up."""

from __future__ import annotations

from pipelines.ledger import Ledger
from pipelines.past import fill
from tests.console.conftest import Site


def test_from_too_little_to_a_projection(bare: Site) -> None:
    new = bare.dolen("capacity")
    assert new.returncode == 0
    assert "Nothing can be projected: the ledger holds 0 referrals" in new.stdout
    ledger = Ledger(f"sqlite:///{bare.folder / 'var' / 'ledger.db'}")
    fill(ledger, "torfaen", 150)
    ledger.close()
    told = bare.dolen("capacity", "--a-day", "100", "--disk", "500")
    assert told.returncode == 0, told.stdout
    assert "At 100.0 referrals a day" in told.stdout
    assert "It fits for good: 500.00 GB are free" in told.stdout
    full = bare.json("capacity", "--a-day", "100000", "--disk", "1", code=1)
    assert full["projection"]["full_in_days"] < 365, "full within a year is a finding"
