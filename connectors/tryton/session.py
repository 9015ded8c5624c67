"""Signing in to Tryton: a session for a user and password, renewed once when a call is answered 401.

Source: `common.db.login` of Tryton 8.0. Some calls (posting, paying) also want a session used within the
last five minutes; an older one is answered 401 and a new one serves.
"""

import asyncio
import base64
from collections.abc import Collection, Mapping
from typing import Any

from connectors.errors import Rejected
from connectors.http.auth import Exchange
from connectors.http.transport import VendorHttp

OPERATION = "sign in"


class Anonymous:
    """No proof of who we are, for the call that signs in; its errors never show `secret`."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        return {}

    def refused(self, headers: Mapping[str, str]) -> bool:
        return False

    def secrets(self) -> Collection[str]:
        return (self._secret,)


class SessionAuth:
    """`Authorization: Session base64(user:user id:token)`."""

    def __init__(self, door: VendorHttp, path: str, user: str, password: str) -> None:
        """`door` sends the call that signs in; `path` is the database's."""
        self._door = door
        self._path = path
        self._user = user
        self._password = password
        self._lock = asyncio.Lock()
        self._session = ""

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        async with self._lock:
            if not self._session:
                self._session = await self._sign_in()
            return self._header()

    def refused(self, headers: Mapping[str, str]) -> bool:
        # Many calls may fail on one expired session; only the first drops it, the others use the new one.
        if headers.get("Authorization") == self._header()["Authorization"]:
            self._session = ""
        return True

    def secrets(self) -> Collection[str]:
        return tuple(each for each in (self._password, self._session) if each)

    async def aclose(self) -> None:
        await self._door.aclose()

    def _header(self) -> dict[str, str]:
        return {"Authorization": f"Session {self._session}"}

    async def _sign_in(self) -> str:
        params = [self._user, {"password": self._password}, "en"]
        body = {"id": 0, "method": "common.db.login", "params": params}
        answer = await self._door.call("POST", self._path, operation=OPERATION, write=False, json=body)
        user_id, token = self._signed_in(answer.body)
        return base64.b64encode(f"{self._user}:{user_id}:{token}".encode()).decode()

    def _signed_in(self, body: Any) -> tuple[int, str]:
        result = body.get("result") if isinstance(body, Mapping) else None
        match result:
            case [int() as user_id, str() as token, *_]:
                return user_id, token
        system = self._door.system
        raise Rejected(
            f"{system}: {OPERATION}: the answer holds no session; is the database named right?",
            system=system,
            operation=OPERATION,
            field="result",
            rule="schema.missing_field",
        )
