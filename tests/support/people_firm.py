"""A firm whose people come from the Workday emulator and are staffed in the Kantata emulator."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.attention import AttentionActivities
from activities.boundary import Boundary
from activities.decisions import DecisionActivities
from activities.effects import EffectRunner
from activities.failures import Patience
from activities.process import ProcessActivities
from activities.resources import ResourceActivities
from activities.resources_hr import HrActivities
from activities.resources_psa import PsaPeopleActivities
from connectors.kantata.client import KantataClient
from connectors.kantata.client import build as build_kantata
from connectors.kantata.settings import KantataSettings
from connectors.workday.client import WorkdayClient
from connectors.workday.client import build as build_workday
from connectors.workday.settings import WorkdaySettings
from domain.attention import Decision, DecisionAction, DecisionRef
from domain.policy import Route
from domain.resource_sync import RESOURCES, ResourcesPolicy, ResourceSyncState, ResourceSyncView, WakeSync
from sandbox.settings import SandboxSettings
from serving import methods
from tests.contract.bench import Bench
from tests.support.activation_firm import FirmFile, a_policy
from workflows.resource_sync import ResourceSync
from workflows.resource_tick import WakeResourceSync
from workflows.shared.search_attributes import initial_attributes

HR, PSA = "workday", "kantata"
FIRST = datetime.now(UTC).date()
POLICY = ResourcesPolicy(overlap_seconds=2, hr_project="CLIENT-WORK")


class PeopleBench:
    """One sandbox that is HR and PSA."""

    def __init__(self, home: Path, workers: int) -> None:
        self.settings = SandboxSettings(home=home, quiet=True, deals=0, customers=1, workers=workers)
        self.psa = Bench(self.settings, PSA)

    def kantata(self) -> KantataClient:
        settings = KantataSettings(
            base_url=f"{self.psa.origin}/kantata/api/v1",
            token=self.settings.kantata_token,
            feed_overlap_seconds=1,
        )
        return build_kantata(PSA, settings, transport=self.psa.transport)

    def workday(self) -> WorkdayClient:
        base, tenant = f"{self.psa.origin}/workday", self.settings.workday_tenant
        settings = WorkdaySettings(
            base_url=base,
            tenant=tenant,
            token_url=f"{base}/ccx/oauth2/{tenant}/token",
            client_id=self.settings.workday_client_id,
            client_secret=self.settings.workday_secret,
            refresh_token=self.settings.workday_refresh_token,
            calendar_report="ISU_Fairlead/Fairlead_Work_Calendars",
            feed_overlap_seconds=0,
        )
        return build_workday(HR, settings, transport=self.psa.transport)

    async def landed(self, system: str, object: str = "") -> list[dict[str, Any]]:
        """Our writes that landed in a system, as its own log has them."""
        filters = {"system": system} | ({"object": object} if object else {})
        found = (await self.psa.get("/_effects", filters))["effects"]
        return [one for one in found if str(one["effect_key"] or "").startswith(f"{RESOURCES}/")]

    async def count(self, system: str, object: str = "") -> int:
        return sum(one["count"] for one in await self.landed(system, object))

    async def hr(self, thing: str, fields: dict[str, Any], id: str = "") -> dict[str, Any]:
        """A person enters or edits a record in HR's screens."""
        return dict(await self.psa.post(f"/_control/workday/{thing}{f'/{id}' if id else ''}", fields))

    async def rows(self, system: str, thing: str) -> list[dict[str, Any]]:
        return list((await self.psa.get(f"/_control/{system}/{thing}"))["records"])

    async def plan(self, user: str, minutes: int, ends: str, workspace: str = "1", times: int = 1) -> str:
        """Somebody is named on a project in the PSA's screens; the id of the (last) allocation."""
        named = {"workspace_id": int(workspace), "user_id": int(user)}
        seat = await self.psa.add("workspace_resources", named)
        asked = {"resource_id": int(seat["id"]), "start_date": FIRST.isoformat(), "end_date": ends}
        made: dict[str, Any] = {}
        for _ in range(times):
            made = await self.psa.add("workspace_allocations", {**asked, "minutes": minutes, "hard": True})
        return str(made["id"])

    async def aclose(self) -> None:
        await self.psa.aclose()


@dataclass
class PeopleFirm:
    """A running sync between the two emulators, or fakes in their place."""

    client: Client
    store: Any
    queue: str
    hr: str = HR
    firm: str = field(default_factory=lambda: f"acme-{uuid.uuid4().hex[:8]}")

    @property
    def process(self) -> str:
        return f"{RESOURCES}/{self.firm}/{self.hr}"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.process)

    async def start(self, **state: Any) -> WorkflowHandle[Any, Any]:
        return await self.client.start_workflow(
            ResourceSync.run,
            ResourceSyncState(firm=self.firm, hr=self.hr, psa=PSA, **state),
            id=self.process,
            task_queue=self.queue,
            search_attributes=initial_attributes(RESOURCES, self.process),
        )

    async def sync(self, **state: Any) -> ResourceSyncView:
        """Start it, or wake it; how it stands when it has answered."""
        if (await self.store.processes.get(self.process)) is None:
            await self.start(**state)
        else:
            await self.handle.signal("wake", WakeSync(by="test"))
        return await self.until(lambda view: view.served == view.wanted and view.syncs > 0)

    async def until(self, reached: Callable[[ResourceSyncView], bool]) -> ResourceSyncView:
        async with asyncio.timeout(60):
            while True:
                view: ResourceSyncView | None
                try:
                    view = await self.handle.query("status", result_type=ResourceSyncView)
                except RPCError:  # the first workflow task has not run yet
                    view = None
                if view is not None and reached(view):
                    return view
                await asyncio.sleep(0.02)

    async def first_run(self) -> str:
        """Run id of the first run of the chain."""
        described = await self.handle.describe()
        return described.raw_description.workflow_execution_info.first_run_id

    async def decide(self, action: DecisionAction, target: str = "") -> None:
        id = f"decision-{uuid.uuid4().hex[:12]}"
        decision = Decision(
            id=id, actor="ines@firm.example", role="operator", action=action, process=self.process,
            target=target, at=datetime.now(UTC),
        )  # fmt: skip
        await self.store.decisions.add(decision)
        await self.handle.execute_update("resolve", DecisionRef(id=id))

    async def open_problems(self) -> Sequence[str]:
        found = await self.store.people.differences(self.hr)
        return [f"{one.person} {one.field}: {one.problem}" for one in found]


@asynccontextmanager
async def running_people(
    client: Client, store: Any, hr: Any, psa: Any, policy: ResourcesPolicy = POLICY, **changes: Any
) -> AsyncIterator[PeopleFirm]:
    """`hr` and `psa` are connectors, or fakes; `changes` go to both classes of activities."""
    queue = f"q-{uuid.uuid4().hex[:8]}"
    routes = [*a_policy(queue).routes, Route(role="hr", system=hr.system, task_queue=queue)]
    file = FirmFile(a_policy(queue, routes=tuple(routes), resources=policy))
    boundary, limit = Boundary(Patience(transient=20.0)), timedelta(seconds=0.2)
    holders: list[Any] = [
        HrActivities(hr, EffectRunner(hr, store, commit_limit=limit), store, boundary, **changes),
        PsaPeopleActivities(psa, EffectRunner(psa, store, commit_limit=limit), store, boundary, **changes),
        *(ProcessActivities(store, file), ResourceActivities(store)),
        *(AttentionActivities(store), DecisionActivities(store)),
    ]
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[ResourceSync, WakeResourceSync],
        activities=[method for holder in holders for method in methods(holder)],
    )
    async with worker:
        yield PeopleFirm(client, store, queue, hr.system)
