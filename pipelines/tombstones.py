"""Tombstones: what becomes of the news that a source deleted a record. Rule R15 of docs/data-model.md.

Nothing is ever deleted in a target because of it. A route says with which status the news goes on; where a route says
nothing, a person decides; and so where the person of a record was erased here. That a record is missing from a page, or
a page from a walk, is no such news.
"""

from __future__ import annotations

from pipelines import revisions
from pipelines.batch import Batch
from pipelines.causes import Cause
from pipelines.rows import Held


def why(connection: str) -> Cause:
    """The cause of what waits for a person's decision."""
    words = f"{connection} has deleted the record; nothing was deleted in any other system"
    return Cause(connection, "feed", "deleted", words)


def erased(connection: str) -> Cause:
    """The cause of what waits because its person was erased here before."""
    words = "the person of this record was erased here, and the source shows a newer version of it"
    return Cause(connection, "match", "erased", words)


def pass_on(batch: Batch, name: str, referral: Held, version: Held) -> bool:
    """Tell the systems whose routes say how; return whether that is all of them that could be told."""
    routes = [route for route in batch.council.routes_from(name) if not route.text]
    told = [route for route in routes if route.when_deleted]
    if told:
        # One file says one status for all routes from a connection: a referral has one status and not two.
        revisions.revise(batch, referral, {"status": told[0].when_deleted}, by=name)
        only = {route.name for route in told}
        revisions.pass_on(batch, referral, changed={"status"}, by=name, version=version, only=only)
        version.set(revision=referral.revision)
    return bool(told) and len(told) == len(routes)
