"""Errors as problem details (RFC 9457): one shape for every refusal, without a stack, secret or echo."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.events import Problem
from store.ports import StoreError

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger("fairlead.gateway")


class Refusal(Exception):
    """A request is refused. `detail` and `problems` go to the sender, `reason` only to the log."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str = "",
        problems: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason or detail)
        self.status = status
        self.detail = detail
        self.reason = reason or detail
        self.problems = tuple(problems)
        self.headers = dict(headers or {})


def problem(
    status: int,
    detail: str,
    *,
    problems: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document. `type` stays `about:blank`: the status and its title say the kind."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    fields = [{"field": each.field, "problem": each.message} for each in problems]
    if fields:
        document["errors"] = fields
    return JSONResponse(document, status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every error of `app` into a problem document."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(StoreError, _store_error)
    app.add_middleware(_LastResort)


_DETAILS = {
    404: "There is nothing at this address; GET / lists what there is.",
    405: "This address does not answer that method; the Allow header names those it does.",
}


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)  # noqa: S101 (registered for this type only)
    return problem(error.status, error.detail, problems=error.problems, headers=error.headers)


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    detail = _DETAILS.get(error.status_code, HTTPStatus(error.status_code).description or "Refused.")
    return problem(error.status_code, detail, headers=error.headers)


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = [Problem(".".join(map(str, one["loc"][:2])), one["type"]) for one in error.errors()]
    return problem(422, "The request does not have the form this address needs.", problems=found)


async def _store_error(request: Request, error: Exception) -> JSONResponse:
    _log.error("store_unavailable", reason=str(error))
    return problem(
        503,
        "Fairlead's store does not answer; nothing was kept, send it again.",
        headers={"Retry-After": "10"},
    )


class _LastResort:
    """Whatever else goes wrong: logged with its trace, answered 500 without it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            _log.exception("request_failed", method=scope["method"], error=type(error).__name__)
            if not started:
                answer = problem(500, "Fairlead failed on this request; its log says why. Send it again.")
                await answer(scope, receive, send)
