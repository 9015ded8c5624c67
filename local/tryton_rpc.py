"""Tryton's JSON-RPC, as far as setting up its books needs it (Tryton 8.0, `POST /<database>/rpc/`).

The connector has its own: this one runs once, as administrator, against a server on this machine.
"""

import base64
from datetime import date
from decimal import Decimal
from typing import Any, Self

import httpx
import simplejson


class RpcError(RuntimeError):
    """Tryton refused a call; the text holds its words."""


class Rpc:
    """A signed-in session. Close it."""

    def __init__(self, base_url: str, database: str, user: str, password: str, timeout: float = 60.0) -> None:
        self._client = httpx.Client(timeout=timeout, trust_env=False)
        self._url = f"{base_url}/{database}/rpc/"
        self.context: dict[str, Any] = {}
        signed_in = self.call("common.db.login", user, {"password": password}, "en", context=False)
        user_id, token = signed_in[0], signed_in[1]
        session = base64.b64encode(f"{user}:{user_id}:{token}".encode()).decode()
        self._client.headers["Authorization"] = f"Session {session}"

    def call(self, method: str, *params: Any, context: bool = True) -> Any:
        """The result of one call. Raises `RpcError`."""
        given = [*params, self.context] if context else list(params)
        body = {"id": 1, "method": method, "params": [encoded(each) for each in given]}
        answer = self._client.post(
            self._url, content=simplejson.dumps(body), headers={"Content-Type": "application/json"}
        )
        if answer.status_code != httpx.codes.OK:
            raise RpcError(f"{method}: HTTP {answer.status_code}: {answer.text[:300]}")
        said = simplejson.loads(answer.content, use_decimal=True)
        if "error" in said:
            raise RpcError(f"{method}: {said['error']}")
        return said["result"]

    def create(self, model: str, *records: dict[str, Any]) -> list[int]:
        """Ids of new records, in order."""
        made = self.call(f"model.{model}.create", list(records))
        return [int(each) for each in made]

    def search(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        found = self.call(f"model.{model}.search_read", domain, 0, None, [["id", "ASC"]], list(fields))
        return list(found)

    def write(self, model: str, ids: list[int], values: dict[str, Any]) -> None:
        self.call(f"model.{model}.write", ids, values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def encoded(value: Any) -> Any:
    """`value` in Tryton's own JSON: decimals and dates are objects with a `__class__`."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": f"{value:f}"}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, dict):
        return {name: encoded(each) for name, each in value.items()}
    return [encoded(each) for each in value] if isinstance(value, list | tuple) else value
