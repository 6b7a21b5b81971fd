"""THE MOVEMENT: intake, ledger, relay, worker, delivery, retry and replay. Knows no supplier by name."""
