"""The site's settings as they stand in its files, for whoever administers a council: to be read, and changed where
they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.plant import Plant


def files(plant: Plant, councils: Sequence[str]) -> dict[str, Path]:
    """The files of the site and of these councils, each by the name that it is asked for by."""
    config = plant.root / "config"
    named = {"dolen": config / "dolen.yaml"}
    named |= {code: config / "councils" / f"{code}.yaml" for code in councils}
    return {name: path for name, path in named.items() if path.is_file()}


def shown(plant: Plant, path: Path) -> str:
    """Where a file is in the site's folder."""
    return path.relative_to(plant.root).as_posix()


def lines(path: Path, begin: int, most: int) -> tuple[list[tuple[int, str]], int | None]:
    """Lines of a file with their numbers, and where the next ones begin, None at its end."""
    every = path.read_text(encoding="utf-8").splitlines()
    some = [(begin + number, line) for number, line in enumerate(every[begin : begin + most], 1)]
    return some, begin + most if len(every) > begin + most else None
