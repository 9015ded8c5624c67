"""The stand of the intake bench: a PSA full of approved time, and projects of ours to take it in for.

One tuned dev server, the sandbox and Fairlead's worker, each a process of its own, for one size.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import psutil
from temporalio.client import Client

from bench.stand import NO_POLLING
from composition import load_firm, open_firm_store
from domain.project_contract import ProjectContract
from domain.selling import BillingMethod, ContractLine
from local import process, secrets_setup
from local.ephemeral import ephemeral_firm
from local.services import up
from runtime.connect import connect
from runtime.settings import Settings
from store.ports import Store
from store.sql.migrate import upgrade

PSA = "kantata"
FIRST, LAST = date(1990, 1, 1), date(2100, 1, 1)
"""A contract without practical end: whenever the sandbox's people worked, it was under contract."""
_AT_ONCE = 8


@dataclass
class IntakeStand:
    """What is measured, and on what."""

    settings: Settings
    firm: str
    client: Client
    store: Store
    worker: psutil.Process
    psa: httpx.AsyncClient
    """Signed in."""


@asynccontextmanager
async def intake_stand(entries: int, projects: int) -> AsyncIterator[IntakeStand]:
    """A firm whose PSA holds `entries` approved entries on `projects` projects of ours."""
    small = ("--deals", "1", "--customers", "1")
    async with (
        ephemeral_firm(
            ("temporal", "sandbox"), timing={}, firm_values=NO_POLLING, sandbox_arguments=small
        ) as settings,
        AsyncExitStack() as stack,
    ):
        environ = {**os.environ, **secrets_setup.firm_variables(settings.home)}
        firm = load_firm(settings, environ)
        await asyncio.to_thread(upgrade, settings.store_url)
        store = open_firm_store(firm, settings, environ)
        stack.push_async_callback(store.aclose)
        psa = await stack.enter_async_context(_psa(settings, environ["FAIRLEAD_KANTATA_TOKEN"]))
        workspaces = await _approved(psa, entries, projects)
        await _planned(psa, workspaces)
        await _activated(store, workspaces)
        await up(settings, ["worker"])
        yield IntakeStand(settings, firm.id, await connect(settings), store, _worker(settings), psa)


def _psa(settings: Settings, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=settings.sandbox_url,
        headers={"authorization": f"Bearer {token}"},
        timeout=600,
        trust_env=False,
    )


async def _approved(psa: httpx.AsyncClient, entries: int, projects: int) -> list[str]:
    """Write and approve the time; ids of the projects in the PSA."""
    wanted = {"entries": entries, "projects": projects}
    made = _good(await psa.post(f"/_control/{PSA}/bulk_time", json=wanted))
    return [str(id) for id in made["workspaces"]]


async def _planned(psa: httpx.AsyncClient, workspaces: Sequence[str]) -> None:
    """The task of each project is the one that our plan made for line 1."""
    ours = set(workspaces)
    stories = _good(await psa.get(f"/_control/{PSA}/stories"))["records"]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def refer(story: Any) -> None:
        reference = {
            "service_name": "fairlead",
            "service_model": "PlannedTask",
            "service_model_ref": f"bench/{story['workspace_id']}/psa.plan/1#1",
        }
        async with gate:
            body = {"story": {"external_reference": reference}}
            _good(await psa.put(f"/{PSA}/api/v1/stories/{story['id']}", json=body))

    await asyncio.gather(*(refer(story) for story in stories if str(story["workspace_id"]) in ours))


async def _activated(store: Store, workspaces: Sequence[str]) -> None:
    """Contracts and cross-references, put into the store directly."""
    line = ContractLine(
        id="l1",
        number=1,
        name="Delivery",
        billing_method=BillingMethod.TIME_AND_MATERIALS,
        unit_price=Decimal(150),
    )
    for number, workspace in enumerate(workspaces, start=1):
        project = f"BENCH-{number:05}"
        contract = ProjectContract(
            project=project,
            deal=f"006{number:07}",
            number=f"{number:08}",
            title=f"Volume {number}",
            entity="US01",
            region="US",
            currency="USD",
            signed_on=FIRST,
            starts_on=FIRST,
            ends_on=LAST,
            customer="001",
            customer_name="Volume Inc.",
            lines=(line,),
        )
        await store.references.put(f"project:{project}", PSA, "project", workspace)
        await store.billing.put_contract(contract)


def _worker(settings: Settings) -> psutil.Process:
    paths = process.Paths(settings.home, "worker")
    found = process.running(paths)
    if found is None:
        raise RuntimeError(f"the worker has ended: {process.log_tail(paths)}")
    return psutil.Process(found.pid)


def _good(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer.json()
