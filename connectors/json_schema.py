"""A pinned JSON Schema: read once, its references followed inside the file and nowhere else."""

from __future__ import annotations

import json
from typing import Any

from connectors.errors import Misconfigured

_LARGEST = 10_000_000  # bytes


class JsonSchema:
    """One file. `root` is the schema itself."""

    def __init__(self, body: bytes, name: str) -> None:
        """Read the file. Raises Misconfigured, naming it, if it is no JSON Schema."""
        self.name = name
        if len(body) > _LARGEST:
            raise Misconfigured(f"{name} is longer than {_LARGEST} bytes: pin the part that is used")
        try:
            self.root: Any = json.loads(body)
        except (ValueError, RecursionError):
            raise Misconfigured(f"{name} is not JSON that can be read: pin the supplier's file anew") from None
        if not isinstance(self.root, dict):
            raise Misconfigured(f"{name} is no JSON Schema: it should begin with a brace")

    def follow(self, reference: str) -> Any:
        """What a reference names. Raises Misconfigured for one that leaves the file or names nothing."""
        if reference != "#" and not reference.startswith("#/"):
            raise Misconfigured(f"{self.name}: a reference leaves the file; bring all schemas into the one pinned file")
        node: Any = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or key not in node:
                raise Misconfigured(f"{self.name}: {reference} refers to nothing")
            node = node[key]
        return node
