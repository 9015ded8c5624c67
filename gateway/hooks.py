"""`POST /hooks/<source>`: verify, keep in the inbox, answer, dispatch; in this order and no other.

The answer never waits for Temporal. A source that is not registered does not exist (404). Nothing of a
refused delivery is repeated to its sender; the reason is in the log.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from gateway import intake, outbound_message
from gateway.background import Background
from gateway.problems import Refusal
from gateway.registration import Hook, UnusableSecret
from gateway.verification import Delivery, NotVerified, signed_at, verify
from store.ports import InboxRow, Store

MAX_BODY = 256 * 1024
"""Bytes."""
BODY_TIMEOUT = 10.0
"""Seconds a sender has to send its body."""

_log = structlog.get_logger("fairlead.gateway.hooks")


def routes(
    hooks: Mapping[str, Hook], store: Store, background: Background, now: Callable[[], datetime]
) -> APIRouter:
    """The intake of all registered sources."""
    router = APIRouter(tags=["events"])
    receiver = _Receiver(hooks, store, background, now)

    @router.post("/hooks/{source}", status_code=202)
    async def receive(source: str, request: Request) -> Response:
        """Accept one event, signed by the scheme its source is registered with."""
        return await receiver.receive(source, "", request)

    @router.post("/hooks/{source}/{secret:path}", status_code=202)
    async def receive_at_secret_address(source: str, secret: str, request: Request) -> Response:
        """Accept events of a source that cannot sign: the last part of the address is its secret."""
        return await receiver.receive(source, secret, request)

    return router


_REPLAYED = Refusal(409, "This very delivery was received before; nothing was done again.", reason="replayed")


class _Receiver:
    def __init__(
        self,
        hooks: Mapping[str, Hook],
        store: Store,
        background: Background,
        now: Callable[[], datetime],
    ) -> None:
        self._hooks = hooks
        self._store = store
        self._background = background
        self._now = now

    async def receive(self, source: str, path_secret: str, request: Request) -> Response:
        hook = self._hook(source, path_secret, request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        delivery = Delivery(headers, await body_of(request), path_secret)
        now = self._now()
        try:
            message_id = verify(hook, delivery, now)
            rows = intake.rows(hook, delivery, message_id, now)
        except (NotVerified, UnusableSecret, Refusal) as error:
            raise _refusal(hook, error, _peer(request)) from None
        fresh = [row for row in rows if await self._kept(row)]
        if not fresh and await self._is_replay(hook, delivery, rows):
            raise _refusal(hook, _REPLAYED, _peer(request))
        self._background.submit(fresh)
        return _answer(hook, rows, fresh)

    def _hook(self, source: str, path_secret: str, request: Request) -> Hook:
        hook = self._hooks.get(source)
        takes_secret = hook is not None and hook.scheme == "salesforce-outbound-message"
        if hook is None or (path_secret and not takes_secret):
            _log.warning("unregistered_hook", source=ascii(source[:80]), peer=_peer(request))
            raise Refusal(404, "No event source is registered at this address.")
        return hook

    async def _is_replay(self, hook: Hook, delivery: Delivery, rows: list[InboxRow]) -> bool:
        """Whether this very delivery was received before. A sender that delivers again signs again."""
        signed = signed_at(delivery) if hook.scheme != "salesforce-outbound-message" else None
        known = await self._store.inbox.get(rows[0].id)
        return signed is not None and known is not None and signed <= known.received_at

    async def _kept(self, row: InboxRow) -> bool:
        """Whether the row is new. The same id with other content is the source's fault: logged."""
        if await self._store.inbox.put(row):
            _log.info("event_received", event_id=row.id, type=row.type, subject=row.subject)
            return True
        known = await self._store.inbox.get(row.id)
        if known is not None and known.body != row.body:
            _log.warning("event_id_used_for_other_content", event_id=row.id, type=row.type)
        else:
            _log.info("event_repeated", event_id=row.id, type=row.type)
        return False


async def body_of(request: Request, most: int = MAX_BODY, seconds: float | None = None) -> bytes:
    """The body, never more than `most` bytes of it in memory, arrived within `seconds`. Raises `Refusal`."""
    seconds = BODY_TIMEOUT if seconds is None else seconds
    too_large = Refusal(413, f"The body is larger than {most} bytes.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > most:
        raise too_large
    parts = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                parts += part
                if len(parts) > most:
                    raise too_large
    except ClientDisconnect:
        raise Refusal(400, "The body ended before its end.") from None
    except TimeoutError:
        raise Refusal(408, f"The body did not arrive within {seconds:.0f} s.") from None
    return bytes(parts)


def _refusal(hook: Hook, error: NotVerified | UnusableSecret | Refusal, peer: str) -> Refusal:
    """The refusal as the sender sees it; the log gets the reason."""
    if isinstance(error, UnusableSecret):
        _log.error("hook_unusable", source=hook.source, owner=hook.owner.value, reason=str(error))
        detail = "This source cannot be verified at the moment; Fairlead's log says why. Send it again."
        return Refusal(503, detail, headers={"Retry-After": "60"})
    _log.warning(
        "delivery_refused",
        source=hook.source,
        owner=hook.owner.value,
        peer=peer,
        status=error.status,
        reason=error.reason,
    )
    if isinstance(error, Refusal):
        return error
    headers = {"WWW-Authenticate": f'Webhook scheme="{hook.scheme}"'} if error.status == 401 else {}
    return Refusal(error.status, "The delivery is not verified as coming from this source.", headers=headers)


def _answer(hook: Hook, rows: list[InboxRow], fresh: list[InboxRow]) -> Response:
    if hook.scheme == "salesforce-outbound-message":
        return Response(outbound_message.ACK, 200, media_type="text/xml")
    event = rows[0].id
    if fresh:
        return JSONResponse({"event": event, "status": "accepted"}, 202)
    return JSONResponse({"event": event, "status": "duplicate"}, 200)


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""
