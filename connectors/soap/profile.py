"""What a SOAP system's profile may say: operations of its WSDL and paths into their messages, never a condition.

A path leads through elements by their local names; an attribute begins with "@". Paths into a request or a reply
start below the operation's own element.
"""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from connectors.errors import Misconfigured
from connectors.known import KnownIdsFeed
from connectors.login_settings import Login
from connectors.port import Tier
from connectors.profile import (
    Errors,
    ItemPaths,
    ListPath,
    LivePlace,
    LookupRows,
    Name,
    PathText,
    PinnedFile,
    Zone,
)
from connectors.references import Closed
from connectors.soap.profile_beside import Adds, Turn, Turns
from connectors.soap.profile_documents import SoapDocumentAdd, SoapDocumentFind, SoapDocuments
from connectors.soap.profile_dry import SoapDryWrite
from connectors.soap.profile_feeds import Asked, SoapFeed
from connectors.soap.profile_headers import Addressing, SoapSignIn
from connectors.soap.profile_push import SoapPush

OFFERS = ("changes", "fetch", "create", "update", "find")


class SoapFetch(Closed):
    """Read one record by its id."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["GetReferral"])
    id: PathText = Field(description="Where the id goes in the request.", examples=["ReferralId"])
    item: PathText = Field(description="The record in the reply; absent if it is not there.", examples=["Referral"])


class ReplyPaths(Closed):
    """Where, in the reply to a write, the record's id, version and stamp stand."""

    id: PathText | None = Field(default=None, description="The record's id.", examples=["ReferralId"])
    version: PathText | None = Field(default=None, description="The new version token.", examples=["Version"])
    modified: PathText | None = Field(default=None, description="The new stamp.", examples=["LastChanged"])

    @property
    def paths(self) -> list[str]:
        """Those that are given."""
        return [path for path in (self.id, self.version, self.modified) if path]


class SoapCreate(Closed):
    """Create a record under our key."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["CreateReferral"])
    record: PathText = Field(description="Where the record goes in the request.", examples=["Referral"])
    our_key: PathText | None = Field(
        default=None, description="Where, in the record, our key goes.", examples=["ClientReference"]
    )
    keeps_key: bool = Field(
        default=False,
        description="The same key never makes a second record: the system answers with the first or refuses by it.",
        examples=[False],
    )
    reply: ReplyPaths = Field(description="What the reply tells.", examples=[{"id": "ReferralId"}])

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.keeps_key and self.our_key is None:
            raise ValueError("keeps_key needs our_key: name the element of the record that takes our key")
        if self.reply.id is None:
            raise ValueError("reply.id is missing: without the new record's id it could never be updated")
        return self


class SoapUpdate(Closed):
    """Change a record, checked against its version where the system can."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["UpdateReferral"])
    record: PathText = Field(description="Where the record goes in the request.", examples=["Referral"])
    mode: Literal["replace", "merge"] = Field(
        description="replace: the whole record is sent, so it is read first. merge: only what is sent changes.",
        examples=["replace"],
    )
    id: PathText = Field(description="Where, in the record, its id goes.", examples=["ReferralId"])
    version: PathText | None = Field(
        default=None,
        description="Where, in the record, the version goes that the change was made from.",
        examples=["Version"],
    )
    reply: ReplyPaths = Field(
        default=ReplyPaths(), description="What the reply tells.", examples=[{"version": "Version"}]
    )


class SoapFind(Closed):
    """Find the records that the system holds under our key."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["FindByClientReference"])
    by: PathText = Field(description="Where our key goes in the request.", examples=["ClientReference"])
    items: ListPath = Field(description="The records in the reply.", examples=["Referral[]"])


class SoapLookup(LookupRows):
    """Ask which codes the system takes at a path of the record."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["GetCodeList"])
    send: dict[PathText, str] = Field(
        default={}, description="What the request says, element by element.", examples=[{"List": "Priority"}]
    )
    items: ListPath = Field(description="The rows in the reply.", examples=["Entry[]"])


Beside: TypeAlias = Turn | Adds | SoapDryWrite | SoapDocumentAdd | SoapDocumentFind
Section: TypeAlias = SoapFetch | SoapCreate | SoapUpdate | SoapFind | Asked | SoapLookup | Beside


class SoapRecord(Errors):
    """Everything that can be done with one kind of record.

    A fault is looked up in `errors` as `name:code`, as its name (the element in its detail), as its code in the detail
    and as its faultcode. What is not there: a login fault is unauthorised, a Client or Sender fault is rejected, and
    anything else is unknown, which on a create means "not sure".
    """

    item: ItemPaths = Field(description="Where id, version, stamp and our key stand.", examples=[{"id": "ReferralId"}])
    changes: SoapFeed | None = Field(
        default=None, description="List changes.", examples=[{"feed": "modified-since"}]
    )
    fetch: SoapFetch | None = Field(default=None, description="Read one.", examples=[{"operation": "GetReferral"}])
    create: SoapCreate | None = Field(default=None, description="Create.", examples=[{"operation": "CreateReferral"}])
    update: SoapUpdate | None = Field(default=None, description="Change.", examples=[{"operation": "UpdateReferral"}])
    find: SoapFind | None = Field(
        default=None, description="Find by our key.", examples=[{"operation": "FindByClientReference"}]
    )

    dry_write: SoapDryWrite | None = Field(
        default=None,
        description="How `dolen doctor` may ask whether a record would be taken. Leave out if that cannot be asked.",
        examples=[{"operation": "CheckReferral", "record": "Referral"}],
    )
    push: SoapPush | None = Field(
        default=None, description="The system calls us.", examples=[{"carries": "id"}]
    )
    leave_out: list[PathText] = Field(
        default=[],
        description="What the system sets itself, or takes by operations of its own, and we never send in a create or "
        "an update.",
        examples=[["Opened", "Closed"]],
    )
    turns: Turns | None = Field(
        default=None,
        description="Changes of one element, such as the status, that have operations of their own.",
        examples=[{"at": "Status", "by": [{"operation": "CloseCase"}]}],
    )
    adds: list[Adds] = Field(
        default=[],
        description="Lists whose items are added by an operation of their own: notes, events.",
        examples=[[{"at": "Notes/Note[]", "operation": "CreateNote"}]],
    )
    documents: SoapDocuments | None = Field(
        default=None,
        description="Documents that belong to a record: how one is added and looked for.",
        examples=[{"add": {"operation": "AddDocument"}}],
    )
    lookups: dict[PathText, SoapLookup] = Field(
        default={},
        description="By path in the record: how the system is asked which codes stand there.",
        examples=[{"Priority": {"operation": "GetCodeList"}}],
    )

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if isinstance(self.changes, KnownIdsFeed) and self.fetch is None:
            raise ValueError("a known-ids feed needs fetch: each record is read again by its id")
        if self.changes is not None and not isinstance(self.changes, KnownIdsFeed) and self.item.modified is None:
            raise ValueError(f"a {self.changes.feed} feed needs item.modified: name the element with the last change")
        if self.update is not None and self.update.mode == "replace" and self.fetch is None:
            raise ValueError("update.mode replace needs fetch: the record is read before it is replaced")
        if self.find is not None and self.create is not None and self.create.our_key is None:
            raise ValueError("find needs create.our_key: what was made without our key cannot be found by it")
        if self.push is not None and self.push.carries == "record" and self.item.modified is None:
            raise ValueError("push.carries record needs item.modified: pushes overtake one another; else carry the id")
        if self.push is not None and self.push.carries == "id" and (self.push.id is None or self.fetch is None):
            raise ValueError("push.carries id needs push.id, where the id stands, and fetch, by which it is read")
        keeping = {told.operation for told in (self.create, self.update) if told is not None}
        if self.dry_write is not None and self.dry_write.operation in keeping and not self.dry_write.send:
            raise ValueError(
                f"dry_write: {self.dry_write.operation} keeps what it takes: name an operation that keeps nothing, or "
                "`send` the element that tells it so"
            )
        if self.turns is not None or self.adds:
            if self.update is None or self.fetch is None:
                raise ValueError("turns and adds need update and fetch: what is to be done follows from what is held")
            if self.create is not None and self.find is None and not self.create.keeps_key:
                raise ValueError(
                    "turns and adds with a create need find: a create whose second step failed is looked up by our key"
                )
        return self

    @property
    def calls(self) -> list[Section]:
        """Every section that names an operation."""
        changes = None if isinstance(self.changes, KnownIdsFeed) else self.changes  # it has none of its own
        told = (changes, self.fetch, self.create, self.update, self.dry_write, self.find, *self.lookups.values())
        turns = self.turns.by if self.turns is not None else []
        papers = (self.documents.add, self.documents.find) if self.documents is not None else ()
        return [*(section for section in (*told, *self.adds, *papers) if section is not None), *turns]

    @property
    def tier(self) -> Tier:
        """How a create of this kind is made to happen once."""
        if self.create is not None and self.create.keeps_key:
            return Tier.KEEPS_KEY
        return Tier.SEARCHABLE if self.find is not None else Tier.NEITHER

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        return frozenset(name for name in OFFERS if getattr(self, name) is not None)


class SoapProfile(Closed):
    """How a SOAP system is spoken to."""

    system: Name = Field(description="The system's name.", examples=["casework"])
    protocol: Literal["soap"] = Field(description="Kind of interface.", examples=["soap"])
    interface: PinnedFile = Field(description="The pinned WSDL.", examples=["interfaces/casework.wsdl"])
    interface_url: LivePlace | None = Field(
        default=None,
        description="Where the system shows its interface today, behind the connection's url. Left out: `?wsdl`.",
        examples=["?singleWsdl"],
    )
    port: Name | None = Field(
        default=None,
        description="Port of the WSDL, where it has several (SOAP 1.1 and 1.2). Leave out for the first.",
        examples=["Soap12"],
    )
    clock: Zone = Field(description="Zone of the system's times that carry no offset.", examples=["Europe/London"])
    addressing: Addressing | None = Field(
        default=None,
        description="WS-Addressing headers with every message. Leave out if the system wants none.",
        examples=[{"reply_to": "anonymous"}],
    )
    sign_in: SoapSignIn | None = Field(
        default=None,
        description="The operation that gives a token or a cookie, for connections whose login is `soap_sign_in`.",
        examples=[{"operation": "LogOn", "username": "UserName", "password": "Password"}],
    )
    records: dict[Name, SoapRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )

    def take(self, login: Login | None) -> None:
        """Raises Misconfigured for a way to log in that this profile does not describe."""
        if login is not None and login.soap_sign_in is not None and self.sign_in is None:
            raise Misconfigured(
                f"login soap_sign_in: the profile of {self.system} has no sign_in, which says by which operation one "
                "signs in: write it, or choose another login"
            )
