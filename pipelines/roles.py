"""From a site's settings to an officer: which roles somebody holds, by name, by group, or by account at the machine.

A fresh site says nothing of it. Then whoever owns the site's files may run it from the command line, since they could
write themselves any role into those files; reading cases takes a role that somebody wrote down.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from config.councils_named import EVERY_COUNCIL
from pipelines.rights import Officer, Role

if TYPE_CHECKING:
    from config.site import Site

#: What the owner of the files of a site without roles is. Not a case-reader.
OF_THE_OWNER = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Holding:
    """One role, for which councils, and who holds it."""

    role: Role
    councils: frozenset[str]
    groups: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()  # folded: sign-in names are not told apart by capitals
    accounts: frozenset[str] = frozenset()

    def held_by(self, names: Collection[str], groups: Collection[str], accounts: Collection[str]) -> bool:
        """Whether somebody with these holds it."""
        return bool(
            self.names.intersection(name.casefold() for name in names)
            or self.groups.intersection(groups)
            or self.accounts.intersection(accounts)
        )


@dataclass(frozen=True, slots=True)
class Roles:
    """Who holds what, and the file that a site without roles is owned by."""

    holdings: tuple[Holding, ...] = ()
    file: Path | None = None
    break_glass: timedelta = timedelta(hours=1)

    @property
    def are_told(self) -> bool:
        """Whether the site says at all who may do what."""
        return bool(self.holdings)

    def officer(
        self,
        who: str,
        councils: Collection[str],
        *,
        identity: str,
        names: Collection[str] = (),
        groups: Collection[str] = (),
        accounts: Collection[str] = (),
        owner: bool = False,
    ) -> Officer:
        """Who acts. `councils`: those of the site. `owner`: they own the site's files, which counts where no roles are
        told."""
        held: dict[str, frozenset[Role]] = {}
        if owner and not self.are_told:
            held = dict.fromkeys(councils, OF_THE_OWNER)
        for holding in self.holdings:
            if holding.held_by(names, groups, accounts):
                for code in councils if EVERY_COUNCIL in holding.councils else holding.councils.intersection(councils):
                    held[code] = held.get(code, frozenset()) | {holding.role}
        return Officer(who, held, identity)

    def at_the_machine(self, account: str, who: str, councils: Collection[str], *, owner: bool) -> Officer:
        """The person at the command line, or whoever came by the link that they were shown."""
        told = who if who == account else f"{who} ({account})"
        return self.officer(
            told, councils, identity=f"account {account}", accounts=[account], owner=owner
        )

    def owned_by_us(self) -> bool:
        """Whether this process belongs to whoever owns the site's files."""
        return self.file is not None and owned_by_us(self.file)


def owned_by_us(file: Path) -> bool:
    """Whether this process's account owns a file; on Windows, whether it may write it."""
    try:
        if hasattr(os, "geteuid"):
            return file.stat().st_uid == os.geteuid()
        return os.access(file, os.W_OK)
    except OSError:
        return False


def account() -> str:
    """The operating system's account of this process, which no environment variable can change. Raises OSError."""
    if hasattr(os, "geteuid"):
        import pwd

        number = os.geteuid()
        try:
            return pwd.getpwuid(number).pw_name
        except KeyError:  # a container's user need not have a name
            return f"user {number}"
    return os.getlogin()


def of_site(site: Site) -> Roles:
    """What a site's settings say."""
    access = site.settings.access
    return Roles(
        tuple(
            Holding(
                Role(one.role),
                frozenset(one.councils),
                frozenset(one.groups),
                frozenset(name.casefold() for name in one.names),
                frozenset(one.accounts),
            )
            for one in access.roles
        ),
        site.root / "config" / "dolen.yaml",
        access.sign_in.break_glass,
    )
