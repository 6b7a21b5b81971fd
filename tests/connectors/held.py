"""Holds each call and each answer of a pretend system to a contract: what we send, and what it answers.

A contract is an OpenAPI file in which a body's schema stands as `body` and an answer's as `schema` (and `headers`),
since everything is JSON. What is not in it is wrong: a call, a parameter in the address, a status. `wrong` says what
was, in paths and names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

CONTRACTS = Path(__file__).parent / "contracts"


class Held:
    """What was seen of one system, and what of it is not as its contract says."""

    def __init__(self, name: str, schemas: Mapping[str, Any] | None = None) -> None:
        """`schemas`: those of the records, which the contract refers to and does not hold."""
        self.contract = YAML(typ="safe", pure=True).load((CONTRACTS / f"{name}.yaml").read_text(encoding="utf-8"))
        self.contract["components"]["schemas"].update(schemas or {})
        self.wrong: list[str] = []
        self.seen: set[tuple[str, str]] = set()
        self._paths = sorted(
            ((re.compile(_pattern(path)), path) for path in self.contract["paths"]), key=lambda one: one[1].count("{")
        )

    @property
    def calls(self) -> set[tuple[str, str]]:
        """Every call of the contract: method and path."""
        return {(method.upper(), path) for path, told in self.contract["paths"].items() for method in told}

    def judge(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes,
        answer: tuple[int, Mapping[str, str], bytes],
    ) -> None:  # fmt: skip
        """Look at one call and its answer. The names of `headers` are in lower case."""
        known = next((name for pattern, name in self._paths if pattern.fullmatch(unquote(path))), "")
        told = self.contract["paths"].get(known, {}).get(method.lower())
        if told is None:
            if answer[0] != 404:  # else both say so
                self.wrong.append(f"{method} {path}: the contract has no such call")
            return
        self.seen.add((method, known))
        here = f"{method} {known}"
        if answer[0] < 400:  # what was refused may have been wrong on purpose
            self.wrong += [f"{here}: {words}" for words in self._asked(told, query, headers, body)]
        self.wrong += [f"{here}: {words}" for words in self._answered(told, *answer)]

    def _asked(self, told: Any, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        parameters = told.get("parameters", ())
        for parameter in parameters:
            name, place = parameter["name"], parameter["in"]
            value = headers.get(name.lower()) if place == "header" else query.get(name)
            if value is None:
                if parameter.get("required"):
                    yield f"{name} is missing in the {place}"
                continue
            yield from self._against(parameter.get("schema", {}), value, f"{name} in the {place}")
        yield from (f"{name} in the query is not known" for name in set(query) - {one["name"] for one in parameters})
        if "body" in told:
            yield from self._against(told["body"], json.loads(body), "what is sent")

    def _answered(self, told: Any, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        answer = told["responses"].get(str(status))
        if answer is None:
            yield f"the contract has no answer {status}"
            return
        shown = {name.lower(): value for name, value in headers.items()}
        for name, schema in answer.get("headers", {}).items():
            if name.lower() not in shown:
                yield f"{status} without the header {name}"
                continue
            yield from self._against(schema, shown[name.lower()], f"{status}, header {name}")
        if "schema" in answer:
            yield from self._against(answer["schema"], json.loads(body), str(status))

    def _against(self, schema: Any, value: Any, where: str) -> Iterator[str]:
        whole = {**schema, "components": self.contract["components"]}
        validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for error in validator.iter_errors(value):
            yield f"{where} at {error.json_path}: {error.validator} {json.dumps(error.validator_value)[:200]}"


def _pattern(path: str) -> str:
    parts = re.split(r"(\{[^}]*\})", path)
    return "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts) + "/?"
