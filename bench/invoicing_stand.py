"""The stand of the invoicing bench: projects with approved work, Fairlead's worker and a floor beside it.

One tuned dev server, the sandbox and the two workers, each a process of its own, for one size. One
invoice is recorded, as an activation is for its bench; the floor replays its calls, each run for a project
of its own, since what is billed once is billed.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import httpx
import psutil
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from bench.floor import FloorActivation, FloorInput
from bench.invoicing_projects import (
    ENTITY,
    ERP,
    BenchProject,
    Projects,
    deals_needed,
    keep,
    sandbox_size,
    today_of,
)
from bench.recording import Notes, recorded_script, recording_worker
from bench.script import Script, Scripts
from bench.stand import (
    FAIRLEAD,
    FLOOR,
    NO_POLLING,
    Say,
    create_store,
    fairlead_worker,
    floor_worker,
    paths_of,
    process_of,
    renumber,
)
from composition import build_connector, load_firm, open_firm_store
from connectors.ports import CrmPort, ErpPort
from domain.billing_process import InvoiceResult, invoice_id
from domain.identity import process_key, short_key
from domain.project_processes import BILLING, OPEN_FOR_BILLING, ProjectBillingState, ProjectBillingView
from firm.model import Firm
from local import process, secrets_setup
from local.ephemeral import ephemeral_firm
from runtime.connect import connect
from runtime.decisions import decide
from runtime.settings import Settings
from store.ports import Store
from workflows.shared.search_attributes import initial_attributes

BILLER = "tomas.lindqvist@fairlead.example"
QUIET = {**NO_POLLING, f"billing.entities.{ENTITY}": {"prebill": "false"}}
"""The firm's file of the bench: nothing looks for work by itself, and nobody reviews."""
WARM = 8
"""Invoices of each subject before anything is measured: what is read once and kept is kept by then."""
_RECORDED = 2
"""The first of them reads what the connectors keep; the second is the one that is replayed."""
_AT_ONCE = 40
"""Starts under way at a time."""
_WATCH_EVERY = 0.5
_BEGUN_EVERY = 0.05
_PATIENCE = 120.0
"""Seconds without any vendor call after which the bench gives up."""


@dataclass
class InvoicingStand:
    """What is measured, and on what."""

    settings: Settings
    firm: Firm
    client: Client
    store: Store
    sandbox: httpx.AsyncClient
    today: date
    script: Script
    projects: Mapping[str, Sequence[BenchProject]]
    """Subject to the projects it bills."""
    workers: Mapping[str, psutil.Process]
    server: psutil.Process
    emulators: psutil.Process
    _done: dict[str, int] = field(default_factory=lambda: {FAIRLEAD: 0, FLOOR: 0})

    async def bill(self, subject: str, projects: Sequence[BenchProject]) -> list[str]:
        """Bill `projects`, wait until all of it is posted and told; workflow ids of the invoices."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(project: BenchProject) -> str:
            async with gate:
                if subject == FLOOR:
                    return await self._replay(project)
                return await bill_now(self.client, self.store, self.firm.id, project, self.today)

        ids = await asyncio.gather(*(one(project) for project in projects))
        self._done[subject] += len(ids)
        await self._ended(subject)
        return ids

    async def calls(self) -> int:
        """Vendor calls that the sandbox has answered so far."""
        stats = (await self.sandbox.get("/_stats")).json()["systems"]
        return sum(system["total"] for system in stats.values())

    async def _replay(self, project: BenchProject) -> str:
        run = project.contract.project
        groups = [
            [(number, f"{FLOOR}.{self.script.steps[number].system}") for number in group]
            for group in self.script.groups
        ]
        handle = await self.client.start_workflow(
            FloorActivation.run,
            FloorInput(script=self.script.deal, run=run, groups=groups, waits_before=None),
            id=f"{FLOOR}/{run}",
            task_queue=FLOOR,
        )
        return handle.id

    async def _ended(self, subject: str) -> None:
        """Wait for all invoices of `subject`. Raises `RuntimeError` when one failed or none goes on."""
        kind = "Invoice" if subject == FAIRLEAD else FloorActivation.__name__
        query = f"WorkflowType = '{kind}' AND ExecutionStatus = "
        called, still, wanted = -1, 0.0, self._done[subject]
        while (now := (await self.client.count_workflows(f"{query}'Completed'")).count) < wanted:
            async for failed in self.client.list_workflows(f"{query}'Failed'", limit=1):
                raise RuntimeError(f"{failed.id} failed: {await self._why(failed.id)}")
            # Calls and not ends: of very many at once, the first ends late.
            calls = await self.calls()
            still = 0.0 if calls > called else still + _WATCH_EVERY
            if still > _PATIENCE:
                raise RuntimeError(f"{subject}: {now} of {wanted} invoices ended, and nothing moves any more")
            called = calls
            await asyncio.sleep(_WATCH_EVERY)

    async def _why(self, id: str) -> str:
        try:
            await self.client.get_workflow_handle(id).result()
        except WorkflowFailureError as error:
            cause: BaseException | None = error
            while cause is not None and cause.__cause__ is not None:
                cause = cause.__cause__
            return str(cause)
        return "it did not"


@asynccontextmanager
async def invoicing_stand(projects: int, say: Say) -> AsyncIterator[InvoicingStand]:
    """A firm with `projects` projects to be billed by each subject, warm and recorded."""
    each = projects + WARM
    deals = deals_needed(_RECORDED + 2 * each)
    async with (
        ephemeral_firm(
            ("temporal", "sandbox"), timing={}, firm_values=QUIET, sandbox_arguments=sandbox_size(deals)
        ) as settings,
        AsyncExitStack() as stack,
    ):
        environ = {**os.environ, **secrets_setup.firm_variables(settings.home)}
        firm = load_firm(settings, environ)
        await create_store(settings)
        store = open_firm_store(firm, settings, environ)
        stack.push_async_callback(store.aclose)
        client = await connect(settings)
        sandbox = await stack.enter_async_context(
            httpx.AsyncClient(base_url=settings.sandbox_url, timeout=600, trust_env=False)
        )
        crm = cast(CrmPort, build_connector(firm, "salesforce", environ))
        stack.push_async_callback(crm.aclose)
        erp = cast(ErpPort, build_connector(firm, ERP, environ))
        stack.push_async_callback(erp.aclose)
        make = Projects(firm, sandbox, crm, erp, deals)
        projects_made = await make.make(2 * each)
        ours, floors = projects_made[:each], projects_made[each:]
        recording = _Recording(client, settings, firm, store, today_of(firm))
        await keep(store, ours, recording.today)
        script, notes, recorded = await recording.script(make, environ)
        say(f"recorded {script.calls} vendor calls of one invoice")
        spec = Scripts(scripts=(script,), sandbox_url=settings.sandbox_url, headers=notes.headers)
        runs = {project.contract.project: _texts(script.keys, recorded, project) for project in floors}
        stack.push_async_callback(asyncio.to_thread, process.stop, paths_of(settings, FLOOR), 2)
        it = InvoicingStand(
            settings=settings,
            firm=firm,
            client=client,
            store=store,
            sandbox=sandbox,
            today=recording.today,
            script=script,
            projects={FAIRLEAD: ours[WARM:], FLOOR: floors[WARM:]},
            workers={
                FAIRLEAD: await fairlead_worker(settings),
                FLOOR: await floor_worker(client, settings, firm, spec, FLOOR, runs),
            },
            server=process_of(settings, "temporal"),
            emulators=process_of(settings, "sandbox"),
        )
        it._done[FAIRLEAD] = _RECORDED
        await begin(client, settings, firm.id, ours)
        for subject, first in ((FAIRLEAD, ours[:WARM]), (FLOOR, floors[:WARM])):
            await it.bill(subject, first)
        yield it


# -- Fairlead's own way ---------------------------------------------------------------------------


async def begin(client: Client, settings: Settings, firm: str, projects: Sequence[BenchProject]) -> None:
    """Start the billing of each project, as its activation does; none has anything due yet."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(project: BenchProject) -> None:
        contract = project.contract
        id = process_key(BILLING, firm, contract.project)
        async with gate:
            handle = await client.start_workflow(
                "ProjectBilling",
                ProjectBillingState(
                    firm=firm,
                    project=contract.project,
                    deal=contract.deal,
                    customer=contract.customer,
                    correlation=id,
                    contract=contract,
                ),
                id=id,
                task_queue=settings.own_queue,
                search_attributes=initial_attributes(
                    BILLING, id, stage=OPEN_FOR_BILLING, project=contract.project, customer=contract.customer
                ),
            )
            await _begun(handle)

    await asyncio.gather(*(one(project) for project in projects))


async def _begun(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the contract is taken up."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            view = await handle.query("status", result_type=ProjectBillingView)
            if view.attention or view.recent:
                raise RuntimeError(f"{handle.id} did not begin as it should: {view}")
            if view.revision:
                return
            await asyncio.sleep(_BEGUN_EVERY)


async def bill_now(client: Client, store: Store, firm: str, project: BenchProject, today: date) -> str:
    """Decide that a project is billed now; workflow id of the invoice that its billing has started."""
    number = project.contract.project
    invoice = invoice_id(firm, f"{number}/0/{today}/1")
    _, answer = await decide(
        client,
        store.decisions,
        action="bill_now",
        process=process_key(BILLING, firm, number),
        actor=BILLER,
        role="billing_lead",
        reason="bench",
        payload={"until": today.isoformat()},
    )
    if invoice not in answer:
        raise RuntimeError(f"{number}: {answer}; {invoice} was expected")
    return invoice


# -- recording ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Recording:
    """Bills two projects under the recording worker, and keeps the calls of the second."""

    client: Client
    settings: Settings
    firm: Firm
    store: Store
    today: date

    async def script(
        self, projects: Projects, environ: Mapping[str, str]
    ) -> tuple[Script, Notes, BenchProject]:
        """The first reads what connectors keep, and begins the number sequences that are raised then."""
        worker = recording_worker(self.client, self.settings, self.firm, self.store, environ)
        async with worker as notes:
            await self._bill(projects)
            await renumber(self.settings)
            recorded, id = await self._bill(projects)
            keys = tuple(row.key for row in await self.store.effects.list(id))
            contract = recorded.contract
            empty = Script(
                deal=contract.project,
                signature="invoice",
                firm=self.firm.id,
                entity=contract.entity,
                keys=keys,
            )
            known = _texts(keys, recorded, recorded)
            script = await recorded_script(self.client, self.firm, notes, id, empty, known)
            return script, notes, recorded

    async def _bill(self, projects: Projects) -> tuple[BenchProject, str]:
        """One more project, billed; the workflow id of its invoice."""
        made = await projects.make(1)
        await keep(self.store, made, self.today)
        await begin(self.client, self.settings, self.firm.id, made)
        id = await bill_now(self.client, self.store, self.firm.id, made[0], self.today)
        result = await self.client.get_workflow_handle(id, result_type=InvoiceResult).result()
        if result.state != "posted":
            raise RuntimeError(f"{id} ended {result.state}: {result.reason}")
        return made[0], id


def _texts(keys: Sequence[str], recorded: BenchProject, project: BenchProject) -> dict[str, str]:
    """Recorded text to that of `project`, for all that is known before the first call."""
    old, new = recorded.contract.project, project.contract.project
    shorts = {short_key(key): short_key(key.replace(old, new)) for key in keys}
    return dict(zip(recorded.texts, project.texts, strict=True)) | shorts
