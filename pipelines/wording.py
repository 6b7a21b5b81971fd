"""From a texts file to the rules that a text is sent by: templates, looked up when they are needed, and its digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dictionary

from config.texts import Text
from connectors.errors import Misconfigured
from mappings.mapping import canonical
from pipelines.artifacts import digest_of
from pipelines.texts import TextRules


def rules_of(name: str, text: Text, plain: Callable[[str], str]) -> TextRules:
    """The rules of one text. `plain` gives what a reference such as env:NAME stands for."""
    templates: dict[str, _Templates] = {
        status: _Templates(said.template.model_dump(), plain) for status, said in text.statuses.items()
    }
    quiet = text.quiet.model_dump() if text.quiet else None
    body = canonical(text.model_dump(mode="json"))
    return TextRules(
        name,
        text.channel,
        templates,
        allow_safeguarding=text.safeguarding,
        quiet=quiet,
        digest=digest_of(body),
        body=body,
    )


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
