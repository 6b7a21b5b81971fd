"""The neutral form: what a kind of record looks like to its system, whatever language its interface is written in.

Connectors turn WSDL and XSD, OpenAPI, FHIR and JSON Schema into it; pipelines hand it over as plain data, since the two
rooms are strangers. It describes records as the port of the connectors gives and takes them. The vocabulary:

- JSON Schema 2020-12 without `$ref` and `allOf`: `type` (a name or a list with "null"), `properties`, `required`,
  `additionalProperties` (true where anything may stand, false or left out where not), `items`, `minItems`, `maxItems`,
  `enum`, `const`, `minLength`, `maxLength`, `pattern`, `format`, `minimum`, `maximum`, `anyOf` (shapes of which
  one holds).
- `x-lexical`: what the text of an XML leaf must read as, where the record holds text: "date", "dateTime", "time",
  "boolean", "integer", "decimal", "gYear", "gYearMonth", "base64". Then `type` is "string".
- `x-zone`: for a moment: "required", "optional" or "none" (an offset may not stand there).
- `x-one-or-many`: an XML element that may repeat: `type` is "array", and a record read may hold one item bare.
- `x-order`: names of `properties` in the order in which they must be written.
- `x-choices`: [{"min": 0 or 1, "of": [["A"], ["B", "C"]]}]: of these groups of names at most one may be there, and one
  must where `min` is 1. Names of a choice are never in `required`.
- `x-where`: [file, line] in the pinned interface.

Keys of `properties` are spelled as in a record: attributes begin with "@", the own text of an element with attributes
is ".".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mappings.meta import Json

Schema = Mapping[str, Any]
Use = Literal["read", "create", "update"]


@dataclass(frozen=True, slots=True)
class Interface:
    """One kind of record of one system.

    `read`, `create` and `update` are schemas in the neutral form, None where the profile has no such operation.
    `ours`: paths (as a mapping's `theirs`) that the connector itself fills or takes out: id, version, our key, stamps.
    """

    system: str
    kind: str
    file: str  # the pinned file, as findings call it
    read: Schema | None = field(default=None, repr=False)
    create: Schema | None = field(default=None, repr=False)
    update: Schema | None = field(default=None, repr=False)
    ours: frozenset[str] = frozenset()

    def of(self, use: Use) -> Schema | None:
        """The schema of one use."""
        found: Schema | None = getattr(self, use)
        return found


def interface_of(data: Mapping[str, Json]) -> Interface:
    """The interface from what a connector gave as plain data, with the keys of `Interface`."""
    return Interface(**{**data, "ours": frozenset(data.get("ours", ()))})
