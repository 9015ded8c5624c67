"""Logs: who is named in them is named on purpose."""

import json
import logging
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from runtime.logs import TALKATIVE, configure_logs, discreet

MAIL = "canary.person@people.example"


@pytest.fixture
def restored() -> Iterator[None]:
    """Logging as it was before."""
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    yield
    root.handlers[:], root.level = handlers, level
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"422: {MAIL} is not a user", "422: [mail] is not a user"),
        ("Authorization: Bearer abcdefghijkl123", "Authorization: Bearer [hidden]"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln refused", "token [hidden] refused"),
        ("effect activation/acme/1/psa.project/1 found", "effect activation/acme/1/psa.project/1 found"),
    ],
)
def test_what_others_say_names_nobody(said: str, kept: str) -> None:
    assert discreet(said) == kept


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_traces_and_libraries_name_nobody(
    log_format: str, restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(log_format, "debug")
    pay = "canary in a variable"
    try:
        raise ValueError(f"{MAIL} is refused, paid {len(pay)}")
    except ValueError:
        structlog.get_logger("fairlead").exception("write_failed", system="kantata")
        logging.getLogger("some.library").warning("sent to %s", MAIL, exc_info=True)
    logging.getLogger("some.library").debug("heard at debug")
    for name in ("httpx", "temporalio.worker._activity", "sqlalchemy.engine"):
        logging.getLogger(name).debug("payload: canary")
    told = capsys.readouterr().err
    assert "write_failed" in told
    assert "heard at debug" in told
    assert told.count("[mail]") >= 3
    assert "canary" not in told
    assert "payload" not in told


def test_lines_say_which_trace_they_belong_to(restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")
    with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
        structlog.get_logger("fairlead").info("written")
    line = json.loads(capsys.readouterr().err)
    assert line["trace_id"] == trace.format_trace_id(span.get_span_context().trace_id)
    structlog.get_logger("fairlead").info("outside")
    assert "trace_id" not in json.loads(capsys.readouterr().err)


@workflow.defn(name="Warns")
class Warns:
    @workflow.run
    async def run(self) -> str:
        workflow.logger.warning("from inside of the sandbox")
        return "done"


async def test_a_workflow_may_log(
    temporal_env: WorkflowEnvironment, restored: None, capfd: pytest.CaptureFixture[str]
) -> None:
    """The formatter runs inside of Temporal's sandbox, where much is forbidden."""
    configure_logs("json", "debug")
    queue = f"q-{uuid.uuid4().hex[:8]}"
    async with Worker(temporal_env.client, task_queue=queue, workflows=[Warns]):
        answer: Any = await temporal_env.client.execute_workflow("Warns", id=queue, task_queue=queue)
    sys.stderr.flush()
    assert answer == "done"
