"""`dolen mapping scaffold`: the files of a new system, begun from what its supplier gives, every guess marked as one.

Nothing is fetched, and no file is ever written over: where one is there already, nothing at all is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.findings import SiteFaults
from connectors.drafting import Draft, draft_of
from connectors.drafts import DraftKind, Read
from mappings import drafting
from mappings.first_pair import first_pair
from mappings.guessed_lines import with_lines
from mappings.guessing import Guess, guess
from mappings.spots import squeezed
from pipelines import composition
from pipelines.library import Library

_NAME = re.compile(r"[a-z][a-z0-9-]*")


class CannotScaffold(RuntimeError):
    """Nothing was written. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Begun:
    """One kind of record: its mapping, and how much of it was guessed."""

    record: str
    mapping: str
    guesses: tuple[Guess, ...] = field(repr=False)

    @property
    def sureness(self) -> dict[str, int]:
        """How many values are in force, sure, commented out and unknown."""
        return drafting.sureness(self.guesses)


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was written into a site."""

    system: str
    written: tuple[str, ...]  # relative to the site
    kinds: tuple[Begun, ...]
    notes: tuple[str, ...]


def scaffold(
    root: Path, system: str, sources: Sequence[Path], *, records: Sequence[str] = (), operations: Sequence[str] = ()
) -> Scaffold:
    """Write profile, pinned interface, mappings, code lists and first golden pairs into a site.

    Raises CannotScaffold, NoDraft or Misconfigured; then nothing was written.
    """
    if not _NAME.fullmatch(system):
        expected = "small letters, digits and hyphens, such as care-notes"
        raise CannotScaffold(f"{system!r} is no name for a system: write {expected}")
    names = [_there(source).name for source in sources]
    draft = draft_of(system, names, _reader(sources), records=records, operations=operations)
    begun = [_begun(system, kind, draft) for kind in draft.kinds]
    for one in begun:
        if not any(found.ours for found in one.guesses):
            raise CannotScaffold(
                f"{names[0]}: not one value of {one.record} looks like anything in a referral: see whether it is the "
                "right file, and name another kind of record with --record"
            )
    files = _files(system, sources[0].name, draft, begun)
    kept = {f"interfaces/{name}" for name in draft.files}  # a pinned file that is there already, the same to the byte
    taken = sorted(n for n, body in files.items() if (root / n).exists() and not (n in kept and _same(root / n, body)))
    if taken:
        raise CannotScaffold(
            f"nothing was written, because there is already {', '.join(taken)}: choose another name; or begin anew, by "
            f"taking away profiles/{system}.yaml, mappings/{system} and codes/{system}-*.csv. Several kinds of record "
            "are begun in one go, with --record for each"
        )
    written = [name for name in files if not (root / name).exists()]
    for name in written:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(files[name])
    pairs, notes = _pairs(root, begun)
    for one in begun:
        if missing := drafting.still_needed(one.guesses):
            notes.append(f"before a record of {one.mapping} can be read, put in force: {', '.join(missing)}")
    return Scaffold(system, (*written, *pairs), tuple(begun), (*draft.notes, *notes))


def _there(source: Path) -> Path:
    if not source.is_file():
        raise CannotScaffold(f"there is no file {source.as_posix()}")
    return source


def _reader(sources: Sequence[Path]) -> Read:
    folders = list(dict.fromkeys(source.resolve().parent for source in sources))

    def read(name: str) -> bytes:
        for folder in folders:
            path = (folder / name).resolve()
            if path.is_relative_to(folder) and path.is_file():
                return path.read_bytes()
        raise LookupError(name)

    return read


def _same(path: Path, body: bytes) -> bool:
    return path.is_file() and path.read_bytes() == body


def _begun(system: str, kind: DraftKind, draft: Draft) -> Begun:
    guesses = with_lines(guess(kind.read, kind.create, system, kind.ours, certain=draft.certain))
    return Begun(kind.name, f"{system}/{squeezed(kind.name)}", tuple(guesses))


def _files(system: str, source: str, draft: Draft, begun: Sequence[Begun]) -> dict[str, bytes]:
    files = {f"interfaces/{name}": body for name, body in draft.files.items()}
    if draft.profile:
        files[f"profiles/{system}.yaml"] = draft.profile.encode()
    for kind, one in zip(draft.kinds, begun, strict=True):
        text = drafting.mapping_text(system, kind.name, source, one.guesses, kind.read)
        files[f"mappings/{one.mapping}.yaml"] = text.encode()
        for name, body in drafting.code_lists(system, one.guesses).items():
            files.setdefault(f"codes/{name}.csv", body.encode())
    return files


def _pairs(root: Path, begun: Sequence[Begun]) -> tuple[list[str], list[str]]:
    """Write the first pair of each mapping, by what the mapping does. What cannot be compiled has none, and says so."""
    written, notes = [], []
    library = Library(composition.load(root).layers)
    for one in begun:
        folder, _, name = one.mapping.partition("/")
        pair = f"mappings/{folder}/golden/{name}.first.json"
        if (root / pair).exists():
            notes.append(f"{pair} was there already and was left as it is")
            continue
        try:
            mapping = library.mapping(one.mapping, "Europe/London")
        except SiteFaults as faults:
            notes.append(f"no golden pair for {one.mapping}: {faults.findings[0]}")
            continue
        (root / pair).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(first_pair(mapping, one.guesses), ensure_ascii=False, indent=2) + "\n"
        (root / pair).write_text(text, encoding="utf-8", newline="\n")
        written.append(pair)
    return written, notes
