"""The boundary of calls to systems: heartbeats, patience, one translation of failures."""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.boundary import Boundary
from activities.failures import Patience
from connectors.errors import (
    CLASSES,
    Ambiguous,
    ConnectorError,
    Rejected,
    Throttled,
    Transient,
)
from store.ports import StoreError

STARTED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATIENCE = Patience(transient=60.0, ambiguous=600.0)


def environment(
    heartbeat_timeout: timedelta | None = None, details: Sequence[Any] = (), attempt: int = 1
) -> ActivityEnvironment:
    env = ActivityEnvironment()
    env.info = dataclasses.replace(
        env.info,
        started_time=STARTED,
        heartbeat_timeout=heartbeat_timeout,
        heartbeat_details=list(details),
        attempt=attempt,
    )
    return env


async def failed(error: BaseException, after: float, env: ActivityEnvironment | None = None) -> Any:
    """What Temporal is told when `error` is raised `after` seconds."""

    @activity.defn(name="test.call")
    async def call() -> None:
        async with Boundary(PATIENCE, clock=lambda: STARTED + timedelta(seconds=after))():
            raise error

    with pytest.raises(ApplicationError) as caught:
        await (env or environment()).run(call)
    return caught.value


# -- heartbeats -------------------------------------------------------------------------------------


async def beats(env: ActivityEnvironment, wanted: int) -> list[tuple[Any, ...]]:
    """The first `wanted` heartbeats of an activity that goes on for ever."""
    seen: list[tuple[Any, ...]] = []
    enough = asyncio.Event()

    def on_heartbeat(*details: Any) -> None:
        seen.append(details)
        if len(seen) == wanted:
            enough.set()

    @activity.defn(name="test.call")
    async def call() -> None:
        async with Boundary()():
            await enough.wait()

    env.on_heartbeat = on_heartbeat
    async with asyncio.timeout(5):
        await env.run(call)
    return seen


async def test_heartbeats_carry_the_time_of_the_first_attempt() -> None:
    seen = await beats(environment(timedelta(seconds=0.04)), wanted=3)
    assert seen[:3] == [(STARTED.isoformat(),)] * 3


async def test_a_later_attempt_takes_the_first_start_over_and_passes_it_on() -> None:
    first = STARTED - timedelta(minutes=5)
    seen = await beats(environment(timedelta(seconds=0.04), [first.isoformat()], attempt=4), wanted=2)
    assert seen[:2] == [(first.isoformat(),)] * 2


async def test_a_call_that_is_over_before_the_first_beat_sends_none() -> None:
    env, seen = environment(timedelta(seconds=0.04)), []
    env.on_heartbeat = lambda *details: seen.append(details)

    @activity.defn(name="test.call")
    async def call() -> None:
        async with Boundary()():
            pass

    before = asyncio.all_tasks()
    await env.run(call)
    async with asyncio.timeout(5):
        await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
    assert seen == [], "nor later: the beats end with the call"


@pytest.mark.parametrize("error", [Transient("refused", system="kantata"), KeyError("amount")])
async def test_a_failed_call_tells_the_next_attempt_when_the_first_began(error: Exception) -> None:
    first = STARTED - timedelta(seconds=30)
    env, seen = environment(timedelta(seconds=5), [first.isoformat()], attempt=2), []
    env.on_heartbeat = lambda *details: seen.append(details)
    await failed(error, 1, env)
    assert seen == [(first.isoformat(),)]


async def test_without_a_heartbeat_timeout_there_are_none() -> None:
    env, seen = environment(None), []
    env.on_heartbeat = lambda *details: seen.append(details)

    @activity.defn(name="test.call")
    async def call() -> str:
        async with Boundary()():
            return "done"

    assert await env.run(call) == "done"
    assert seen == []


# -- classes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(set(CLASSES) - {"Transient", "Throttled", "Ambiguous"}))
async def test_what_repeating_does_not_cure_ends_at_once_with_its_facts(kind: str) -> None:
    error = CLASSES[kind](
        "The period is locked",
        system="netsuite",
        operation="create project",
        status=400,
        code="USER_ERROR",
        field="tranDate",
        rule="period.open",
        request_id="req-7",
    )
    told = await failed(error, after=1)
    assert (told.type, told.non_retryable, told.message) == (kind, True, "The period is locked")
    assert told.details[0] == {
        "system": "netsuite",
        "operation": "create project",
        "status": "400",
        "vendor code": "USER_ERROR",
        "field": "tranDate",
        "rule": "period.open",
        "request id": "req-7",
    }
    assert told.__cause__ is error


@pytest.mark.parametrize("kind", ["Transient", "Throttled", "Ambiguous"])
async def test_what_may_pass_is_repeated_when_the_system_says(kind: str) -> None:
    told = await failed(CLASSES[kind]("later", system="kantata", retry_after=7.5), after=1)
    assert (told.type, told.non_retryable, told.next_retry_delay) == (kind, False, timedelta(seconds=7.5))
    told = await failed(CLASSES[kind]("later", system="kantata"), after=1)
    assert told.next_retry_delay is None, "the profile's back-off decides"


@pytest.mark.parametrize(
    ("error", "within", "beyond"),
    [
        (Transient("refused", system="kantata"), 60, 61),
        (Ambiguous("lost", system="kantata"), 600, 601),
    ],
    ids=["transient", "ambiguous"],
)
async def test_patience_ends_by_the_time_since_the_first_attempt(
    error: ConnectorError, within: float, beyond: float
) -> None:
    assert (await failed(error, after=within)).type == error.kind
    told = await failed(error, after=beyond)
    assert (told.type, told.non_retryable) == ("Exhausted", True)
    assert told.details[0]["class"] == error.kind
    assert error.message in told.message


async def test_patience_counts_from_the_first_of_many_attempts() -> None:
    env = environment(timedelta(seconds=5), [(STARTED - timedelta(minutes=3)).isoformat()], attempt=9)
    told = await failed(Transient("refused", system="kantata"), 1, env)
    assert (told.type, "still so after 3 min" in told.message) == ("Exhausted", True)


async def test_waiting_behind_a_limit_never_exhausts() -> None:
    told = await failed(Throttled("wait", system="netsuite", retry_after=30.0), after=10_000_000)
    assert (told.type, told.non_retryable) == ("Throttled", False)


@pytest.mark.parametrize("error", [KeyError("amount"), StoreError("database is locked")])
async def test_what_nobody_classified_is_a_defect_repeated_for_a_while(error: Exception) -> None:
    told = await failed(error, after=1)
    assert (told.type, told.non_retryable) == ("Defect", False)
    assert type(error).__name__ in told.message
    told = await failed(error, after=61)
    assert (told.type, told.non_retryable) == ("Defect", True)


async def test_a_huge_text_does_not_reach_the_history() -> None:
    told = await failed(ValueError("x" * 100_000), after=1)
    assert len(told.message) == 2000


async def test_a_failure_that_is_translated_already_passes_unchanged() -> None:
    error = ApplicationError("no", type="StaleReference", non_retryable=True)
    assert await failed(error, after=1) is error


async def test_a_cancel_is_not_a_failure() -> None:
    env, entered = environment(), asyncio.Event()

    @activity.defn(name="test.call")
    async def call() -> None:
        async with Boundary(PATIENCE)():
            entered.set()
            await asyncio.Event().wait()

    running = asyncio.ensure_future(env.run(call))
    await entered.wait()
    env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_refusal_keeps_what_the_system_said() -> None:
    told = await failed(Rejected("Bitte Steuernummer prüfen", system="netsuite"), after=1)
    assert told.message == "Bitte Steuernummer prüfen"
