"""Beginning a site: a folder with commented files that load as they are, and schemas for the editor.

The files are in `config/starter/`, so that they can be read and tested like any site.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.schemas import write_schemas

STARTER = Path(__file__).parent / "starter"

_RENAMED = {"gitignore": ".gitignore"}  # a .gitignore in our own tree would hide files from our own git


class NotEmpty(Exception):
    """The folder holds something already; nothing was written."""


def new_site(folder: Path, schemas: Mapping[str, dict[str, Any]] | None = None) -> list[Path]:
    """Write a starter site into a folder that is empty or not there yet, and return what was written.

    `schemas`: those that other rooms declare, for `write_schemas`.
    Raises NotEmpty, or OSError if the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(f"{folder} is not an empty folder: name a new one; nothing was written")
    written = []
    for source in sorted(path for path in STARTER.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        inside = source.relative_to(STARTER)
        target = folder / inside.with_name(_RENAMED.get(inside.name, inside.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        written.append(target)
    return written + write_schemas(folder, schemas)
