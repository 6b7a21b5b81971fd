"""What is filed with the case system's referrals: documents, kept as the Base64 that they came in.

ClientReference is kept and shown but not unique: a document that is sent twice is filed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.casework.envelope import not_found
from sandbox.casework.shape import NAMESPACE
from sandbox.exchange import Exchange
from sandbox.store import Collection, Json, Store

_CW = f"{{{NAMESPACE}}}"
_SHOWN = ("DocumentId", "ClientReference", "FileName", "MediaType")


class Papers:
    """The documents of every council's case system."""

    def __init__(self, store: Store, records: Callable[[str], Collection]) -> None:
        self._store, self._records = store, records

    def of(self, tenant: str, referral: str) -> list[Json]:
        """The documents of a referral, the oldest first."""
        found = self._filed(tenant).by_key(referral)
        return sorted((one.body for one in found), key=lambda one: str(one["DocumentId"]))

    def add(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        """The operation AddDocument. Raises SoapFault for a referral that is not there."""
        referral = body.findtext(f"{_CW}ReferralId") or ""
        given = {etree.QName(one).localname: one.text or "" for one in body.iterfind(f"{_CW}Document/*")}

        def file() -> str:
            with self._store.transaction():
                if self._records(tenant).get(referral) is None:
                    raise not_found(referral)
                id = f"D{self._store.next_number(tenant, 'casework-documents'):07d}"
                self._filed(tenant).put(id, {**given, "DocumentId": id}, version=1, changed="", key=referral)
                return id

        return f"<cw:DocumentId>{exchange.commit(file)}</cw:DocumentId>"

    def find(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:  # noqa: ARG002 - every operation's parameters
        """The operation FindDocuments. Raises SoapFault for a referral that is not there."""
        referral = body.findtext(f"{_CW}ReferralId") or ""
        if self._records(tenant).get(referral) is None:
            raise not_found(referral)
        rows = []
        for one in self.of(tenant, referral):
            told = "".join(f"<cw:{name}>{escape(one[name])}</cw:{name}>" for name in _SHOWN if name in one)
            rows.append(f"<cw:Document>{told}</cw:Document>")
        return "".join(rows)

    def _filed(self, tenant: str) -> Collection:
        return self._store.collection(tenant, "casework", "documents")
