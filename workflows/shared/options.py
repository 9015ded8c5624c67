"""Named profiles of activity options; no timeout is written anywhere else.

No schedule-to-close on system queues: waiting behind a rate limit is not failure. Vendor calls carry a
heartbeat timeout, which is how a dead worker is found long before the call's own timeout.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from domain.policy import Route, Timing

_VENDOR_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=2),
)
_OWN_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)

_SWEEP_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=4.0, maximum_attempts=5
)


def poll(route: Route, timing: Timing, summary: str, give_up_after: timedelta) -> ActivityConfig:
    """A read that the next tick repeats anyway: the one exception to waiting without end."""
    config = read(route, timing, summary)
    config["schedule_to_close_timeout"] = give_up_after
    return config


def read(route: Route, timing: Timing, summary: str) -> ActivityConfig:
    """A read of a system."""
    return ActivityConfig(
        task_queue=route.task_queue,
        start_to_close_timeout=timedelta(seconds=timing.read_timeout),
        heartbeat_timeout=timedelta(seconds=timing.heartbeat_timeout),
        retry_policy=_VENDOR_RETRY,
        summary=summary,
    )


def bulk(route: Route, timing: Timing, summary: str, calls: int) -> ActivityConfig:
    """So many reads one after the other; its heartbeats carry the position that a retry goes on from."""
    config = read(route, timing, summary)
    config["start_to_close_timeout"] = timedelta(seconds=timing.read_timeout * calls)
    return config


def write(route: Route, timing: Timing, summary: str, *, urgent: bool = False) -> ActivityConfig:
    """A write: a cancel waits for its outcome, so that no undo runs before the write has landed."""
    config = read(route, timing, summary)
    config["start_to_close_timeout"] = timedelta(seconds=timing.write_timeout)
    config["cancellation_type"] = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    if urgent:
        config["priority"] = Priority(priority_key=1)
    return config


def bookkeeping(summary: str, timing: Timing | None = None) -> LocalActivityConfig:
    """Our own store, inside the workflow task: no round trip to the server.

    Only for short calls that are idempotent by a key of their own, since a worker that dies before its
    task is recorded repeats them. Their failure reaches the workflow as `ApplicationError`.
    """
    return LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=(timing or Timing()).own_timeout),
        retry_policy=_OWN_RETRY,
        summary=summary,
    )


def sweep(summary: str, timing: Timing | None = None) -> ActivityConfig:
    """A look through our own store that the next tick repeats anyway; it heartbeats at each page.

    It is given up after a few attempts: what fails then is told, and must not hold up the rest.
    """
    own_timeout = (timing or Timing()).own_timeout
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=own_timeout * 20),
        heartbeat_timeout=timedelta(seconds=own_timeout),
        retry_policy=_SWEEP_RETRY,
        summary=summary,
    )


def own(summary: str, timing: Timing | None = None) -> ActivityConfig:
    """A call to Fairlead's own store, on the workflow's own queue (eager)."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=(timing or Timing()).own_timeout),
        retry_policy=_OWN_RETRY,
        summary=summary,
    )
