"""Questions about creating, finding and changing records, and about what a refusal says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.questions.question import Known, Question, Topic, part


def about_writing(known: Known, kind: str, record: Mapping[str, Any]) -> Iterator[Question]:
    """Of one kind of record. Files are only read, so of them nothing is asked here."""
    if known.protocol in ("files", "sql"):
        return
    at = f"records.{kind}"
    yield from _about_creating(kind, record, at)
    yield from _about_changing(kind, record, at)
    if record.get("create") or record.get("update"):
        yield Question(
            Topic.WRITING,
            "How long may each text be, counted in characters or in bytes, and are Welsh letters such as ŵ and ŷ "
            "kept in every field?",
            "A text that is cut, or a name that loses its letters, is wrong data about a person.",
            "Dolen goes by the lengths that the interface states, and leaves out what is longer rather than cut it.",
            "interface",
            kind,
        )
        yield from _about_refusals(kind, record, at)
    if not record.get("lookups"):
        yield Question(
            Topic.WRITING,
            "Which codes may stand in each coded field, who may change them, and can the lists be read over the "
            "interface?",
            "A code that one side does not know stops the record, or leaves its field out.",
            "Dolen learns of a new code from the first record that holds it.",
            f"{at}.lookups",
            kind,
        )


def _about_creating(kind: str, record: Mapping[str, Any], at: str) -> Iterator[Question]:
    create = record.get("create")
    if create is None:
        yield Question(
            Topic.WRITING,
            f"Can a {kind} be created over the interface, and which fields must it have?",
            "Otherwise staff type each referral in a second time.",
            "Dolen only reads from the system; a referral to it goes to a named officer's work page.",
            f"{at}.create",
            kind,
        )
        return
    if not (create.get("our_key") or create.get("key_header") or "{our_key}" in str(create.get("path", ""))):
        yield Question(
            Topic.WRITING,
            f"In which field does the system keep our own reference of a {kind}, and how long may it be?",
            "By our reference a create whose answer was lost is found again instead of being made twice.",
            "After a lost answer Dolen stops and asks an officer whether the record is there.",
            f"{at}.create.our_key",
            kind,
        )
    elif not create.get("keeps_key"):
        yield Question(
            Topic.WRITING,
            f"Is our reference unique: does a second create of a {kind} with the same one answer with the first "
            "record, or get refused?",
            "Then a create can be sent again safely after a time-out.",
            "Dolen looks twice for our reference before it sends again." if record.get("find") else
            "After a lost answer Dolen stops and asks an officer whether the record is there.",
            f"{at}.create.keeps_key",
            kind,
        )  # fmt: skip
    if record.get("find") is None:
        yield Question(
            Topic.WRITING,
            f"Can a {kind} be searched by our reference, and how soon after a create is it found?",
            "It is the only way to know whether a create without an answer was done.",
            "After a lost answer Dolen stops and asks an officer whether the record is there.",
            f"{at}.find",
            kind,
        )
    else:
        yield Question(
            Topic.WRITING,
            f"How soon after a create does a search by our reference find the {kind}?",
            "A search that is asked too early says that nothing is there, and the record would be made twice.",
            "Dolen looks twice, the second time after `settle_seconds`.",
            "settle_seconds",
            kind,
        )


def _about_changing(kind: str, record: Mapping[str, Any], at: str) -> Iterator[Question]:
    update = record.get("update")
    if update is None:
        yield Question(
            Topic.WRITING,
            f"Can a {kind} be changed over the interface, and in which of its statuses?",
            "A corrected telephone number or address must reach the people who use it.",
            "Dolen shows each change to an officer, who types it in.",
            f"{at}.update",
            kind,
        )
        return
    mode = "replaces the whole record" if update.get("mode") == "replace" else "changes only what is sent"
    yield Question(
        Topic.WRITING,
        f"Does an update of a {kind} replace the whole record or change only what is sent, and what happens to lists "
        "and to fields that our user may not see?",
        "A wrong guess wipes what your staff typed.",
        f"Dolen takes it that an update {mode}.",
        f"{at}.update.mode",
        kind,
    )
    if not (part(record, "item", "version") and (update.get("version") or update.get("check"))):
        yield Question(
            Topic.WRITING,
            f"Does a {kind} have a version number or ETag that an update can be checked against?",
            "Without one an update can overwrite what an officer saved a moment before.",
            "Dolen reads the record directly before it writes it, which leaves a gap of less than a second.",
            f"{at}.update.{'check' if 'path' in update else 'version'}",
            kind,
        )
    if record.get("turns") or record.get("adds"):
        yield Question(
            Topic.WRITING,
            "Which operations may be used on a closed record, does reopening one tell staff or restart a target time, "
            "and may the same note be added twice?",
            "Closing, reopening and notes are calls of their own, and each may have effects that nobody meant.",
            "Dolen reopens a closed record to change it and closes it again, and adds a note only if it is not there.",
            f"{at}.turns",
            kind,
        )


def _about_refusals(kind: str, record: Mapping[str, Any], at: str) -> Iterator[Question]:
    if not record.get("errors"):
        yield Question(
            Topic.ERRORS,
            "Which error codes are there, what does each mean, and which of them say for certain that nothing was "
            "done?",
            "What was certainly not done is sent again by itself; anything else must be looked up first.",
            "Dolen goes by the HTTP status or the SOAP fault alone, and takes a server error on a create for unsure.",
            f"{at}.errors",
            kind,
        )
    else:
        yield Question(
            Topic.ERRORS,
            f"Are these all the error codes, and do they mean what we take them for: "
            f"{', '.join(f'{code} ({told})' for code, told in sorted(record['errors'].items()))}?",
            "A refusal that is taken for a failure is sent again in vain; the reverse stops a referral.",
            "An error that is not listed is judged by its HTTP status or its SOAP fault.",
            f"{at}.errors",
            kind,
        )
    if not part(record, "fault", "field"):
        yield Question(
            Topic.ERRORS,
            "Does a refusal name the field that it is about, and where in the answer?",
            "Then the officer who must correct it sees which one it is.",
            "The officer sees the error's code alone.",
            f"{at}.fault.field",
            kind,
        )
