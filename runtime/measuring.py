"""What is measured as it happens: attempts of activities, and what becomes of each external write."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from connectors.errors import ConnectorError
from runtime.metrics import Figures, WorkerFigures
from runtime.store_with import store_with
from store.ports import EffectRow, Store

EVERY = 15.0
"""Seconds between two readings of the store."""
_OUTCOMES = {"confirm": "confirmed", "reject": "rejected", "doubt": "ambiguous", "undo": "undone"}
_KNOWN = frozenset({"Defect", "Exhausted", "cancelled"})

_log = structlog.get_logger("fairlead.metrics")


class MeasuringInterceptor(Interceptor):
    """Duration and outcome of every attempt, by the system its task queue serves."""

    def __init__(self, figures: WorkerFigures) -> None:
        self._figures = figures

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Measured(next, self._figures)


class _Measured(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, figures: WorkerFigures) -> None:
        super().__init__(next)
        self._figures = figures

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        system = self._figures.system(activity.info().task_queue)
        began, outcome = time.monotonic(), "failed"
        try:
            result = await self.next.execute_activity(input)
            outcome = "done"
        except (Exception, asyncio.CancelledError) as error:
            self._failed(system, error)
            raise
        finally:
            self._figures.calls.labels(system, outcome).observe(time.monotonic() - began)
        return result

    def _failed(self, system: str, error: BaseException) -> None:
        self._figures.failures.labels(system, failure_class(error)).inc()
        delay = error.next_retry_delay if isinstance(error, ApplicationError) else None
        if delay is not None and failure_class(error) == "Throttled":
            self._figures.throttled.labels(system).inc(delay.total_seconds())


def failure_class(error: BaseException) -> str:
    """A word of a short list: a class of `connectors.errors`, `Exhausted`, `Defect`, `cancelled`, `other`."""
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    name = (error.type or "") if isinstance(error, ApplicationError) else "Defect"
    return name if name in _KNOWN or name in _connector_classes() else "other"


def _connector_classes() -> frozenset[str]:
    return frozenset(kind.__name__ for kind in ConnectorError.__subclasses__())


def counting_effects(store: Store, figures: WorkerFigures) -> Store:
    """`store`, whose effect journal counts what becomes of each write."""
    return store_with(store, effects=_Journal(store.effects, figures))


class _Journal:
    """The effect journal, counting after each change has landed."""

    def __init__(self, journal: Any, figures: WorkerFigures) -> None:
        self._journal = journal
        self._figures = figures

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._journal, name)
        return self._counted(name, method) if name in (*_OUTCOMES, "begin") else method

    def _counted(
        self, name: str, method: Callable[..., Awaitable[EffectRow]]
    ) -> Callable[..., Awaitable[EffectRow]]:
        async def call(*arguments: Any, **named: Any) -> EffectRow:
            row = await method(*arguments, **named)
            if name == "begin":
                outcome = "intended" if row.fresh else ""
            else:
                outcome = "found" if named.get("found") else _OUTCOMES[name]
            if outcome:
                self._figures.effects.labels(row.system, outcome).inc()
            return row

        return call


async def keep_standing(store: Store, figures: Figures, every: float = EVERY) -> None:
    """Read the store again and again until cancelled; a reading that fails is tried again."""
    while True:
        try:
            figures.stand(await store.standing.figures())
        except Exception as error:
            _log.warning("store_not_read", error=type(error).__name__)
        await asyncio.sleep(every)
