"""The page of all commands, `docs/reference/commands.md`, made from the commands themselves.

`python -m console.reference docs/reference/commands.md` writes it; a test compares it with what is written there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

_INTRODUCTION = """# Commands

This page is made from the commands themselves (`python -m console.reference docs/reference/commands.md`). Do not edit
it by hand: a test compares the two. `dolen COMMAND --help` says the same at your own machine.

Where a command takes `--site`, the site's folder is that one, else `$DOLEN_SITE`, else the current folder. Reasons
and what tells of a person are asked at a prompt or read from standard input, never given as an argument. Exit codes:
0 done, 1 found problems, 2 wrong use.
"""
#: They are the same everywhere and told above.
_EVERYWHERE = frozenset({"--help"})


def commands_page() -> str:
    """Return the whole page as Markdown."""
    from console.main import app

    root = typer.main.get_command(app)
    return "\n".join([_INTRODUCTION, *_of(root, "dolen")])


def _of(command: Any, name: str) -> Iterator[str]:
    """The sections of a command, or of all commands below a group. `command`: as the command line's library has it."""
    below = getattr(command, "commands", None)
    if below is not None:
        for word, one in below.items():
            yield from _of(one, f"{name} {word}")
        return
    yield f"## `{name}`\n"
    yield f"{_plain(command.help or '')}\n"
    rows = [row for one in command.params if (row := _row(one)) is not None]
    if rows:
        yield "\n".join(["| give | what it is | default |", "|---|---|---|", *rows]) + "\n"


def _row(one: Any) -> str | None:
    if one.param_type_name == "argument":
        shown = f"`{one.metavar or one.name.upper()}`"
    elif set(one.opts) & _EVERYWHERE or one.hidden:
        return None
    else:
        names = ", ".join([*one.opts, *one.secondary_opts])
        shown = f"`{names}`" if one.is_flag else f"`{names} {one.metavar or one.display_type(None)}`"
    words = _plain(one.help or "")
    if one.multiple:
        words += " May be given again."
    return f"| {_cell(shown)} | {_cell(words)} | {_cell(_default(one))} |"


def _default(one: Any) -> str:
    if one.required:
        return "**needed**"
    if isinstance(one.show_default, str):
        return str(one.show_default)
    value = one.default
    if value in (None, False, "", []) or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def _plain(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip()


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write the page to the file that is named. Exit codes: 0 done, 2 wrong use."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m console.reference FILE\n")
        return 2
    path = Path(arguments[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(commands_page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
