"""GOV.UK Notify takes texts and no records of a mapping: there is no interface to hold one against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.neutral import interface
from connectors.notify.profile import NotifyProfile


def interfaces_of(profile: NotifyProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:  # noqa: ARG001 - every family is asked in the same way
    """One interface for each kind, of which nothing is known."""
    return [
        interface(profile.system, kind, "", read=None, create=None, update=None, ours=()) for kind in profile.records
    ]
