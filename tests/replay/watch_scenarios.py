"""What is recorded of the watch over alerts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.activation_firm import NOW, Firm
from tests.support.watch_firm import running_watch, watched_contract, work

Handle = WorkflowHandle[Any, Any]


async def watched(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """Every rule is looked at; two of them find something."""
    async with running_watch(firm.client, firm.store) as watch:
        await _neglected(firm)
        await watch.watch()
        return watch.runs


async def watched_in_part(env: WorkflowEnvironment, firm: Firm) -> Sequence[Handle]:
    """One rule cannot be looked at; the others are, and it becomes an alert."""

    async def unreadable(*_: Any) -> None:
        raise ApplicationError("the store cannot be read", non_retryable=True)

    async with running_watch(firm.client, firm.store) as watch:
        await _neglected(firm)
        firm.store.billing.unbilled = unreadable
        await watch.watch()
        return watch.runs


async def _neglected(firm: Firm) -> None:
    """Work of half a year ago, whose billing never began."""
    start = (NOW - timedelta(days=180)).date()
    await firm.store.billing.put_contract(watched_contract(start))
    await firm.store.billing.take_in([work("a", start), work("b", start, hours=2)])
