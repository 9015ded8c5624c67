"""Time posting over the real connector and Kantata's emulator: from hours written to billables kept."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from connectors.kantata.client import KantataClient, build
from connectors.kantata.settings import KantataSettings
from domain.billable import Billable
from domain.money import Money
from domain.quantity import Quantity
from domain.selling import BillingMethod, ContractLine
from domain.time_posting import TimePostingView
from sandbox.settings import SandboxSettings
from tests.contract.bench import Bench
from tests.contract.kantata_work import Place, age, approve, new_place, spend, write
from tests.support.intake_firm import IntakeFirm, activated, running_intake

_numbers = itertools.count(1)


@dataclass
class Kantata:
    """A firm on the emulator, with one project that is open for time and not ours yet."""

    firm: IntakeFirm
    bench: Bench
    place: Place
    number: str

    async def activate(self) -> None:
        line = ContractLine(
            id="l1",
            number=1,
            name="Operation",
            billing_method=BillingMethod.TIME_AND_MATERIALS,
            unit_price=Decimal(150),
        )
        await activated(
            self.firm.store,
            workspace=self.place.workspace,
            project=self.number,
            starts_on=date(2019, 1, 1),
            lines=(line,),
        )

    async def drain(self) -> TimePostingView:
        """Start it, or wake it; how it stands when it has answered."""
        if (await self.firm.store.processes.get(self.firm.process)) is None:
            await self.firm.start()
        else:
            await self.firm.wake(again=True)
        return await self.firm.drained()

    async def billables(self) -> list[Billable]:
        return list(await self.firm.store.billing.open_entries(self.number, up_to=date(2030, 1, 1)))

    async def edit(self, entry: str, **fields: Any) -> None:
        await self.bench.edit("time_entries", entry, fields)


@pytest.fixture(scope="module")
async def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    home = tmp_path_factory.mktemp("time-posting")
    bench = Bench(SandboxSettings(home=home, quiet=True, deals=0, customers=1, workers=6), "kantata")
    yield bench
    await bench.aclose()


@pytest.fixture
async def client(shared_bench: Bench) -> AsyncIterator[KantataClient]:
    settings = KantataSettings(
        base_url=f"{shared_bench.base_url}/api/v1", token=shared_bench.settings.kantata_token, page_size=25
    )
    client = build("kantata", settings, transport=shared_bench.transport)
    yield client
    await client.aclose()


@pytest.fixture
async def kantata(
    temporal_env: WorkflowEnvironment, store: Any, shared_bench: Bench, client: KantataClient
) -> AsyncIterator[Kantata]:
    tag = f"TP{next(_numbers)}"
    place = await new_place(shared_bench, client, tag)
    async with running_intake(temporal_env.client, store, client) as firm:
        yield Kantata(firm, shared_bench, place, f"DE01-{tag}")


async def test_approved_hours_become_billables(kantata: Kantata) -> None:
    await kantata.activate()
    ids = [await write(kantata.bench, kantata.place, hours) for hours in (8, Decimal("7.5"))]
    assert (await kantata.drain()).total.came_in == 0, "written and submitted is not approved"
    await approve(kantata.bench, kantata.place)
    await kantata.drain()
    found = await kantata.billables()
    assert [entry.key for entry in found] == [f"kantata:time:{id}" for id in ids]
    assert [entry.quantity for entry in found] == [
        Quantity(amount=Decimal(amount), unit="minutes") for amount in (480, 450)
    ]
    assert {(entry.line, entry.entity, entry.billable) for entry in found} == {(1, "DE01", True)}
    assert all(entry.approved_by and entry.approved_at for entry in found)


async def test_approved_twice_is_one_billable(kantata: Kantata) -> None:
    await kantata.activate()
    await write(kantata.bench, kantata.place)
    await approve(kantata.bench, kantata.place)
    await kantata.drain()
    await approve(kantata.bench, kantata.place)
    view = await kantata.drain()
    assert view.last is not None
    assert view.last.counts.new == 0
    assert len(await kantata.billables()) == 1


async def test_hours_edited_after_approval_replace_what_came_in(kantata: Kantata) -> None:
    await kantata.activate()
    id = await write(kantata.bench, kantata.place)
    await approve(kantata.bench, kantata.place)
    age(kantata.bench, "time_entries", id, days=1)
    await kantata.drain()
    await kantata.edit(id, time_in_minutes=300)
    view = await kantata.drain()
    assert view.last is not None
    assert view.last.counts.replaced == 1
    (found,) = await kantata.billables()
    assert found.quantity == Quantity(amount=Decimal(300), unit="minutes")


async def test_hours_approved_long_after_they_were_written_come_in(kantata: Kantata) -> None:
    """Approving does not move the entry's own stamp: a feed by that stamp alone would never show it."""
    await kantata.activate()
    id = await write(kantata.bench, kantata.place)
    age(kantata.bench, "time_entries", id, days=60)
    await write(kantata.bench, kantata.place)
    await kantata.drain()
    assert await kantata.billables() == []
    await approve(kantata.bench, kantata.place)
    await kantata.drain()
    found = {entry.external_id: entry for entry in await kantata.billables()}
    assert id in found
    approved_at = found[id].approved_at
    assert approved_at is not None
    assert approved_at.date() == datetime.now(UTC).date()


async def test_hours_of_a_project_that_is_not_ours_wait_and_heal_by_themselves(kantata: Kantata) -> None:
    await write(kantata.bench, kantata.place)
    await approve(kantata.bench, kantata.place)
    view = await kantata.drain()
    assert [item.owner.value for item in view.attention] == ["delivery_operations"]
    problems = await kantata.firm.store.billing.problems()
    assert kantata.place.workspace in {problem.project for problem in problems}
    await kantata.activate()
    await kantata.firm.wake()
    await kantata.firm.drained()
    assert len(await kantata.billables()) == 1
    left = await kantata.firm.store.billing.problems()
    assert kantata.place.workspace not in {problem.project for problem in left}


async def test_expenses_come_in_net_under_the_line_that_is_meant(kantata: Kantata) -> None:
    await kantata.activate()
    id = await spend(kantata.bench, kantata.place, 11_900)
    await approve(kantata.bench, kantata.place)
    await kantata.drain()
    (found,) = await kantata.billables()
    assert (found.key, found.external_id, found.line) == (f"kantata:expense:{id}", id, 1)
    assert found.amount == Money.of("119.00", "EUR")


async def test_who_approves_their_own_hours_is_told_so(kantata: Kantata) -> None:
    await kantata.activate()
    await write(kantata.bench, kantata.place)
    own = {"workspace": kantata.place.workspace, "approver": kantata.place.person}
    await kantata.bench.add("approvals", own)
    await kantata.drain()
    assert await kantata.billables() == []
    problems = [
        problem
        for problem in await kantata.firm.store.billing.problems()
        if problem.project == kantata.number
    ]
    assert [problem.rule for problem in problems] == ["entry.unreadable"]
    assert "whose own time it is" in problems[0].problem
