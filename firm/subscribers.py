"""`[subscribers.<name>]`: who is told of events, where, and signed with which secret.

Only hosts named here are ever called. A host must be public, since a receiver's address is somebody
else's choice and our own network is none of it; the loopback of this machine may be named as such.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from domain.base import Edge
from domain.outbound_events import published
from domain.readiness import OwnerGroup
from firm.problems import Key, did_you_mean
from firm.secrets import SecretReference
from firm.values import Duration

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LONGEST_TIMEOUT = timedelta(seconds=60)


def allowed_address(host: str, address: str) -> bool:
    """Whether `host` of a subscriber may be called at `address`, the IP address it stands for."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if host in LOOPBACK:
        return ip.is_loopback
    return ip.is_global and not ip.is_multicast


def _subscriber_address(value: str) -> str:
    try:
        address = urlsplit(value)
        host, _ = address.hostname, address.port
    except ValueError:
        host = None
    if not host or address.scheme not in ("http", "https"):
        raise ValueError("is not a web address; write one such as https://staffing.example.com/events")
    if address.username or address.password:
        raise ValueError("holds credentials; take them out, the signature proves who sends")
    if address.fragment:
        raise ValueError("has a part after #, which is never sent; take it out")
    if address.scheme == "http" and host not in LOOPBACK:
        raise ValueError(f"is not encrypted; use https for {host}")
    if _is_ip(host) and not allowed_address(host, host):
        raise ValueError(f"{host} is an address of a private network; name a public host, or the loopback")
    return value


def _is_ip(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class Subscriber(Edge):
    """One receiver of events."""

    url: Annotated[str, AfterValidator(_subscriber_address)]
    types: tuple[str, ...] = Field(min_length=1)
    """Types of the catalogue that are sent there."""
    secret: SecretReference
    """`whsec_` and base64: signs every delivery by Standard Webhooks."""
    next_secret: SecretReference | None = None
    """Signs beside `secret` while one is exchanged for the other."""
    timeout: Duration = timedelta(seconds=15)
    """How long an answer may take."""
    owner: OwnerGroup = OwnerGroup.ENTERPRISE_ARCHITECTURE
    """Who is told when the subscriber does not take its events."""

    @field_validator("timeout")
    @classmethod
    def _short(cls, timeout: timedelta) -> timedelta:
        if not timedelta(0) < timeout <= LONGEST_TIMEOUT:
            raise ValueError('is not between 1 and 60 seconds; write such as "15s"')
        return timeout


def unknown_types(subscribers: Mapping[str, Subscriber]) -> Iterator[tuple[Key, str, str]]:
    """Types that nobody tells, and types named twice: key, what is wrong, what to do."""
    known = {kind.name for kind in published()}
    for name, subscriber in subscribers.items():
        for index, kind in enumerate(subscriber.types):
            key: Key = ("subscribers", name, "types", index)
            if kind not in known:
                yield key, f"= {kind!r} is no event that Fairlead tells", did_you_mean(kind, known)
            elif kind in subscriber.types[:index]:
                yield key, f"= {kind!r} is named twice", "name it once"
