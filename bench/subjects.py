"""What is compared: an activation by Fairlead, and the same calls by a bare workflow."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from temporalio.client import Client, WorkflowHandle

from bench.deals import BenchDeal
from bench.floor import FloorActivation, FloorInput
from bench.script import Script
from domain.activation_process import ActivationResult
from runtime.decisions import decide
from runtime.settings import Settings
from store.ports import Store
from workflows.shared.start import start_activation

APPROVER = "practice.lead@fairlead.example"


class NotActive(RuntimeError):
    """An activation that is measured did not end as it should."""


class Subject(Protocol):
    """Something that activates deals."""

    async def activate(self, deal: BenchDeal) -> str:
        """Start, approve the staffing as soon as that can be, wait for the end; the workflow id."""

    async def park(self, deal: BenchDeal) -> str:
        """Start and leave it waiting for staffing; the workflow id."""


@dataclass
class FairleadSubject:
    """Fairlead's activation, started and decided on as the CLI does it."""

    client: Client
    settings: Settings
    firm: str
    store: Store

    async def activate(self, deal: BenchDeal) -> str:
        id = await self.park(deal)
        await decide(
            self.client,
            self.store.decisions,
            action="approve_staffing",
            process=id,
            actor=APPROVER,
            role="practice_lead",
        )
        handle = self.client.get_workflow_handle(id, result_type=ActivationResult)
        result = await handle.result()
        if result.state != "active":
            raise NotActive(f"{id} ended {result.state}: {result.reason}")
        return id

    async def park(self, deal: BenchDeal) -> str:
        started = await start_activation(
            self.client, self.settings, firm=self.firm, deal=deal.id, requested_by="bench"
        )
        return started.workflow_id


@dataclass
class FloorSubject:
    """The calls of an activation by a bare workflow; every run is a deal that nobody knows."""

    client: Client
    name: str
    workflow_queue: str
    queues: Mapping[str, str]
    """System to task queue."""
    scripts: Mapping[str, Script]
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def activate(self, deal: BenchDeal) -> str:
        handle = await self._start(deal)
        await handle.execute_update("approve_staffing", "bench", result_type=str)
        await handle.result()
        return handle.id

    async def park(self, deal: BenchDeal) -> str:
        return (await self._start(deal)).id

    async def _start(self, deal: BenchDeal) -> WorkflowHandle[FloorActivation, str]:
        script = self.scripts[deal.signature]
        run = f"{self.name[:3].upper()}{next(self._numbers):015d}".replace(" ", "0")
        groups = [
            [(number, self.queues[script.steps[number].system]) for number in group]
            for group in script.groups
        ]
        return await self.client.start_workflow(
            FloorActivation.run,
            FloorInput(script=script.deal, run=run, groups=groups, waits_before=script.waits_before),
            id=f"{self.name}/{run}".replace(" ", "-"),
            task_queue=self.workflow_queue,
        )
