"""Questions about how changes are learned, and about a record's id, stamp, version and deletion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.questions.question import Known, Question, Topic, in_words, part


def about_reading(known: Known, kind: str, record: Mapping[str, Any]) -> Iterator[Question]:
    """Of one kind of record."""
    at = f"records.{kind}"
    changes = record.get("changes")
    if changes is None:
        yield Question(
            Topic.CHANGES,
            f"How can another system learn which {kind} records are new or have changed since a moment?",
            "Without a list of changes, what your staff do in the system never reaches the people who wait for it.",
            "Dolen writes to the system and reads nothing from it but what it looks up.",
            f"{at}.changes",
            kind,
        )
    elif known.protocol == "sql":
        yield from _about_a_table(kind, changes, at)
    else:
        yield from _about_the_feed(kind, changes, at)
    yield from _about_the_record(known, kind, record, at)


def _about_the_feed(kind: str, changes: Mapping[str, Any], at: str) -> Iterator[Question]:
    feed = changes.get("feed")
    if feed == "file-drop":
        yield from _about_files(kind, changes, at)
        return
    overlap = in_words(changes.get("overlap") or "PT5M")
    yield Question(
        Topic.CHANGES,
        f"Can a change to a {kind} become visible later than its stamp says (long transactions, replicas, caches), "
        "and by how much at most?",
        "A change that appears behind the place that we have read up to would never be read.",
        f"Dolen reads the last {overlap} again on each walk; a change that appears later than that is found by the "
        "nightly comparison only.",
        f"{at}.changes.overlap",
        kind,
    )
    yield Question(
        Topic.CHANGES,
        f"Which changes put a {kind} on the list: also those made by workflows, imports and merges, in records below "
        "it, and by our own user?",
        "What is not on the list is not carried.",
        "Dolen takes the list to be complete, and knows its own changes again by their content.",
        "",
        kind,
    )
    if feed == "modified-between":
        yield Question(
            Topic.CHANGES,
            f"How many {kind} records does one search give at most, and what comes when there are more: an error, or "
            "the first of them without a word?",
            "A search that is cut off silently loses records, and nobody sees it.",
            f"Dolen asks for {in_words(changes.get('window') or 'P7D')} at a time and cannot notice an answer that was "
            "cut off.",
            f"{at}.changes.window",
            kind,
        )
    else:
        size = part(changes, "page", "of")
        yield Question(
            Topic.CHANGES,
            f"How many {kind} records may a page hold at most, and does a page keep its place while records change "
            "between two pages?",
            "Too large a page is refused or times out; a record that moves between pages can be missed.",
            f"Dolen asks for {size} records a page, and reads again what it read last." if size else
            "Dolen takes the whole list to come in one answer.",
            f"{at}.changes.page.of",
            kind,
        )  # fmt: skip
    if feed == "newest-first":
        yield Question(
            Topic.CHANGES,
            "Does the list stay sorted by the most recent change, whoever edits the saved filter or view behind it, "
            "and is every record on it?",
            "A walk ends at the first page on which nothing is new; a list that is sorted otherwise hides changes.",
            "Dolen refuses a page that is not sorted so; a record that the filter leaves out is never seen.",
            f"{at}.changes.path",
            kind,
        )
    if part(changes, "send"):
        yield Question(
            Topic.CHANGES,
            "Which user must be named in a search so that every record of the council is found, restricted ones too?",
            "What the user may not see is not carried, and looks as if it were not there.",
            f"Dolen sends what the profile says: {', '.join(sorted(part(changes, 'send')))}.",
            f"{at}.changes.send",
            kind,
        )


def _about_a_table(kind: str, changes: Mapping[str, Any], at: str) -> Iterator[Question]:
    if changes.get("feed") == "modified-since":
        yield Question(
            Topic.CHANGES,
            f"Can a row of a {kind} become visible later than its stamp says (long transactions, a copy that is made "
            "later), and by how much at most?",
            "A row that appears behind the place that we have read up to would never be read.",
            f"Dolen reads the last {in_words(changes.get('overlap') or 'PT5M')} again each time; a row that appears "
            "later than that is found by the nightly comparison only.",
            f"{at}.changes.overlap",
            kind,
        )
        yield Question(
            Topic.CHANGES,
            f"Does every change of a {kind} move its stamp: also a change in a table beside it, an import, a merge?",
            "What moves no stamp is not carried.",
            "Dolen takes the stamp to be complete; the nightly comparison of whole records finds the rest.",
            f"{at}.item.modified",
            kind,
        )
    yield Question(
        Topic.CHANGES,
        "Is this the system's own database, a replica or a copy, how often is a copy made, and may it be half filled "
        "when it is read?",
        "A copy that is being filled lacks people who are there.",
        "Dolen reads what it finds; a row that is missing is never taken for a deletion.",
        f"{at}.table",
        kind,
    )
    yield Question(
        Topic.CHANGES,
        "Will tables, views and columns keep their names and types after an upgrade, and does our login see nothing "
        "but what is meant for us?",
        "A column that is renamed overnight stops every referral in the morning.",
        "Dolen asks for the declared columns by name and says which of them is not there.",
        f"{at}.columns",
        kind,
    )


def _about_files(kind: str, changes: Mapping[str, Any], at: str) -> Iterator[Question]:
    if not changes.get("ready"):
        yield Question(
            Topic.CHANGES,
            "How is a file known to be whole: is it renamed when it is finished, or does a second file say so?",
            "A file that is read while it is still being written loses its end.",
            f"Dolen waits until a file has rested for {changes.get('quiet_seconds', 60)} seconds.",
            f"{at}.changes.ready",
            kind,
        )
    if not changes.get("control"):
        yield Question(
            Topic.CHANGES,
            "Does each file say how many records it holds, in a last line or in a file beside it?",
            "A file that was cut off between two lines looks like a whole one.",
            "Dolen takes a file for whole that can be read to its end.",
            f"{at}.changes.control",
            kind,
        )
    yield Question(
        Topic.CHANGES,
        "At what times are files written, do they hold everything or only what changed, and is a faulty file "
        "delivered again under the same name?",
        "A late, partial or second file must be told apart from the ordinary one.",
        "Dolen reads whatever new file it finds, in the order of its name, and knows a repeated record by its content.",
        f"{at}.changes.names",
        kind,
    )
    yield Question(
        Topic.CHANGES,
        "In which encoding are the files, and are Welsh letters such as ŵ and ŷ kept in every field?",
        "Names that lose their letters are wrong names, and match nobody.",
        f"Dolen reads {changes.get('encoding', 'utf-8')} and stops at a sign that is none.",
        f"{at}.changes.encoding",
        kind,
    )


def _about_the_record(known: Known, kind: str, record: Mapping[str, Any], at: str) -> Iterator[Question]:
    if not part(record, "item", "modified"):
        yield Question(
            Topic.RECORDS,
            f"Does a {kind} carry the moment of its last change, and does every change move it?",
            "By that stamp an older version is kept from overwriting a newer one.",
            "Dolen goes by the order in which it was shown the records.",
            f"{at}.item.modified",
            kind,
        )
    if known.profile.get("clock") not in ("UTC", "Etc/UTC"):
        yield Question(
            Topic.RECORDS,
            "In which time zone are times without an offset, and what do they show in the hour that comes twice when "
            "clocks go back?",
            "An hour's mistake puts a change behind the place that was read up to, and dates letters wrongly.",
            f"Dolen takes them for {known.profile.get('clock', 'times of the council')}, and reads that hour again.",
            "clock",
        )
    if not part(record, "item", "deleted"):
        yield Question(
            Topic.RECORDS,
            f"How does another system learn that a {kind} was deleted, merged into another, or hidden?",
            "A person's record that is gone must not go on being written to, or texted about.",
            "Dolen sees it only when it next writes to the record, or by the nightly comparison.",
            f"{at}.item.deleted",
            kind,
        )
    yield Question(
        Topic.RECORDS,
        f"Does the id of a {kind} ever change or come again: after a merge, a restore, an upgrade or a move?",
        "Dolen knows a record by this number for as long as it is open.",
        "A record whose number changed is taken for a new one.",
        f"{at}.item.id",
        kind,
    )
