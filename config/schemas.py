"""JSON Schemas of a site's files, for editors: completion, and a mark under a misspelt key while it is being typed.

Made from the same declarations that validate, so the two cannot differ. An editor reads them through the line
`# yaml-language-server: $schema=...` at the top of each file of a new site. `dolen schema --site-schemas SITE` writes
them into a site that has none, or after an update, together with those of mappings and profiles.
"""

from __future__ import annotations

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


def write_schemas(site: Path, more: Mapping[str, dict[str, Any]] | None = None) -> list[Path]:
    """Write all schemas into a site's `schemas` folder and return their paths.

    `more`: those of files that other rooms declare (mappings, profiles), by name.
    """
    folder = site / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, schema in {**{name: json_schema(name) for name in MODELS}, **(more or {})}.items():
        path = folder / f"{name}.schema.json"
        path.write_bytes(orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n")
        paths.append(path)
    return paths
