"""What is made from the declarations of mappings and profiles: the page of the format, and schemas for editors.

`python -m pipelines.editors docs/reference/mapping-files.md` writes the page; a test compares it with what is there.
The schemas of the other files of a site are `config.schemas`; this room knows mappings and connectors too.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from connectors.registry import profile_model, protocols
from mappings.file import json_schema
from mappings.page import mapping_page

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of mapping and profile files, by the names that a file's first line uses."""
    return {"mapping": {"$schema": _DRAFT, **json_schema()}, "profile": profile_schema()}


def profile_schema() -> dict[str, Any]:
    """Return one schema for profiles of all families: `protocol` decides which keys there are."""
    models = {protocol: profile_model(protocol) for protocol in protocols()}
    found, defs = models_json_schema([(model, "validation") for model in models.values()], by_alias=True)
    return {
        "$schema": _DRAFT,
        "title": "Profile",
        "description": "How one system is spoken to.",
        "type": "object",
        "required": ["system", "protocol"],
        "properties": {
            "system": {"type": "string", "description": "The system's name."},
            "protocol": {"enum": list(protocols()), "description": "Kind of interface."},
        },
        "allOf": [
            {
                "if": {"properties": {"protocol": {"const": protocol}}, "required": ["protocol"]},
                "then": found[model, "validation"],
            }
            for protocol, model in models.items()
        ],
        "$defs": defs["$defs"],
    }


def main(arguments: list[str]) -> int:
    """Write the page to the file that is named. Exit codes: 0 done, 2 wrong use."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m pipelines.editors FILE\n")
        return 2
    path = Path(arguments[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(mapping_page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
