"""One delivery over HTTP: signed by Standard Webhooks, to the named host at an address that was looked at.

No redirect is followed, no proxy is taken from the environment, and of the answer nothing but status and
`Retry-After` is read. The host's addresses are resolved here, judged, and then called as they are: a name
that changes its meaning between the two cannot lead into our own network.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import httpx

from firm.subscribers import allowed_address
from gateway.outbox_subscribers import Receiver
from gateway.registration import UnusableSecret
from gateway.verification import standard_signature

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""IP addresses of a host. Raises `OSError`."""

CONTENT_TYPE = "application/cloudevents+json"
_GONE = 410
_MOST_RETRY_AFTER = 24 * 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt. `problem` holds nothing that the receiver wrote."""

    status: int = 0
    """0 when there was none."""
    problem: str = ""
    retry_after: timedelta = timedelta(0)

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == _GONE


class Forbidden(Exception):
    """The host stands for an address that must not be called."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """As the system resolves names."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def signed_headers(keys: Sequence[bytes], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks; a signature for each key, separated by spaces (rotation)."""
    stamp = str(int(now.timestamp()))
    signatures = [standard_signature(key, message_id, stamp, body) for key in keys]
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


async def post(
    receiver: Receiver,
    message_id: str,
    body: bytes,
    now: datetime,
    *,
    resolve: Resolve = resolve,
) -> Answer:
    """Deliver `body` once. Never raises for what the receiver or the network does."""
    seconds = receiver.timeout.total_seconds()
    try:
        headers = signed_headers(receiver.signing_keys(), message_id, now, body)
        async with asyncio.timeout(seconds):
            return await _post(receiver, headers, body, resolve)
    except (UnusableSecret, Forbidden) as error:
        return Answer(problem=str(error))
    except (TimeoutError, httpx.TimeoutException):
        return Answer(problem=f"no answer within {seconds:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
        return Answer(problem=f"cannot be reached ({type(error).__name__})")


async def _post(receiver: Receiver, headers: Mapping[str, str], body: bytes, resolve: Resolve) -> Answer:
    url = httpx.URL(receiver.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    address = _judged(url.host, await resolve(url.host, port))
    async with (
        httpx.AsyncClient(
            verify=_trust(),
            trust_env=False,
            follow_redirects=False,
            timeout=receiver.timeout.total_seconds(),
        ) as client,
        client.stream(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={**headers, "host": url.netloc.decode("ascii"), "user-agent": "fairlead"},
            # The certificate is that of the name, not of the address that is called.
            extensions={"sni_hostname": url.host},
        ) as response,
    ):
        return _answer(response)


def _judged(host: str, addresses: Sequence[str]) -> str:
    """The address to call. One that is forbidden forbids them all: a name has one meaning."""
    if not addresses:
        raise Forbidden(f"{host} has no address")
    if not all(allowed_address(host, address) for address in addresses):
        raise Forbidden(f"{host} stands for an address of a private network; it is never called")
    return addresses[0]


def _answer(response: httpx.Response) -> Answer:
    status = response.status_code
    if 200 <= status < 300:
        return Answer(status)
    problem = f"answered {status}"
    if 300 <= status < 400:
        problem += "; a redirect is never followed, name the address itself"
    text = response.headers.get("retry-after", "")
    seconds = (
        min(int(text), _MOST_RETRY_AFTER) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    )
    return Answer(status, problem, timedelta(seconds=seconds))


@cache
def _trust() -> ssl.SSLContext:
    """The certificates we believe; read once."""
    return httpx.create_ssl_context(trust_env=False)
