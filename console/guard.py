"""The top-level guard: whatever goes wrong, a person meets one clear sentence and never a traceback.

Exit code 1 means that problems were found, 2 that the command was used wrongly. A fault of ours that no sentence
foresees is told by its kind and place in the code: its own words may hold somebody's data.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from console.show import complain

#: What says itself what was found and what to do, by module and name: asking by name keeps start-up light.
_SENTENCES = {
    "pipelines.sight.NotPossible",
    "pipelines.lock.AlreadyRunning",
    "pipelines.dumps.CannotCopy",
    "pipelines.wrapping.KeyFault",
    "pipelines.ledger.LedgerFault",
    "pipelines.vault.PayloadGone",
    "pipelines.rooms.StrangeRoom",
    "config.secrets.SecretMissing",
    "config.scaffold.NotEmpty",
    "config.editing.CannotChange",
    "mappings.codes_csv.CodeFaults",
    "mappings.golden.BadPair",
}
_FOUND = 1
_WRONG_USE = 2


class WrongUse(Exception):
    """The command was used in a way that cannot work. The message says what to write instead."""


class Guarded(TyperGroup):
    """A group of commands whose faults are turned into sentences."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; end with 1 or 2 and a sentence where it raises."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            complain("Stopped. What was under way goes on from the same place next time.")
            raise typer.Exit(_FOUND) from None
        except WrongUse as fault:
            complain(f"{fault}.")
            raise typer.Exit(_WRONG_USE) from None
        except BrokenPipeError:
            sys.stderr.close()  # whoever read our output has had enough
            raise typer.Exit(_FOUND) from None
        except Exception as fault:
            words = sentence(fault)
            if words is None:
                raise
            complain(words)
            raise typer.Exit(_FOUND) from None


def sentence(fault: Exception) -> str | None:
    """Say a fault in words; None for what the command line itself raises and shows."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(fault).__mro__}
    if isinstance(fault, typer.Exit | typer.Abort) or any(".exceptions." in name and "lick" in name for name in names):
        return None
    if "config.findings.SiteFaults" in names:
        findings = getattr(fault, "findings", ())
        return "\n".join([f"{len(findings)} found in the site:", *(f"  {finding}" for finding in findings)])
    if "connectors.errors.ConnectorError" in names:
        return _ended(str(getattr(fault, "reason", "")))
    if names & _SENTENCES or type(fault) is LookupError:
        return _ended(str(fault))
    if isinstance(fault, OSError):
        where = f" {fault.filename}" if isinstance(fault.filename, str) else ""
        said = fault.strerror or type(fault).__name__
        return f"The file system refused{where}: {said}. Look at the path and its rights."
    if any(name.startswith("sqlalchemy.") for name in names):
        return (
            "The ledger's database did not answer as it should; look at the disk (space, rights) and run `dolen check`."
        )
    frames = traceback.extract_tb(fault.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "nowhere"
    return (
        f"This is a fault of Dolen itself ({type(fault).__name__} at {place}). Nothing that was committed is lost; "
        "please report it with this line."
    )


def _ended(words: str) -> str:
    text = words[:1].upper() + words[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
