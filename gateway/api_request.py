"""What a request of the API says: strict JSON of a known form, no query nobody knows, never echoed."""

import re
from collections.abc import Collection
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from domain.events import Problem
from gateway import strict_json
from gateway.deadline import Deadline
from gateway.hooks import body_of
from gateway.problems import Refusal

MAX_BODY = 64 * 1024
"""Bytes."""
_JSON = re.compile(r"application/json *(; *charset=\"?utf-8\"?)? *", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")

M = TypeVar("M", bound=BaseModel)


async def read_model(request: Request, model: type[M]) -> M:
    """The body as `model`. Raises `Refusal` (400, 408, 413, 415, 422)."""
    only_query(request, ())
    _require_plain_json(request)
    content = await body_of(request, MAX_BODY, Deadline.of(request).left)
    try:
        return model.model_validate(strict_json.read_object(content))
    except strict_json.BadJson as error:
        raise Refusal(400, f"The body cannot be read: {error}.") from None
    except ValidationError as error:
        detail = "The body does not have the form this address needs; /v1/openapi.json describes it."
        raise Refusal(422, detail, problems=problems_of(error)) from None


def problems_of(error: ValidationError) -> list[Problem]:
    """What is wrong with each field, without any text of the sender: a refused field's name is theirs."""
    found: dict[Problem, None] = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        path = fault["loc"]
        if fault["type"] == "extra_forbidden":
            problem = Problem(".".join(map(str, path[:-1])) or "body", "holds a field that is not known here")
        else:
            words = fault["msg"].removeprefix("Value error, ")
            problem = Problem(".".join(map(str, path)) or "body", words)
        found[problem] = None
    return list(found)


def only_query(request: Request, known: Collection[str]) -> None:
    """Raises `Refusal` (422) for a parameter that is not `known`, or given twice."""
    given = [name for name, _ in request.query_params.multi_items()]
    if len(given) != len(set(given)) or not set(given) <= set(known):
        takes = f"takes {', '.join(known)}, each once" if known else "takes none"
        raise Refusal(422, f"The query holds what is not known here: this address {takes}.")


def identifier(text: str) -> str:
    """A business key of the path. Raises `Refusal` (404): what cannot be one is not there either."""
    if not _ID.fullmatch(text):
        raise Refusal(404, "There is nothing of that id.")
    return text


def flag(request: Request, name: str) -> bool:
    """A yes or no of the query; no without it. Raises `Refusal` (422)."""
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise Refusal(422, "The query has another form.", problems=[Problem(name, "must be true or false")])
    return text == "true"


def idempotency_key(request: Request) -> str:
    """The `Idempotency-Key` header; empty without one. Raises `Refusal` (400)."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return ""
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Refusal(400, "Idempotency-Key must stand once, with 1 to 200 printable ASCII characters.")
    return given[0]


def _require_plain_json(request: Request) -> None:
    types = request.headers.getlist("content-type")
    if len(types) != 1 or not _JSON.fullmatch(types[0]):
        raise Refusal(415, "The body must be sent as Content-Type: application/json, in UTF-8.")
    if "content-encoding" in request.headers:
        raise Refusal(415, "The body must be sent without Content-Encoding.")
