"""`POST /codec/decode` and `/codec/encode`: payloads opened for the Web UI, and sealed by it.

Temporal's contract of a codec server: the body is a `Payloads` message as JSON, the answer is another one.
The browser calls it from the Web UI's origin, so that origin is named (CORS); whoever is not authenticated,
or may not read what processes hold, gets nothing. Who had how many payloads opened is logged, never what
stood in them.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence

import structlog
from fastapi import APIRouter, Request, Response
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from domain.access import Caller, Function
from gateway.access import requires
from gateway.hooks import body_of
from gateway.problems import Refusal
from runtime.codec import CodecError

MAX_BODY = 4 * 1024 * 1024
"""Bytes: what Temporal lets one history event hold is half of it, and base64 adds a third."""
_HEADERS = "authorization,content-type,x-namespace"
_DAY = "86400"

Change = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]

_log = structlog.get_logger("fairlead.gateway.codec")


def routes(codec: PayloadCodec, origins: Collection[str]) -> APIRouter:
    """Both directions for the Web UI at `origins`."""
    router = APIRouter(prefix="/codec", tags=["codec"])
    caller = requires(Function.DECODE_PAYLOADS)

    @router.post("/decode")
    async def decode(request: Request, by: Caller = caller) -> Response:
        """The payloads of the body, opened."""
        return await _answer(request, "decode", codec.decode, origins, by)

    @router.post("/encode")
    async def encode(request: Request, by: Caller = caller) -> Response:
        """The payloads of the body, sealed."""
        return await _answer(request, "encode", codec.encode, origins, by)

    @router.options("/decode", include_in_schema=False)
    @router.options("/encode", include_in_schema=False)
    async def preflight(request: Request) -> Response:
        """What a browser asks before it sends credentials across origins."""
        allowed = _allowed(request, origins)
        if not allowed:
            raise Refusal(403, "Requests from this origin are not answered.", reason="origin not configured")
        more = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": _DAY,
        }
        return Response(status_code=204, headers={**allowed, **more})

    return router


async def _answer(
    request: Request, direction: str, change: Change, origins: Collection[str], by: Caller
) -> Response:
    payloads = _payloads(await body_of(request, MAX_BODY))
    try:
        changed = await change(payloads)
    except CodecError as error:
        _log.warning("codec_failed", direction=direction, by=by.actor, reason=str(error))
        raise Refusal(400, "These payloads cannot be opened with the keys of this gateway.") from None
    _log.info(f"codec_{direction}d", by=by.actor, payloads=len(payloads))
    return Response(
        json_format.MessageToJson(Payloads(payloads=changed), indent=None),
        headers={**_allowed(request, origins), "Cache-Control": "no-store"},
        media_type="application/json",
    )


def _payloads(body: bytes) -> list[Payload]:
    try:
        message = json_format.Parse(body, Payloads())
    except (json_format.ParseError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "The body is not a Payloads message as JSON.") from None
    return list(message.payloads)


def _allowed(request: Request, origins: Collection[str]) -> dict[str, str]:
    """Headers that let the origin of the request read the answer; none where it may not."""
    origin = request.headers.get("origin", "")
    if origin not in origins:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
    }
