"""The words that may follow `dolen`, and where the command of each is: loaded when the word was typed, and not before.

A machine that runs `dolen status` every minute pays for that command alone. Whoever wants them all - `--help`, the page
of commands, a test - walks `commands` like any other mapping, and each is loaded as it is come to. What commands do is
told in the modules that are named here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from console.guard import Guarded

#: A word and the place of its command: module and name there. In the order of `dolen --help`.
COMMANDS = {
    "whoami": "console.commands_access:whoami",
    "unmask": "console.commands_access:unmask",
    "confirm": "console.commands_access:confirm",
    "new": "console.commands_site:new",
    "check": "console.commands_site:check",
    "doctor": "console.commands_run:doctor",
    "conform": "console.commands_conform:conform",
    "run": "console.commands_run:run",
    "work": "console.commands_run:work",
    "schedule": "console.commands_run:schedule",
    "serve": "console.commands_run:serve",
    "sync": "console.commands_run:sync",
    "status": "console.commands_status:status",
    "trace": "console.commands_desk:trace",
    "attention": "console.commands_desk:attention",
    "show": "console.commands_desk:show",
    "replay": "console.commands_desk:replay",
    "settle": "console.commands_desk:settle",
    "page": "console.commands_desk:page",
    "close": "console.commands_desk:close",
    "join": "console.commands_joining:join",
    "part": "console.commands_joining:part",
    "pause": "console.commands_run:pause",
    "resume": "console.commands_run:resume",
    "reconcile": "console.commands_proof:reconcile",
    "match": "console.commands_proof:match",
    "purge": "console.commands_person:purge",
    "schema": "console.commands_site:schema",
    "questions": "console.commands_questions:questions",
    "where": "console.commands_where:where",
    "dpia": "console.commands_dpia:dpia",
    "outcomes": "console.commands_outcomes:outcomes",
    "capacity": "console.commands_capacity:capacity",
    "sandbox": "console.commands_run:sandbox",
    "demo": "console.commands_run:demo",
    "handover": "console.commands_task:handover",
    "backup": "console.commands_care:backup",
    "restore": "console.commands_care:restore",
    "go-on": "console.commands_care:go_on",
    "support-bundle": "console.commands_care:support_bundle",
}
#: The same for groups of commands.
GROUPS = {
    "sight": "console.commands_access:sight",
    "token": "console.commands_access:token",
    "task": "console.commands_task:task",
    "codes": "console.commands_codes:codes",
    "mapping": "console.commands_mapping:mapping",
    "interface": "console.commands_interface:interface",
    "links": "console.commands_links:links",
    "routes": "console.commands_links:routes",
    "shadow": "console.commands_shadow:shadow",
    "services": "console.commands_directory:services",
    "keys": "console.commands_keys:keys",
    "person": "console.commands_person:person",
    "certificates": "console.commands_person:certificates",
    "audit": "console.commands_audit:audit",
    "alerts": "console.commands_alerts:alerts",
    "text": "console.commands_text:text",
    "site": "console.commands_upgrade:site",
    "bench": "console.bench.command:bench",
}
#: Commands of a group that live apart from it: group, word, and their place. In the order in which they are told.
JOINING = (
    ("mapping", "laws", "console.commands_laws:laws"),
    ("mapping", "coverage", "console.commands_laws:coverage"),
    ("mapping", "diff", "console.commands_diff:diff"),
    ("audit", "dependencies", "console.commands_supply:dependencies"),
)
#: Modules that add to a group of another by being loaded.
ADDING = {
    "routes": ("console.commands_shadow",),
    "bench": ("console.bench.command_country", "console.bench.command_start"),
}
#: Commands that must begin at once.
PLAIN = frozenset({"status"})
#: What follows these is handed on as it was typed.
PASSED_ON = frozenset({"sandbox", "demo"})
_UNREAD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


class _AsTyped:
    """Takes what was typed for a switch, a text or a path as it stands. Typer asks pydantic, whose loading is most of
    what a short command costs; for anything else, and for a path that is there and cannot be read, it still does."""

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """See `typer._coercion.RuntimeParam.coerce`."""
        if value is None and not param.multiple and param.nargs == 1:
            return None
        if param.type_descriptor.annotation is Path and isinstance(value, str | Path):
            asked = param.type_descriptor.parameter_info
            plain = not (asked.exists or asked.resolve_path or asked.writable or asked.allow_dash or asked.path_type)
            if plain and asked.file_okay and asked.dir_okay and os.access(value, os.R_OK):
                return Path(value)
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


class Plain(TyperCommand):
    """A command of switches and paths alone."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options, each taken as it was typed."""
        return _as_typed(super().get_params(ctx))


def _as_typed(options: list[Any]) -> list[Any]:
    for one in options:
        if getattr(one, "_runtime_param", False) is None:
            one._runtime_param = _AsTyped()
    return options


class Typed(MutableMapping[str, Any]):
    """The commands by their words, as the command line's library has them; each is made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._words = [*COMMANDS, *GROUPS]

    def __getitem__(self, word: str) -> Any:
        if word not in self._made:
            if word not in self._words:
                raise KeyError(word)
            self._made[word] = _command(word)
        return self._made[word]

    def __contains__(self, word: object) -> bool:
        return word in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __setitem__(self, word: str, command: Any) -> None:
        self._made[word] = command
        if word not in self._words:
            self._words.append(word)

    def __delitem__(self, word: str) -> None:
        self._words.remove(word)
        self._made.pop(word, None)


class Words(Guarded):
    """The whole command line, of which only that is loaded which was typed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Typed()

    def get_params(self, ctx: Any) -> list[Any]:
        """The options before the word."""
        return _as_typed(super().get_params(ctx))


def _command(word: str) -> Any:
    """Load one word's command, or its group with all that belongs to it."""
    alone = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)
    if word in COMMANDS:
        passed_on = _UNREAD if word in PASSED_ON else None
        alone.command(word, cls=Plain if word in PLAIN else None, context_settings=passed_on)(_at(COMMANDS[word]))
    else:
        group = _at(GROUPS[word])
        for module in ADDING.get(word, ()):
            import_module(module)
        known = {one.callback for one in group.registered_commands}
        for whose, name, place in JOINING:
            if whose == word and _at(place) not in known:
                group.command(name)(_at(place))
        alone.add_typer(group, name=word)
    return typer.main.get_group(alone).commands[word]


def _at(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
