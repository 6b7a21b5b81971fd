"""Whether a service's templates say what the council's texts files say: the words that people get are the service's.

Looked at by `dolen doctor`, in both languages and for those who get both, with file, line and key of what differs.
White space makes no difference; nothing else is forgiven, for a word without its accent is another word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path

from config.documents import Document, read_yaml
from config.findings import SiteFaults
from connectors.errors import ConnectorError, Misconfigured
from connectors.port import Finding
from connectors.templates import HoldsTemplates, Template
from pipelines.plant import Council, Plant, Wired
from pipelines.texts import TextRules, languages, placeholders

SUBJECT = "templates"
#: So many words around what differs are shown.
_AROUND, _MOST = 3, 12


def compared(plant: Plant, wired: Wired) -> Iterator[Finding]:
    """Hold what the service says against each texts file that is sent through this connection."""
    council = plant.councils[wired.council]
    names = _sent_through(council, wired.name)
    if not names or not isinstance(wired.connector, HoldsTemplates):
        return
    try:
        held = wired.connector.templates()
    except ConnectorError as fault:
        yield Finding(SUBJECT, False, f"they cannot be read: {fault.reason}", "run `dolen doctor` again later")
        return
    for name in names:
        yield from _file(plant.root, council.texts[name], held)


def _sent_through(council: Council, connection: str) -> tuple[str, ...]:
    named = [
        name for route in council.routes if route.text and route.target == connection
        for name in (route.text, *(one for row in route.recipients for one in row.texts))
    ]  # fmt: skip
    return tuple(name for name in dict.fromkeys(named) if name in council.texts)


def _file(root: Path, rules: TextRules, held: Mapping[str, Template]) -> Iterator[Finding]:
    path = root / "texts" / f"{rules.name}.yaml"
    try:
        document = read_yaml(path, name=f"texts/{path.name}")
    except SiteFaults:
        return  # it was changed since the site was loaded, and `dolen check` tells of it
    count, well = 0, True
    for status, ids in rules.templates.items():
        for language in languages():
            count += 1
            try:
                template = held.get(ids[language].lower())
            except Misconfigured as fault:
                yield _differs(document, ("statuses", status, "template", language), fault.reason, "set it")
                well = False
                continue
            for finding in _one(document, rules, status, language, template):
                well = False
                yield finding
    if well and count:
        words = "templates say, word for word, what" if count > 1 else "template says, word for word, what"
        yield Finding(SUBJECT, True, f"{count} {words} {document.name} says, in both languages")


def _one(
    document: Document, rules: TextRules, status: str, language: str, template: Template | None
) -> Iterator[Finding]:
    at = ("statuses", status, "template", language)
    if template is None:
        remedy = "copy the id from the template's page in the service, or take the template out of its archive"
        yield _differs(document, at, "the service has no template of that id that can be sent", remedy)
        return
    if template.channel != rules.channel:
        words = f"the service's template is {_a(template.channel)}, and this file is sent as {_a(rules.channel)}"
        yield _differs(document, at, words, "copy the id of the right template")
    remedy = "make the two the same: change the words here, or the template in the service"
    several = ("cy", "en") if language == "both" else (language,)
    ours = {"wording": "\n\n".join(rules.wordings[status][one] for one in several)}
    theirs = {"wording": template.body}
    if status in rules.subjects and template.channel == "email":
        ours["subject"] = " / ".join(rules.subjects[status][one] for one in several)
        theirs["subject"] = template.subject
    for key, words in ours.items():
        said = difference(words, theirs[key])
        if said:
            # Of both languages the line is that of the template's id: neither wording alone is wrong.
            place = at if language == "both" else ("statuses", status, key, language)
            yield _differs(document, place, f"{said}{' (both languages, Welsh first)' * (len(several) - 1)}", remedy)


def difference(ours: str, theirs: str) -> str:
    """Say how a template differs from a file's words, "" if it does not."""
    here, there = ours.split(), theirs.split()
    if here == there:
        return ""
    filled = {"file": set(placeholders(ours)), "service": set(placeholders(theirs))}
    other = sorted(filled["service"] ^ filled["file"])
    if other:
        side = "in the service's template alone" if other[0] in filled["service"] else "in this file alone"
        return f"the placeholder (({other[0]})) is {side}"
    _, a, b, c, d = next(one for one in SequenceMatcher(None, here, there, False).get_opcodes() if one[0] != "equal")
    return f"the service says `{_some(there, c, d)}` where this file says `{_some(here, a, b)}`"


def _some(words: list[str], begin: int, end: int) -> str:
    first, last = max(0, begin - _AROUND), min(len(words), end + _AROUND)
    shown = words[first:last]
    more = "..." if len(shown) > _MOST or last < len(words) else ""
    return f"{'... ' if first else ''}{' '.join(shown[:_MOST])} {more}".strip() or "nothing"


def _differs(document: Document, path: tuple[str, ...], words: str, remedy: str) -> Finding:
    line, _ = document.where(path)
    return Finding(SUBJECT, False, f"{document.name}:{line}: {'.'.join(path)}: {words}", remedy)


def _a(channel: str) -> str:
    return f"an {channel}" if channel == "email" else f"a {channel}"
