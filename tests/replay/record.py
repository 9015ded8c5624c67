"""Records the histories that every later version has to replay: `python -m tests.replay.record [case ...]`.

Runs the scenarios over fake systems on a real dev server (staffing is polled on the time-skipping one) and
writes `histories/<workflow>/<version>-<case>.json`. A file is added for a new version; those of older
versions stay as long as a process that was started under them may still run.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from local.temporal_server import find_binary, tuning_flags
from runtime.plugin import FairleadPlugin
from runtime.visibility import add, register
from store.sql import migrate
from store.sql.address import sqlite_url
from store.sql.engine import open_store
from tests.replay.scenarios import IN_VIRTUAL_TIME, ON_DEV_SERVER, WITH_TIME_SKIPPING, Scenario
from tests.support.activation_firm import running_firm
from tests.support.project_billing_firm import virtual_time
from workflows.shared.search_attributes import ATTRIBUTES

HISTORIES = Path(__file__).parent / "histories"
SUGGEST_CONTINUE_AS_NEW = 40
"""Events after which the server suggests to continue as new: the real limit takes minutes to reach."""


async def record(cases: Sequence[str]) -> list[Path]:
    """Run the scenarios of `cases` (all, if none is named) and write what they left behind."""
    written = []
    for environment, scenarios in _RECORDED:
        wanted = {name: run for name, run in scenarios.items() if not cases or name in cases}
        if wanted:
            async with environment() as env:
                for name, scenario in wanted.items():
                    written += await _record(env, name, scenario)
    return written


async def _record(env: WorkflowEnvironment, name: str, scenario: Scenario) -> list[Path]:
    with tempfile.TemporaryDirectory() as folder:
        address = sqlite_url(Path(folder) / "store.db")
        migrate.upgrade(address)
        store = open_store(address)
        try:
            async with running_firm(env.client, store) as firm:
                return [await _write(name, handle) for handle in await scenario(env, firm)]
        finally:
            await store.aclose()


async def _write(name: str, handle: WorkflowHandle[Any, Any]) -> Path:
    history = await handle.fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    if started.continued_execution_run_id:
        name += "-continued"
    path = HISTORIES / started.workflow_type.name / f"{version('fairlead')}-{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.loads(history.to_json())
    # The time-skipping server leaves the id out, and a replay under another id is another process.
    text["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"] = handle.id
    path.write_text(as_text(text), encoding="utf-8")
    return path


def as_text(history: dict[str, Any]) -> str:
    """One event a line, without what belongs to the machine it was recorded on."""
    lines = ",\n".join(json.dumps(_impersonal(event), ensure_ascii=False) for event in history["events"])
    return '{"events": [\n' + lines + "\n]}\n"


def _impersonal(value: Any) -> Any:
    if isinstance(value, list):
        return [_impersonal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: "recorder" if name == "identity" else _impersonal(item)
        for name, item in value.items()
        if name not in ("stackTrace", "binaryChecksum")
    }


@asynccontextmanager
async def dev_server() -> AsyncIterator[WorkflowEnvironment]:
    limit = f"limit.historyCount.suggestContinueAsNew={SUGGEST_CONTINUE_AS_NEW}"
    environment = await WorkflowEnvironment.start_local(
        plugins=[FairleadPlugin()],
        dev_server_existing_path=str(find_binary()),
        dev_server_log_level="error",
        dev_server_extra_args=[*tuning_flags(), "--dynamic-config-value", limit],
    )
    async with environment:
        await register(environment.client, ATTRIBUTES)
        yield environment


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    environment = await WorkflowEnvironment.start_time_skipping(
        plugins=[FairleadPlugin()], test_server_existing_path=str(find_binary("temporal-test-server"))
    )
    async with environment:
        await add(environment.client, ATTRIBUTES)
        yield environment


_RECORDED = (
    (dev_server, ON_DEV_SERVER),
    (time_skipping, WITH_TIME_SKIPPING),
    (virtual_time, IN_VIRTUAL_TIME),
)
"""Where each kind of scenario runs."""


def main() -> None:
    names = [*ON_DEV_SERVER, *WITH_TIME_SKIPPING, *IN_VIRTUAL_TIME]
    parser = argparse.ArgumentParser(prog="python -m tests.replay.record", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(names)}; none means all")
    cases = parser.parse_args().cases
    unknown = [case for case in cases if case not in names]
    if unknown:
        parser.error(f"there is no case {unknown[0]!r}; there are {', '.join(names)}")
    for path in asyncio.run(record(cases)):
        print(f"histories/{path.relative_to(HISTORIES)}")


if __name__ == "__main__":
    main()
