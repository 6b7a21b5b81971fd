"""From a texts file to the rules that a text is sent by: templates, looked up when they are needed, and its digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dictionary

from config.texts import Text
from connectors.errors import Misconfigured
from mappings.fieldpaths import normalise
from mappings.mapping import canonical
from pipelines.artifacts import digest_of
from pipelines.texts import TextRules


def rules_of(name: str, text: Text, plain: Callable[[str], str]) -> TextRules:
    """The rules of one text. `plain` gives what a reference such as env:NAME stands for."""
    templates: dict[str, _Templates] = {
        status: _Templates(said.template.model_dump(), plain)
        for status, said in text.statuses.items()
        if said.template is not None
    }
    body = canonical(text.model_dump(mode="json"))
    return TextRules(
        name,
        text.channel,
        templates,
        wordings={status: said.wording.model_dump() for status, said in text.statuses.items()},
        subjects={status: said.subject.model_dump() for status, said in text.statuses.items() if said.subject},
        two=text.both == "two",
        allow_safeguarding=text.safeguarding,
        ring_when={normalise(path): tuple(codes) for path, codes in text.ring.when.items()},
        rings=text.ring.who,
        quiet=_windows(text),
        window=text.digest.total_seconds() if text.digest else 0.0,
        most_a_recipient=text.caps.a_recipient,
        most_a_council=text.caps.a_council,
        digest=digest_of(body),
        body=body,
    )


def _windows(text: Text) -> tuple[dict[str, object], ...]:
    """When texts wait: the quiet hours of every day, and the days that are quiet from midnight to midnight."""
    if text.quiet is None:
        return ()
    hours: dict[str, object] = {"begins": text.quiet.begins, "ends": text.quiet.ends}
    days = list(text.quiet.days)
    return (hours, {"begins": "00:00", "ends": "00:00", "days": days}) if days else (hours,)


class _Templates(Dictionary[str, str]):
    """Language to template id. An id that is a reference is looked up when a text is sent, as other secrets are."""

    def __init__(self, ids: Dictionary[str, str], plain: Callable[[str], str]) -> None:
        self._ids, self._plain = ids, plain

    def __getitem__(self, language: str) -> str:
        try:
            return self._plain(self._ids[language])
        except ValueError as missing:  # SecretMissing names the reference and no secret
            raise Misconfigured(f"the template for {language}: {missing}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
