"""A draft of a record from what somebody has in hand: a JSON Schema, or sample records in JSON, XML or CSV.

Samples show what was there and not what may be: nothing is required, nothing is certain, and no value of a sample is
kept, save codes of fields that are called codes. They may be of real people.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from connectors import drafts, xml
from connectors.drafts import Draft, DraftKind, NoDraft, listed
from connectors.flat import Flattener

Schema = dict[str, Any]

_MOST_BYTES = 20_000_000
_MOST_RECORDS = 2000
_CODED = frozenset(
    {"type", "kind", "code", "gender", "sex", "language", "channel", "category", "outcome", "status", "priority"}
)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _/-]{0,19}")
_LAYOUTS = (
    ("YYYY-MM-DD", re.compile(r"\d{4}-\d\d-\d\d")), ("DD/MM/YYYY", re.compile(r"\d\d?/\d\d?/\d{4}")),
    ("DD-MM-YYYY", re.compile(r"\d\d?-\d\d?-\d{4}")), ("DD.MM.YYYY", re.compile(r"\d\d?\.\d\d?\.\d{4}")),
    ("DD-MMM-YYYY", re.compile(r"\d\d?-[A-Za-z]{3}-\d{4}")),
)  # fmt: skip
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?")


def from_schema(system: str, name: str, document: Mapping[str, Any], records: Sequence[str]) -> Draft:
    """Draft the records that a JSON Schema describes. Raises NoDraft."""
    neutral = Flattener(name, lambda reference: _followed(document, reference, name), use="read", names=True)
    parts = {**document.get("$defs", {}), **document.get("definitions", {})}
    if records:
        unknown = [record for record in records if record not in parts and record != document.get("title")]
        if unknown:
            known = [*parts, *([document["title"]] if "title" in document else [])]
            raise NoDraft(f"{name} has no record {listed(unknown)}; it has {listed(known)}")
        found = {record: parts.get(record, document) for record in records}
    else:
        found = {str(document.get("title") or "Record").replace(" ", ""): document}
    kinds = []
    for record, told in found.items():
        schema = neutral.made(told)
        schema = schema.get("items", schema)
        if not schema.get("properties"):
            raise NoDraft(f"{name}: {record} has no properties, so there is nothing to map")
        kinds.append(_kind(record, schema))
    notes = ("a JSON Schema does not say how the system is spoken to: no profile was written",)
    return Draft(system, "", tuple(kinds), files={}, notes=notes)


def from_records(system: str, record: str, samples: Sequence[Any]) -> Draft:
    """Draft a kind of record from records themselves. Raises NoDraft."""
    records = [sample for sample in samples if isinstance(sample, dict) and sample][:_MOST_RECORDS]
    if not records:
        raise NoDraft("the samples hold no record: a JSON object, an XML element with elements inside or a CSV row")
    notes = (
        f"types are those of {len(records)} sample{'s' if len(records) > 1 else ''}: what was not in them is not known",
        "samples do not say how the system is spoken to: no profile was written, and the samples were not copied",
    )
    return Draft(system, "", (_kind(record, shape_of(records)),), files={}, notes=notes, certain=False)


def _followed(document: Mapping[str, Any], reference: str, name: str) -> Any:
    node: Any = document
    if not reference.startswith("#"):
        raise NoDraft(f"{name}: a reference leaves the file; bring all schemas into the one file")
    for step in reference.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or key not in node:
            raise NoDraft(f"{name}: {reference} refers to nothing")
        node = node[key]
    return node


def _kind(name: str, schema: Schema) -> DraftKind:
    id = drafts.the_id(name, schema)[0]
    own = {id, drafts.the_version(schema)[0], drafts.the_stamp(schema)[0]} - {""}
    return DraftKind(name, schema, None, frozenset(own), id)


def records_in(body: bytes, name: str) -> list[Any]:
    """The records of one sample file. Raises NoDraft, with a line but never a value."""
    if len(body) > _MOST_BYTES:
        raise NoDraft(f"{name} is longer than {_MOST_BYTES} bytes; some hundred records are enough")
    if body.lstrip().startswith(b"<"):
        return _xml_records(body, name)
    text = _text(body, name)
    if PurePath(name).suffix.lower() == ".csv":
        return _csv_records(text, name)
    try:
        found = json.loads(text)
    except ValueError as fault:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            line = fault.lineno if isinstance(fault, json.JSONDecodeError) else 0
            raise NoDraft(f"{name}, line {line}: neither XML nor JSON; a CSV file ends in .csv") from None
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
        return lists[0] if len(lists) == 1 and len(found) <= 4 else [found]
    return found if isinstance(found, list) else []


def _text(body: bytes, name: str) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = body.count(b"\n", 0, fault.start) + 1
        raise NoDraft(f"{name}, line {line}: not UTF-8; save it anew as UTF-8") from None


def _xml_records(body: bytes, name: str) -> list[Any]:
    try:
        root = xml.parse(body, max_bytes=_MOST_BYTES)
    except xml.UnreadableXml as problem:
        raise NoDraft(f"{name}: {problem}") from None
    spaces = frozenset(str(space or "") for node in root.iter("*") for space in node.nsmap.values()) | {""}
    children = list(root)
    names = {xml.local(child) for child in children}
    if len(children) > 1 and len(names) == 1 and all(len(child) for child in children):
        return [xml.record_of(child, spaces) for child in children]
    return [xml.record_of(root, spaces)]


def _csv_records(text: str, name: str) -> list[Any]:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4000], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = [row for row in csv.reader(io.StringIO(text), dialect) if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise NoDraft(f"{name} needs a line with the names of its columns and at least one record below it")
    heads = [re.sub(r"[\[\]/=,.@]+", " ", head).strip() for head in rows[0]]
    if len(set(heads)) < len(heads) or not all(heads):
        raise NoDraft(f"{name}, line 1: each column needs a name of its own")
    return [dict(zip(heads, (cell.strip() for cell in row), strict=False)) for row in rows[1:]]


def shape_of(values: Sequence[Any], name: str = "") -> Schema:
    """The schema of what all these values have in common; null among them means that they may be empty."""
    there = [value for value in values if value is not None]
    empty = len(there) < len(values)
    if there and all(isinstance(value, dict) for value in there):
        keys = dict.fromkeys(str(key) for value in there for key in value)
        inner = {key: shape_of([value[key] for value in there if key in value], key) for key in keys}
        made: Schema = {"type": "object", "properties": inner, "required": []}
    elif any(isinstance(value, list) for value in there):
        items = [item for value in there for item in (value if isinstance(value, list) else [value])]
        made = {"type": "array", "items": shape_of(items, name)}
    else:
        made = _leaf(there, name)
    if empty and isinstance(made["type"], str):
        made["type"] = [made["type"], "null"]
    return made


def _leaf(values: Sequence[Any], name: str) -> Schema:
    if values and all(isinstance(value, bool) for value in values):
        return {"type": "boolean"}
    if values and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return {"type": "integer"}
    if not all(isinstance(value, str) for value in values):
        return {"type": "number" if all(isinstance(value, int | float) for value in values) else "string"}
    texts = [value.strip() for value in values if value.strip()]
    if texts and all(_MOMENT.fullmatch(text) for text in texts):
        zones = [_MOMENT.fullmatch(text)["zone"] for text in texts]  # type: ignore[index]  # all of them match
        zone = "required" if all(zones) else "optional" if any(zones) else "none"
        return {"type": "string", "x-lexical": "dateTime", "x-zone": zone}
    for layout, pattern in _LAYOUTS:
        if texts and all(pattern.fullmatch(text) for text in texts):
            return {"type": "string", "x-layout": layout, **({"format": "date"} if layout.startswith("Y") else {})}
    if texts and {text.lower() for text in texts} <= {"true", "false"}:
        return {"type": "string", "x-lexical": "boolean"}
    codes = list(dict.fromkeys(texts))
    coded = _CODED & set(drafts.words(name)) and len(codes) <= 12 and all(_CODE.fullmatch(code) for code in codes)
    return {"type": "string", **({"enum": codes} if coded and codes else {})}
