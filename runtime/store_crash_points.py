"""Crash points around what billing writes into our own store, as there are around every external write.

`before_call` is before the transaction, `after_record` after it, while its activity is not completed. The
key of a point is the call and what it is about: `store/settle/<invoice>`, `store/take_in/<first entry>`,
`store/cover/<invoice>/entries`, `store/release/<invoice>`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from runtime.store_with import store_with
from store.ports import Store

CrashPoint = Callable[[str, str], None]

_CALLS = ("take_in", "cover", "settle", "release")


def with_crash_points(store: Store, crash_point: CrashPoint) -> Store:
    """`store`, whose billing writes ask `crash_point` before and after."""
    return store_with(store, billing=_Billing(store.billing, crash_point))


def store_key(call: str, about: str) -> str:
    """Key of the crash points around one write: see above."""
    return f"store/{call}/{about}"


class _Billing:
    """Billing with crash points around its writes."""

    def __init__(self, billing: Any, crash_point: CrashPoint) -> None:
        self._billing = billing
        self._crash_point = crash_point

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._billing, name)
        return self._attacked(name, method) if name in _CALLS else method

    def _attacked(self, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            about = _about(name, *arguments, **named)
            if about is None:
                return await method(*arguments, **named)
            key = store_key(name, about)
            self._crash_point("before_call", key)
            answer = await method(*arguments, **named)
            self._crash_point("after_record", key)
            return answer

        return call


def _about(call: str, first: Any, *rest: Any, **named: Any) -> str | None:
    """What a call is about; None when it writes nothing."""
    if call == "take_in":
        return str(first[0].key) if first else None
    if call == "cover":
        return f"{first}/entries" if named.get("entries") else f"{first}/events"
    return str(first)
