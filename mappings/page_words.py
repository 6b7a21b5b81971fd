"""The sentences of the mapping format's page that no declaration holds: paths, emptiness, lists, choices, `extends`."""

BEFORE_KEYS = """# Mapping files

This page is made from the declarations of the format
(`python -m pipelines.editors docs/reference/mapping-files.md`). Do not edit it by hand: a test compares the two.

A mapping file says what the words of one kind of record of one system mean. **The same rows are read in both
directions.** It is YAML 1.2 in UTF-8, without anchors, aliases, tags and duplicate keys; `NO` is a text, and so is
`0123`. It holds values and look-ups, and neither conditions nor expressions, for ever
([why](../decisions/0003-mapping-files-have-no-conditions.md)); what cannot be said is a converter in Python.

```yaml
# mappings/housing/enquiry.yaml
system: housing                 # as the profile names it
record: Enquiry
empty: omit
optional: {Tenant/Address: omit}
choices:
  - [Contact/Telephone, Contact/Email]
fields:
  - {ours: status, theirs: State, as: text, needed: true}
  - {ours: person.name.family, theirs: Tenant/Surname, max_length: 35}
  - {ours: person.date_of_birth, theirs: Tenant/Born, as: date, absent: ["1900-01-01"]}
  - {ours: person.address.postcode, theirs: Tenant/Address/Postcode, as: postcode, lossy: how it was spelled}
  - {ours: "person.telecom[system=phone,use=home].value", theirs: Contact/Telephone, as: phone, lossy: true}
  - {ours: "person.telecom[system=email].value", theirs: Contact/Email}
  - {ours: "appointments[kind=visit].start", theirs: [VisitDay, VisitTime], as: date-and-time, lossy: true}
  - {constant: DOLEN, theirs: EnteredBy}
  - ours: needs
    theirs: Needs/Need
    each:
      - {ours: code, theirs: "@code", key: true}
      - {ours: text, theirs: "."}
```

`dolen check` says what is wrong with a file, with line and remedy; `dolen mapping test` runs the golden pairs beside
it; `dolen mapping show NAME` lists its rows, each with the file and line that it is from. Editors complete and check
while you type, where the first line names the schema:
`# yaml-language-server: $schema=../schemas/mapping.schema.json` (`dolen new` and `dolen schema --site-schemas DIR`
write the schemas; there is one for profiles too).

## Keys
"""

BETWEEN_KEYS = """## Paths

**Theirs** are paths in the system's record. Records from XML and from JSON are walked alike.

| written | means |
|---|---|
| `Subject/Surname` | down through groups; a list of one group counts as the group |
| `Need/@code` | an attribute |
| `.` | an element's own text, beside its attributes; or an item of a list of texts |
| `contacts[type=mobile]/value` | in the one item of a list whose `type` is `mobile`; several keys with commas |
| `Note[@kind=why]` | an item that is picked for its own text |
| `[VisitDay, VisitTime]` | several paths for one field, see [between one and several](#between-one-and-several) |

**Ours** are paths in the referral: names joined by dots, and for a member of a list the fixed keys that pick it,
`person.telecom[system=phone,use=mobile].value`. Inside `each` both are relative to the item.

Two rows may not read into one field, nor write to one path or into each other's group: which of them came last would
decide, unseen. Give one of them a `direction`, or let them be in two members of a choice.

**Extensions** are fields of ours that only some systems know: `extensions.SYSTEM.NAME`, three names. They go both
ways and count as special category. Left without `as`, whatever stands in the system is carried whole, also a group
or a list with all that is in it: `{ours: extensions.housing.tenancy, theirs: Tenancy}`. Empty members inside such a
group are not kept apart from missing ones. What no row names is left as it is in a target, and never carried.

## Not known, empty, and a value

Three different things, always. Reading:

| the record has | our field is |
|---|---|
| no such path, or no group around it | not known; empty with `missing: empty`, x with `default: {read: x}` |
| nothing (JSON `null`, XML `xsi:nil`), an empty text, an empty list; or a group around it that is so | empty |
| a value that stands in `absent` | empty |
| a list, but no item in it that the filter picks | empty |
| another member of the same choice | empty |
| a value | that value |

Writing:

| our field is | the target's record gets |
|---|---|
| not known | nothing: what the target holds stays |
| not known, in a new record | nothing; x with `default: {write: x}`, as if empty with `default: {write: null}` |
| empty | what the row's `empty` says; else the first value of `absent`; else what the file's `empty` says |
| a value | that value; one that cannot be written leaves the target's as it is, and is told as a gap |

`empty` is one of: `omit` (the key is left out), `null` (JSON `null`; XML `xsi:nil="true"` where the interface calls
the element nillable, left out where it is optional, refused where it is neither), `text` (an empty one), `list` (an
empty one), `default` (what `default: {write: x}` says). A list field is written as an empty list unless it is
`omit`. A group in which nothing is left goes as a whole where `optional` names it, and so does one without the value
that `lead`s it. With `needed: true` not known and empty stop the record in both directions, save where the target of
an update holds a value already.

## Lists

`each` maps lists of objects. A list is one value: it is read and written whole, what an item does not say is empty,
and an item that cannot be read or written leaves the whole field out (half a list would wipe the other half). With
`key: true` on one row an item is laid over the target's item of that key, so that what is not mapped in it stays.
With `where` only items with these fixed values count; the others stay, and new ones get them.

## Choices

`choices` declares of which paths the interface takes one. No condition is needed: which member is there follows from
which value is known. Reading one member says that the others are empty. Writing one makes the others go, also those
that no row maps. Where values for two are known, the one that is declared first is written, and the fields of the
other are gaps. A member may be a group, a list, or several elements together
(`[Contact/Phone, [Contact/Street, Contact/Town]]`). In a choice nothing is `needed`, defaulted or constant. Beside
`each`, `choices` names keys of the items.

## `extends`

```yaml
extends: casework/referral
fields:
  - {ours: priority, codes: our-priority}          # other codes; all other keys stay
  - {ours: reason.text, max_length: null}          # a key is taken away
  - {ours: person.ethnicity, drop: true}           # a row is taken out
  - {ours: extensions.our.ward, theirs: Ward}      # a row is added
```

A row is found by its `ours` (a constant by its `theirs`), and by its `direction` where there are two. `system`,
`record`, `empty`, `optional` and `choices` stay as the shared file has them. A file may extend one that extends
another, eight deep at most. Every row and every key remembers its file and line: `dolen mapping show NAME --json`
lists them.

## Fields of the referral

What may stand under `ours`. `[]` is a list, of which a row picks one member by its keys:
`person.telecom[system=phone,use=home].value`. Some are the ledger's own, such as `referral_id`. Every record needs
`type`, `status` and a name. `dolen schema` prints the same for a script, with Welsh and English labels.
"""

BEFORE_CONVERTERS = """## Converters

A converter is a pair: how a value is read and how it is written, with a law about what comes back. Left out, the
field's own type decides: a text is `text`, a list of texts `list`, and so on. Every converter takes `absent` as the
row's key. Where something is lost on the way there and back, the row says so with `lossy`; the words are yours and
appear in the loss report.
"""

SEVERAL = """### Between one and several

Several of theirs that are one field of ours (`theirs` is a list of paths), or one of theirs that is several fields
of ours (`ours` is). Where the law loses something, a row that goes both ways must be declared `lossy`, or the file
is refused. Fields stay single: facts, owners and gaps name each by its own path. An update that knows one half keeps
the other half that the target holds; where that cannot be told apart, the row is left out and said so, and half a
value is never written. `codes`, `each` and `max_items` do not go with such a row; `absent` and `max_length` go where
there is one path of theirs.
"""

AFTER_CONVERTERS = """## A converter of your own, in Python

What none of these says can be written by the site: `converters/NAME.py` with a table `CONVERTERS`. A row then names
it with `as`.

```python
from mappings.converters.port import Converter, Declared, Example, Request, WrongType
from mappings.meta import Kind


def ward(request: Request) -> Converter:
    \"\"\"A ward as W and its number; ours is the number.\"\"\"

    def read(value):
        if not isinstance(value, str) or not value.startswith("W"):
            raise WrongType("a ward, as W12")
        return value[1:]

    def write(value):
        return "W" + value

    return Converter(request.name, read, write, "nothing changes", (Kind.TEXT, Kind.ANY), ("string",), exact=True)


CONVERTERS = {"ward": Declared(ward, {}, (Example("W12", "12"),))}
```

`Declared` holds the factory, the options that it takes (name: meaning), and examples (theirs, ours) of invented
people. `read` and `write` get values that are there (never nothing at all) and raise `WrongType`, whose words never
hold the value; whatever else they raise counts as that. `dolen check` imports each module and tries each converter
on its examples: `read(theirs)` must give `ours`, and `read(write(ours))` too; an `exact` one must also write
`theirs` again. What is wrong is one finding with file and line. A module is read by itself: it imports Python's own
library and Dolen, and no other module of the site. Its text is part of what a version was mapped with and is kept
with it.

**What this means for security.** It is code, and it runs with all that Dolen may do: it could read every record and
every key. So let only those write to `converters/` who may also install software on that machine, let two people
look at each change, and keep the folder read-only for the account that Dolen runs under. Only files that end in
`.py` and lie in the site's own folder are loaded, never one that a link leads out to, and nothing outside
`converters/` is ever run. A converter must not speak to the network or the disk: it is called for each record, in
several threads at once.
"""
