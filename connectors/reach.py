"""Which addresses a call may go to: judged on the very address that is then connected to, never on the name alone.

Whoever holds a name's DNS may lead it anywhere, and elsewhere a moment later. So a name is looked up once for each
connection, what came is judged here, and the socket goes to that address. Where a cloud keeps its machines' secrets,
and addresses of nobody, are refused whatever is configured; a private network is reached only where the settings
say so, as is this machine itself.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any, Literal

from connectors.deadline import Deadline
from connectors.references import LOOPBACK

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Where clouds hand out credentials to whoever asks from inside, beyond the link-local range: AWS over IPv6, Alibaba,
#: Azure, Oracle.
_METADATA = frozenset(
    ipaddress.ip_address(one) for one in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address

#: How far from this machine an address is. `nowhere` belongs to no system that could be a council's.
Where = Literal["public", "private", "here", "nowhere"]


class OutOfReach(OSError):
    """The name leads to an address that this connection may not call. The text is ours and holds no address."""


def where(text: str) -> Where:
    """Say what kind of address this is; an IPv4 address within an IPv6 one is judged as itself."""
    try:
        address = _inner(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return "nowhere"
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return "nowhere"
    if address.is_loopback:
        return "here"
    if address.is_reserved:
        return "nowhere"
    return "public" if address.is_global else "private"


def judge(host: str, address: str, *, private: bool) -> None:
    """Refuse an address that `host` led to. `private`: the settings say that the system is on a private network.

    A private address that is written as itself was configured as such. Raises OutOfReach.
    """
    found = where(address)
    if found == "nowhere":
        raise OutOfReach("its address is one that no system of a council has (link-local, metadata, or of nobody)")
    if found == "here" and host.strip("[]").lower() not in LOOPBACK and where(host.strip("[]")) != "here":
        raise OutOfReach("its name leads to this machine itself")
    if found == "private" and not private and where(host.strip("[]")) != "private":
        raise OutOfReach(
            "its name leads into a private network: if the system is on your own, write private_network: true"
        )


def addresses(host: str, port: int, deadline: Deadline, *, private: bool) -> list[Any]:
    """Look a name up and judge each address, as `socket.getaddrinfo` tells them. Waits no longer than the deadline: the
    resolver itself knows no time-out. Raises OutOfReach, TimeoutError and what the look-up raises."""
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as problem:
            answer.append(problem)

    asking = threading.Thread(target=ask, name="look-up", daemon=True)
    asking.start()
    asking.join(deadline.left_or_raise())
    if not answer:
        raise TimeoutError("the name look-up took too long")
    if isinstance(answer[0], OSError):
        raise answer[0]
    for _, _, _, _, address in answer[0]:
        judge(host, str(address[0]), private=private)
    return list(answer[0])


def _inner(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
