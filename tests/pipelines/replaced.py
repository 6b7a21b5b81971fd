"""A council whose case-management system is being replaced: the new one beside the old one, and cases in the old."""

from __future__ import annotations

from typing import Any

FILE = "config/councils/torfaen.yaml"


def beside(bench: Any) -> None:
    """Write a second case-management system into the council's file, with the same profile, and start again."""
    path = bench.folder / FILE
    for other in path.parent.glob("*.yaml"):
        if other != path:
            other.unlink()  # a council more to build each time would only take longer
    path.write_text(second(path.read_text(encoding="utf-8")), encoding="utf-8")
    bench.restart()


def second(text: str) -> str:
    """The council's file with a second case-management system."""
    begin, end = text.index("  casework:\n"), text.index("  # GOV.UK Notify")
    block = text[begin:end].replace("  casework:\n", "  newcase:\n")
    block = "".join(
        line for line in block.splitlines(keepends=True) if not line.strip().startswith(("owns:", "schedule:"))
    )
    return text[:end] + block + text[end:]


def cases(bench: Any, number: int = 3) -> list[str]:
    """Requests of the contact centre that have arrived in the old system; returns their numbers there."""
    for at in range(number):
        bench.take(bench.request(f"C-{at}", minute=at, customer__nhs_number=None, customer__last_name=f"Ap-{at}"))
    for at, row in enumerate(bench.rows("delivery", connection="casework")):
        bench.arrived(row.lane, f"88{at}", minute=40)
    return [f"88{at}" for at in range(number)]


def routes(bench: Any) -> dict[str, tuple[str, str]]:
    """Where each route leads."""
    return {route.name: (route.source, route.target) for route in bench.council.routes}
