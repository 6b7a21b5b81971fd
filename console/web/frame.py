"""The frame around every page: the templates' world, the menu, and what is said when something cannot be shown."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, Undefined
from markupsafe import Markup
from starlette.requests import Request

from console import signin
from console.web.doors import Doors
from console.web.words import LANGUAGES, Language, Speech, plain

if TYPE_CHECKING:
    from console.web.asked import Asked

#: Fields of a form that are the frame's own.
_OURS = (signin.FIELD, "_language")
_HERE = Path(__file__).parent
ASSETS = _HERE / "assets"
_THEIRS = "govuk_frontend_jinja"


class _Loud(Undefined):
    """A name that a template prints and nobody gave is a fault of ours, and not an empty place."""

    def __str__(self) -> str:
        self._fail_with_undefined_error()
        return ""


@cache
def _mark(name: str) -> str:
    return hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a shipped file; it changes with what is in it, so that browsers may keep it for ever."""
    return f"/assets/{name}?v={_mark(name)}"


def _shown(value: Any) -> Any:
    return plain(value) if type(value) is str else value


class Frame:
    """Makes pages out of templates."""

    def __init__(self, pages: Sequence[Doors], language: Language) -> None:
        self._pages = sorted((page for page in pages if page.menu is not None), key=lambda page: page.menu or 0)
        self.language = language
        self._templates = Environment(
            loader=ChoiceLoader(
                [FileSystemLoader(_HERE / "templates"), PrefixLoader({_THEIRS: PackageLoader(_THEIRS)})]
            ),
            autoescape=True,
            undefined=_Loud,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(asset=asset, form_field=signin.FIELD)

    def render(self, asked: Asked, template: str, *, again: bool = False, **values: Any) -> str:
        """A page of the console. `again`: its form may be sent again, in another language."""
        request, door = asked.request, asked.door
        menu = [(page.page, page.first.path) for page in self._pages if asked.officer.councils(page.first.right)]
        return self._whole(
            request,
            template,
            asked.t,
            asked=asked,
            menu=menu,
            here=door.page,
            officer=asked.officer.who,
            sent_again=[(name, value) for name, given in asked.form.items() for value in given if name not in _OURS]
            if again
            else None,
            **values,
        )

    def message(self, request: Request, speech: Speech, name: str, words: str, *, link: str) -> str:
        """A page that says one thing: `name` is that of a sentence in words/message.toml."""
        return self._alone(request, speech, "message.html", name=name, words=words, link=link)

    def notice(self, request: Request, speech: Speech, words: str, link: str, go: str) -> str:
        """A page that says what signing in or out has to say."""
        return self._alone(request, speech, "notice.html", words=words, link=link, go=go)

    def _alone(self, request: Request, speech: Speech, template: str, **values: Any) -> str:
        return self._whole(request, template, speech, asked=None, menu=(), here="", officer="", sent_again=None,
                           **values)  # fmt: skip

    def _whole(self, request: Request, template: str, speech: Speech, **values: Any) -> str:
        other = next(language for language in LANGUAGES if language != speech.language)
        token = Markup('<input type="hidden" name="{}" value="{}">').format(signin.FIELD, signin.csrf_token(request))
        return self._templates.get_template(template).render(
            t=speech, language=speech.language, other=other, path=request.url.path, token=token,
            when=values["asked"].when if values.get("asked") else speech.when, **values,
        )  # fmt: skip
