"""The request log (the last 5,000, in memory) and counters per system, for `/_requests` and `/_stats`."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.core import clock

KEPT = 5000


@dataclass(slots=True)
class Counters:
    """What a system has answered since the start or the last reset."""

    total: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    max_in_flight: int = 0


class RequestLog:
    """Who asked what, how it was answered, and which fault struck."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._counters: dict[str, Counters] = {}

    def begin(self, system: str) -> int:
        """Count a request in; returns how many are in flight now."""
        counters = self._of(system)
        counters.in_flight += 1
        counters.max_in_flight = max(counters.max_in_flight, counters.in_flight)
        return counters.in_flight

    def end(
        self,
        system: str,
        method: str,
        path: str,
        status: int | None,
        faults: list[str],
        ms: float,
        in_flight: int,
    ) -> None:
        """Count a request out. `status` None: no complete answer was sent."""
        counters = self._of(system)
        counters.in_flight -= 1
        counters.total += 1
        counters.by_status["broken" if status is None else str(status)] += 1
        entry = {"at": clock.iso(clock.now()), "system": system, "method": method, "path": path}
        entry |= {"status": status, "fault": ",".join(faults) or None}  # type: ignore[dict-item]
        self._entries.append({**entry, "duration_ms": round(ms, 3), "in_flight": in_flight})

    def shown(self, system: str | None, limit: int) -> list[dict[str, Any]]:
        """The last `limit` requests, newest last."""
        entries = [entry for entry in self._entries if system in (None, entry["system"])]
        return entries[-limit:] if limit else []

    def stats(self) -> dict[str, Any]:
        """Counters per system."""
        return {
            name: {
                "total": counters.total,
                "by_status": dict(sorted(counters.by_status.items())),
                "in_flight": counters.in_flight,
                "max_in_flight": counters.max_in_flight,
            }
            for name, counters in self._counters.items()
        }

    def clear(self) -> None:
        """Forget everything but what is in flight."""
        self._entries.clear()
        for counters in self._counters.values():
            counters.total, counters.max_in_flight = 0, counters.in_flight
            counters.by_status.clear()

    def _of(self, system: str) -> Counters:
        return self._counters.setdefault(system, Counters())
