"""The command line `dolen`: it parses, calls, shows. Each command imports what it needs when it runs, so that `--help`
is quick."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from console import (
    commands_access,
    commands_alerts,
    commands_audit,
    commands_capacity,
    commands_care,
    commands_codes,
    commands_conform,
    commands_desk,
    commands_diff,
    commands_directory,
    commands_dpia,
    commands_interface,
    commands_joining,
    commands_keys,
    commands_laws,
    commands_links,
    commands_mapping,
    commands_outcomes,
    commands_person,
    commands_proof,
    commands_questions,
    commands_run,
    commands_shadow,
    commands_site,
    commands_supply,
    commands_task,
    commands_text,
    commands_upgrade,
    commands_where,
)
from console.bench import command as benches
from console.bench import command_country  # noqa: F401 - its commands are the benches' too
from console.guard import Guarded
from console.show import say

app = typer.Typer(
    name="dolen",
    help="Carries referrals between the case-management systems councils run on, and proves that none was lost.",
    cls=Guarded,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


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


for one in (
    commands_access.whoami, commands_access.unmask, commands_access.confirm,
    commands_site.new, commands_site.check, commands_run.doctor, commands_conform.conform, commands_run.run,
    commands_run.work, commands_run.schedule, commands_run.serve, commands_run.sync, commands_run.status,
    commands_desk.trace, commands_desk.attention, commands_desk.show, commands_desk.replay, commands_desk.settle,
    commands_desk.page, commands_desk.close,
    commands_joining.join, commands_joining.part, commands_run.pause, commands_run.resume, commands_proof.reconcile,
    commands_proof.match, commands_person.purge, commands_site.schema, commands_questions.questions,
    commands_where.where, commands_dpia.dpia, commands_outcomes.outcomes,
    commands_capacity.capacity,
):  # fmt: skip
    app.command(one.__name__)(one)
for one_passed in (commands_run.sandbox, commands_run.demo):
    app.command(one_passed.__name__, context_settings=_PASSED_ON)(one_passed)
app.add_typer(commands_access.sight, name="sight")
app.add_typer(commands_access.token, name="token")
app.command("handover")(commands_task.handover)
app.add_typer(commands_task.task, name="task")
app.add_typer(commands_codes.codes, name="codes")
for one_of_mappings in (commands_laws.laws, commands_laws.coverage, commands_diff.diff):
    commands_mapping.mapping.command(one_of_mappings.__name__)(one_of_mappings)
app.add_typer(commands_mapping.mapping, name="mapping")
app.add_typer(commands_interface.interface, name="interface")
app.add_typer(commands_links.links, name="links")
app.add_typer(commands_links.routes, name="routes")  # commands_shadow adds to it
app.add_typer(commands_shadow.shadow, name="shadow")
app.add_typer(commands_directory.services, name="services")
commands_audit.audit.command("dependencies")(commands_supply.dependencies)
app.add_typer(commands_keys.keys, name="keys")
app.add_typer(commands_person.person, name="person")
app.add_typer(commands_person.certificates, name="certificates")
app.add_typer(commands_audit.audit, name="audit")
app.add_typer(commands_alerts.alerts, name="alerts")
for one_of_care in (commands_care.backup, commands_care.restore):
    app.command(one_of_care.__name__)(one_of_care)
app.command("go-on")(commands_care.go_on)
app.command("support-bundle")(commands_care.support_bundle)
app.add_typer(commands_text.text, name="text")
app.add_typer(commands_upgrade.site, name="site")
app.add_typer(benches.bench, name="bench")


def _leave_no_core() -> None:
    """Let no crash write a core file: it would hold whoever this process had in its memory."""
    try:
        import resource
    except ImportError:
        return  # Windows writes none by itself
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Run the command that was typed. Exits 0 when done, 1 when problems were found, 2 on wrong use."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console or a C locale must not stop on a Welsh letter
            stream.reconfigure(encoding="utf-8", errors="replace")
    os.environ.setdefault("PYTHONUTF8", "1")  # for what we start
    _leave_no_core()
    app()
