"""All questions of one connection, and what its files take for true and nobody has confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.questions.question import Known, Question, Topic, part
from connectors.questions.reading import about_reading
from connectors.questions.running import about_running
from connectors.questions.writing import about_writing

__all__ = ["Known", "Question", "Topic", "questions", "taken_for_true"]

#: Protocols with a supplier at the other end. GOV.UK Notify answers in public, and by hand there is nobody to ask.
ASKED = ("soap", "rest", "files", "sql")


def questions(known: Known) -> list[Question]:
    """What to ask, in the order of the topics; the same question is asked once, whatever kinds it is about."""
    if known.protocol not in ASKED:
        return []
    found = [one for kind, record in known.records.items() for one in (*about_reading(known, kind, record),
                                                                      *about_writing(known, kind, record))]  # fmt: skip
    found += about_running(known)
    order = list(Topic)
    once = {one.ask: one for one in reversed(found)}
    kept = [one for one in found if once[one.ask] is one]
    return sorted(kept, key=lambda one: order.index(one.topic))


def taken_for_true(known: Known) -> list[tuple[str, str]]:
    """What the profile says, as sentences for the supplier to confirm: (key in the profile, sentence)."""
    told: list[tuple[str, str]] = []
    if known.protocol not in ASKED:
        return told
    if interface := known.profile.get("interface"):
        told.append(("interface", f"The interface is described by the file {str(interface).rpartition('/')[2]}."))
    if clock := known.profile.get("clock"):
        told.append(("clock", f"Times without an offset are in {clock}."))
    for kind, record in known.records.items():
        told += _of_one(kind, record)
    return told


def _of_one(kind: str, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    at = f"records.{kind}"
    names = {"id": "id", "version": "version", "modified": "moment of last change", "our_key": "reference of ours"}
    for key, words in names.items():
        if path := part(record, "item", key):
            yield f"{at}.item.{key}", f"The {words} of a {kind} stands at {path}."
    verbs = (
        ("changes", "listed by"), ("fetch", "read by"), ("create", "created by"), ("update", "changed by"),
        ("find", "found by our reference with"),
    )  # fmt: skip
    for section, words in verbs:
        how = part(record, section, "operation") or part(record, section, "path") or part(record, section, "names")
        if how:
            method = part(record, section, "method")
            yield f"{at}.{section}", f"A {kind} is {words} {f'{method} ' if method else ''}{how}."
