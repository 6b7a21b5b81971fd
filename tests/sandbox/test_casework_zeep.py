"""zeep, which knows nothing of the sandbox, can use the WSDL as served: both versions, text and digest."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zeep
from zeep.wsse import utils
from zeep.wsse.username import UsernameToken

from tests.sandbox.conftest import PASSWORD, Running


@pytest.fixture(params=["Soap11 text", "Soap11 digest", "Soap12 text", "Soap12 digest"])
def client(running: Running, request: pytest.FixtureRequest) -> Iterator[zeep.Client]:
    port, kind = request.param.split()
    now = datetime.now(UTC)
    stamp = utils.WSU.Timestamp()
    stamp.append(utils.WSU.Created(utils.get_timestamp(now)))
    stamp.append(utils.WSU.Expires(utils.get_timestamp(now + timedelta(minutes=1))))
    token = UsernameToken("dolen", PASSWORD, use_digest=kind == "digest", timestamp_token=stamp)
    transport = zeep.Transport(timeout=5, operation_timeout=5)
    yield zeep.Client(
        f"{running.url}/torfaen/casework/soap?wsdl",
        wsse=token,
        transport=transport,
        port_name=port,
        service_name="Casework",
    )
    transport.session.close()


RECORD: dict[str, Any] = {
    "ClientReference": "k",
    "Received": datetime.fromisoformat("2026-10-25T01:30:00"),
    "Kind": "REF",
    "Status": "NEW",
    "Priority": "P2",
    "Subject": {
        "Forename": ["Siân", "Mair"],
        "Surname": "O'Brien-ap Rhŷs",
        "DOB": "0001-01-01",  # as text: zeep writes the year of date(1, 1, 1) without its zeros
        "Gender": "2",
        "PreferredLanguage": "B",
    },
    "Needs": {"Need": [{"code": "N01", "_value_1": "ymolchi"}]},
    "Safeguarding": False,
    "Restricted": True,
}


def test_a_whole_life(client: zeep.Client) -> None:
    made = client.service.CreateReferral(RECORD)
    assert made.Version == 1
    (found,) = client.service.FindByClientReference("k")
    assert found.Subject.Surname == "O'Brien-ap Rhŷs"
    assert found.Received == datetime.fromisoformat("2026-10-25T01:30:00")
    assert found.LastChanged == made.LastChanged
    found.Status, found.Subject.DOB = "ACC", "0001-01-01"
    assert client.service.UpdateReferral(found).Version == 2
    with pytest.raises(zeep.exceptions.Fault) as conflict:
        client.service.UpdateReferral(found)
    detail = client.wsdl.types.deserialize(conflict.value.detail[0])
    assert (detail.ReferralId, detail.Version) == (made.ReferralId, 2)
    page = client.service.FindReferrals(made.LastChanged, 1, 50)
    assert ([each.Status for each in page.Referral], page.MorePages) == (["ACC"], False)
    assert client.service.GetReferral("R0009999") is None


def test_typed_faults(client: zeep.Client) -> None:
    with pytest.raises(zeep.exceptions.Fault) as fault:
        client.service.CreateReferral({**RECORD, "Priority": "AMBER"})
    detail = client.wsdl.types.deserialize(fault.value.detail[0])
    assert (detail.Field, detail.Code) == ("Referral/Priority", "UnknownCode")
