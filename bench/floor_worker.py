"""The floor's worker process: `python -m bench.floor_worker SPEC`, queues and slots as Fairlead's worker has.

The activity replays recorded calls with plain httpx over kept connections that are signed in already.
"""

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from bench.floor import STEP, FloorActivation, StepInput
from bench.script import Call, Script, Scripts, changing, filled, found_at


class Spec(BaseModel):
    """What one floor worker serves."""

    address: str
    namespace: str
    workflow_queue: str
    vendor_queues: dict[str, int]
    """Task queue to slots; empty when everything runs on the workflows' queue."""
    in_flight: dict[str, int]
    """System to the most calls at once, as Fairlead's worker keeps to it."""
    scripts: Scripts
    runs: dict[str, dict[str, str]] = {}
    """Run to recorded text to its own, where that does not follow from the run's name (`script.changing`)."""


class Replay:
    """Replays recorded steps against the sandbox."""

    def __init__(self, spec: Spec) -> None:
        self._scripts = {script.deal: script for script in spec.scripts.scripts}
        self._runs = spec.runs
        self._clients = {
            system: httpx.AsyncClient(
                base_url=spec.scripts.sandbox_url,
                headers=headers,
                timeout=30,
                trust_env=False,
                limits=httpx.Limits(max_connections=spec.in_flight[system]),
            )
            for system, headers in spec.scripts.headers.items()
        }

    @activity.defn(name=STEP)
    async def step(self, input: StepInput) -> dict[str, str]:
        """Make the calls of one step; the ids that later steps need."""
        script = self._scripts[input.script]
        step = script.steps[input.step]
        values = self._known(script, input)
        taken: dict[str, str] = {}
        for call in step.calls:
            answer = await self._send(self._clients[step.system], call, values)
            for recorded, path in call.takes:
                taken[recorded] = values[recorded] = found_at(answer, path)
        return taken

    def _known(self, script: Script, input: StepInput) -> dict[str, str]:
        """All values of the run so far."""
        own = self._runs.get(input.run)
        if own is None:
            own = changing(script.deal, script.firm, script.entity, script.keys, input.run)
        return own | input.ids

    async def _send(self, client: httpx.AsyncClient, call: Call, values: Mapping[str, str]) -> Any:
        answer = await client.request(
            call.method,
            filled(call.target, call, values),
            content=filled(call.body, call, values).encode() or None,
            headers=call.headers,
        )
        if answer.status_code != call.status:
            raise ApplicationError(
                f"{call.method} {call.target} was recorded with {call.status}, now it is "
                f"{answer.status_code}: {answer.text[:300]}",
                non_retryable=True,
            )
        return answer.json() if answer.content else None

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()


async def serve(spec: Spec) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(spec.address, namespace=spec.namespace)
    replay = Replay(spec)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(replay.aclose)
        own = [] if spec.vendor_queues else [replay.step]
        workers = [
            Worker(client, task_queue=spec.workflow_queue, workflows=[FloorActivation], activities=own)
        ]
        for queue, slots in spec.vendor_queues.items():
            workers.append(
                Worker(client, task_queue=queue, activities=[replay.step], max_concurrent_activities=slots)
            )
        for worker in workers:
            await stack.enter_async_context(worker)
        await stop.wait()


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m bench.floor_worker SPEC", file=sys.stderr)
        return 2
    asyncio.run(serve(Spec.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
