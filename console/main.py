"""The command line `dolen`: it parses, calls, shows. Which words there are is told in `console.words_typed`; only the
one that was typed is loaded, and each command imports what it needs when it runs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from console.show import say
from console.words_typed import Words

app = typer.Typer(
    name="dolen",
    help="Carries referrals between the case-management systems councils run on, and proves that none was lost.",
    cls=Words,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)

#: Commands that look, tell and are done, whatever there is to tell.
_BRIEF = (["status"],)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"dolen {version('dolen')}")
        raise typer.Exit


@app.callback()
def dolen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Carries referrals between the case-management systems councils run on, and proves that none was lost."""


def _leave_no_core() -> None:
    """Let no crash write a core file: it would hold whoever this process had in its memory."""
    try:
        import resource
    except ImportError:
        return  # Windows writes none by itself
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def _briefly(typed: list[str]) -> Iterator[None]:
    """Let no cycle of objects be looked for in a process that ends before there is one worth finding: not while it
    loads, which makes thousands that stay, and not as it ends. A third of the time of such a command went there."""
    if typed not in _BRIEF:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # what is there goes with the process


def main() -> None:
    """Run the command that was typed. Exits 0 when done, 1 when problems were found, 2 on wrong use."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console or a C locale must not stop on a Welsh letter
            stream.reconfigure(encoding="utf-8", errors="replace")
    os.environ.setdefault("PYTHONUTF8", "1")  # for what we start
    _leave_no_core()
    with _briefly(sys.argv[1:2]):
        app()
