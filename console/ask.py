"""Who acts, and why: asked at a prompt or read from standard input, never an argument.

A reason may name a person, and arguments are seen by everybody on the machine and kept in the shell's history.
"""

from __future__ import annotations

import getpass
import os
import sys

import typer

from console.guard import WrongUse

LONGEST_REASON = 2000  # characters


def who() -> str:
    """The officer: $DOLEN_USER where an account is shared, else the operating system's user."""
    named = os.environ.get("DOLEN_USER", "").strip()
    try:
        return (named or getpass.getuser())[:100]
    except (OSError, KeyError):
        raise WrongUse("Your account has no name here; set DOLEN_USER to who you are") from None


def why(action: str) -> str:
    """The reason for an action. Raises WrongUse if none is given or it is too long."""
    if sys.stdin.isatty():
        text = typer.prompt(f"Why do you want to {action}?", default="", show_default=False, err=True)
    else:
        text = sys.stdin.read(LONGEST_REASON + 2)
    text = str(text).strip()
    if not text:
        raise WrongUse(f"To {action}, a reason is needed: type it when asked, or hand it in on standard input")
    if len(text) > LONGEST_REASON:
        raise WrongUse(f"The reason is longer than {LONGEST_REASON} characters; give the short of it")
    return text
