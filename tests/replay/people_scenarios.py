"""What is recorded of resource sync."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowHandle

from connectors.errors import Rejected
from domain.psa_people import PsaAssignment, PsaPerson
from domain.resource_sync import ResourceTick
from tests.support.activation_firm import Firm
from tests.support.fake_people import NOW, FakeHr, FakePsa, a_worker
from tests.support.people_firm import PSA, running_people
from workflows.resource_tick import WakeResourceSync

Handle = WorkflowHandle[Any, Any]


async def people_synced(firm: Firm) -> Sequence[Handle]:
    """Two syncs over several runs, woken by a tick; HR fails once, a difference is raised and heals."""
    hr = FakeHr(*(a_worker(f"W-{number}") for number in range(3)))
    psa = FakePsa(
        PsaPerson(external_id="u0", email="w-0@firm.example", role="Architect", title="Wizard"),
        PsaPerson(external_id="u1", email="w-1@firm.example", role="Architect", title="Senior Architect"),
    )
    planned = PsaAssignment(
        external_id="a1",
        person_external_id="u1",
        project_external_id="p1",
        starts_on=date(2026, 11, 23),
        ends_on=date(2026, 12, 18),
        hours=Decimal(80),
    )
    psa.planned.append(planned)
    hr.broken.append(Rejected("the scope Staffing is missing", system=hr.system))
    async with running_people(firm.client, firm.store, hr, psa, clock=lambda: NOW) as people:
        first = await people.start(page_size=2, slice_pages=1, slices_per_run=6)
        blocked = await people.until(lambda view: view.blocked)
        await people.decide("retry", blocked.attention[0].id)
        await people.until(lambda view: view.served == view.wanted)
        psa.staff[0] = psa.staff[0].with_changes(title="Senior Architect", entity="DE01", region="DE")
        tick = await firm.client.start_workflow(
            WakeResourceSync.run,
            ResourceTick(firm=people.firm, hr=people.hr, psa=PSA),
            id=f"tick/sync-resources/{people.firm}",
            task_queue=people.queue,
        )
        await tick.result()
        await people.until(lambda view: view.syncs == 2 and not view.attention)
        last = firm.client.get_workflow_handle(people.process, run_id=(await first.describe()).run_id)
        begun = firm.client.get_workflow_handle(people.process, run_id=first.first_execution_run_id)
        return [tick, begun, last]
