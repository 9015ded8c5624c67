"""One HTTP call to one system: addressed, authenticated, classified, redacted. Never repeated.

    http = VendorHttp(system="kantata", base_url=settings.base_url, auth=StaticBearer(token), table=TABLE)
    answer = await http.call("GET", "/workspaces/5", operation="read project", write=False, expect=(200, 404))
    answer.status, answer.body["workspaces"], answer.request_id

`call` returns an `Answer` whose status is in `expect`, or raises a class of `connectors.errors`. The one
thing sent twice is a call answered 401 with a token that can be renewed: it was refused before it was read.
"""

import asyncio
import importlib.util
import logging
import sys
import time
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx

from connectors.errors import Ambiguous, ConnectorError, Rejected, Transient
from connectors.http import exact_json, oauth
from connectors.http.auth import Auth, Grant, utc_now
from connectors.http.quota import Gauge, InFlight, ReadGauges, no_gauges
from connectors.http.redaction import redact
from connectors.http.resolution import Refusal, Resolution
from connectors.http.spans import STATUS, call_span

log = logging.getLogger(__name__)

if importlib.util.find_spec("sniffio") is None:
    # httpcore asks for this optional package several times in every call, and Python searches the whole
    # path each time it is not there: a twentieth of a worker's processor time. Now it knows at once.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

OK = range(200, 300)
"""The statuses that count as success unless `expect` says otherwise."""
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 4.0
"""Idle connections are dropped before common servers (5 s) drop them: a write sent into a closing
connection would be `Ambiguous` for nothing."""

Params = Mapping[str, str | int | bool | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. `body` is exact JSON (numbers are int or Decimal), text, or None when empty."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    request_id: str = ""


class VendorHttp:
    """The HTTP side of one connector. Only `base_url`'s own host is ever called (and the token endpoint)."""

    def __init__(
        self,
        *,
        system: str,
        base_url: str,
        auth: Auth,
        table: Resolution,
        timeout: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        headers: Mapping[str, str] | None = None,
        in_flight: int = 0,
        request_id_headers: Sequence[str] = ("x-request-id",),
        read_gauges: ReadGauges = no_gauges,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`timeout`: seconds for one whole call. `in_flight`: cap of calls at once, 0 for none."""
        self.system = system
        self.base_url = _checked(base_url, system)
        self.auth = auth
        self.table = table
        self.timeout = timeout
        self.in_flight = InFlight(in_flight)
        self.gauges: Sequence[Gauge] = ()
        """The allowances of the last answer that named any."""
        self._request_id_headers = request_id_headers
        self._read_gauges = read_gauges
        self._clock = clock
        self._client = httpx.AsyncClient(
            transport=transport,
            headers={"Accept": "application/json", **(headers or {})},
            timeout=httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout / 2)),
            limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS),
            follow_redirects=False,
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        write: bool,
        params: Params | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Container[int] = OK,
        text: bool = False,
        signed_out: Callable[[httpx.Response], bool] = lambda response: response.status_code == 401,
    ) -> Answer:
        """Send one request and return its answer.

        `path` is below the base URL (or an absolute URL below it, such as a vendor's `Location`).
        `operation` names the call in business words for errors. `write` decides what a lost answer is:
        `Ambiguous` for a write, `Transient` for a read. `text`: the body is not JSON and is handed over as
        text (SOAP). `signed_out`: whether an answer refuses the token, where the status does not say it.
        Raises the classes of `connectors.errors`.
        """

        def request(authorization: Mapping[str, str]) -> httpx.Request:
            typed = {} if json is None else {"Content-Type": "application/json"}
            return self._request(
                method,
                self.url_of(path, operation),
                operation,
                params=params,
                content=content if json is None else exact_json.encode(json),
                data=form,
                headers={**typed, **(headers or {}), **authorization},
            )

        authorization = await self.auth.headers(self._exchange)
        response = await self._send(request(authorization), operation, write)
        refused = response.status_code not in expect and signed_out(response)
        if refused and self.auth.refused(authorization):
            authorization = await self.auth.headers(self._exchange)
            response = await self._send(request(authorization), operation, write)
        return self._answer(response, operation, write, expect, text)

    def url_of(self, path: str, operation: str = "") -> str:
        """The full URL of `path`. Raises `Rejected` for an absolute URL outside the base URL."""
        if "://" not in path.split("?", 1)[0]:
            return f"{self.base_url}/{path.lstrip('/')}"
        if path == self.base_url or path.startswith((self.base_url + "/", self.base_url + "?")):
            return path
        raise self._error(
            Rejected, operation, f"the address {_bare(path)} is outside {self.base_url}; not called"
        )

    def error_of(self, refusal: Refusal) -> ConnectorError:
        """The error of an answer that only the caller can see is one (such as a failed row in a 200)."""
        error = self.table.error_of(refusal, self._clock())
        return self._redacted(error)

    async def aclose(self) -> None:
        await self._client.aclose()

    def _request(self, method: str, url: str, operation: str, **parts: Any) -> httpx.Request:
        try:
            return self._client.build_request(method, url, **parts)
        except (httpx.InvalidURL, UnicodeError) as failure:
            self._fail(Rejected, operation, "the request cannot be built", failure)

    async def _send(self, request: httpx.Request, operation: str, write: bool) -> httpx.Response:
        started = time.monotonic()
        async with self.in_flight.turn():
            try:
                async with asyncio.timeout(self.timeout):
                    with call_span(self.system, operation, request.method) as span:
                        response = await self._client.send(request)
                        span.set_attribute(STATUS, response.status_code)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as failure:
                self._fail(Transient, operation, f"{self.system} cannot be reached", failure)
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as failure:
                self._fail(Rejected, operation, "the request cannot be sent as it is", failure)
            except (httpx.RequestError, TimeoutError) as failure:
                lost = "the answer was lost, so whether it landed is unknown" if write else "no answer"
                self._fail(Ambiguous if write else Transient, operation, lost, failure)
        self.gauges = self._read_gauges(response.headers) or self.gauges
        log.debug(
            "%s %s %s -> %d in %d ms (%s)",
            self.system,
            request.method,
            request.url.path,
            response.status_code,
            (time.monotonic() - started) * 1000,
            operation,
        )
        return response

    def _answer(
        self, response: httpx.Response, operation: str, write: bool, expect: Container[int], text: bool
    ) -> Answer:
        request_id = next(
            (response.headers[name] for name in self._request_id_headers if name in response.headers), ""
        )
        body, readable = (response.text, True) if text else _body(response)
        headers = dict(response.headers)
        if response.status_code not in expect:
            refusal = Refusal(operation, response.status_code, body, write, headers, request_id)
            raise self.error_of(refusal)
        if not readable:
            # A proxy's page instead of the system's answer: for a write nobody knows what happened.
            kind = Ambiguous if write else Transient
            raise self._error(kind, operation, f"the answer is not JSON: {str(body)[:200]}", request_id)
        return Answer(response.status_code, headers, body, request_id)

    async def _exchange(self, grant: Grant) -> Mapping[str, Any]:
        url = grant.url if "://" in grant.url else self.url_of(grant.url)
        request = self._request(
            "POST", url, oauth.OPERATION, data=dict(grant.form), headers=dict(grant.headers)
        )
        # Whatever the call, fetching its token writes nothing: a lost token answer is a read's failure.
        response = await self._send(request, oauth.OPERATION, write=False)
        body, _ = _body(response)
        try:
            return oauth.token_answer(
                self.system, response.status_code, body, response.headers, self._clock()
            )
        except ConnectorError as error:
            raise self._redacted(error) from None

    def _fail(self, kind: type[ConnectorError], operation: str, words: str, failure: Exception) -> NoReturn:
        detail = type(failure).__name__ + (f": {failure}" if str(failure) else "")
        # The cause holds the request with its Authorization header: it is not passed on.
        raise self._error(kind, operation, f"{words} ({detail})") from None

    def _error(
        self, kind: type[ConnectorError], operation: str, words: str, request_id: str = ""
    ) -> ConnectorError:
        message = f"{self.system}: {operation}: {words}"
        return self._redacted(kind(message, system=self.system, operation=operation, request_id=request_id))

    def _redacted(self, error: ConnectorError) -> ConnectorError:
        error.message = redact(error.message, self.auth.secrets())
        error.args = (error.message,)
        return error


def _body(response: httpx.Response) -> tuple[Any, bool]:
    """The decoded body, and whether it could be read as JSON (an empty one can)."""
    if not response.content.strip():
        return None, True
    try:
        return exact_json.decode(response.content), True
    except ValueError:
        return response.text, False


def _checked(base_url: str, system: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{system}: base_url {_bare(base_url)!r} must be http(s)://host[:port][/path]")
    if parts.username or parts.password:
        raise ValueError(f"{system}: base_url must not hold credentials; give them as secret references")
    return base_url.rstrip("/")


def _bare(url: str) -> str:
    """`url` without user, password and query, any of which may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
