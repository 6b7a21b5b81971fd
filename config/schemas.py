"""JSON Schemas of a site's files, for editors: completion, and a mark under a misspelt key while it is being typed.

Made from the same declarations that validate, so the two cannot differ. An editor reads them through the line
`# yaml-language-server: $schema=...` at the top of each file of a new site. `python -m config.schemas SITE` writes them
into a site that has none, or after an update.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from config.council import CouncilSettings
from config.settings import SiteSettings
from config.texts import Text

MODELS: Mapping[str, type[BaseModel]] = {"dolen": SiteSettings, "council": CouncilSettings, "text": Text}
FOLDER = "schemas"


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of "dolen", "council" or "text"."""
    schema = MODELS[name].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_schemas(site: Path) -> list[Path]:
    """Write all schemas into a site's `schemas` folder and return their paths."""
    folder = site / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in MODELS:
        path = folder / f"{name}.schema.json"
        path.write_bytes(orjson.dumps(json_schema(name), option=orjson.OPT_INDENT_2) + b"\n")
        paths.append(path)
    return paths


def main(arguments: list[str]) -> int:
    """Write the schemas into the site that is named. Exit codes: 0 done, 2 wrong use."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m config.schemas SITE (an existing folder)\n")
        return 2
    write_schemas(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
