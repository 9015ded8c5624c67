"""The Kantata connector against its emulator: the shared contract, and what only this vendor has."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx
import pytest

from connectors.errors import (
    Ambiguous,
    Conflict,
    NotFound,
    PeriodClosed,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.kantata.client import KantataClient, build
from connectors.kantata.settings import KantataSettings
from connectors.ports import PsaPort
from domain.billing_commands import CancelBillingRecord, RecordBilling
from domain.commands import (
    AddSeats,
    CancelProject,
    Command,
    CreateCustomer,
    CreateProject,
    OpenProject,
    PlannedTask,
    PlanProject,
    RequestStaffing,
    Seat,
    WithdrawStaffing,
)
from domain.money import Money
from tests.contract import kantata_people as people
from tests.contract.bench import Bench
from tests.contract.connector_contract import ConnectorContract, Plan, Refusal
from tests.contract.kantata_work import approved, new_place

START, END = date(2026, 12, 1), date(2027, 3, 31)
Pair = tuple[Command, Command]


def customer_command(tag: str) -> CreateCustomer:
    return CreateCustomer(name=f"Kontor Nord {tag} AG", crm_id=f"001{tag}", currency="EUR", entity="DE01")


async def new_customer(client: KantataClient, tag: str) -> str:
    return (await client.apply(customer_command(tag), f"prepare/{tag}/customer/1")).external_id


async def project_command(client: KantataClient, tag: str) -> CreateProject:
    return CreateProject(
        number=f"DE01-{tag}",
        title="Managed service desk",
        customer_external_id=await new_customer(client, tag),
        entity="DE01",
        currency="EUR",
        budget=Money.of("480000.50", "EUR"),
        starts_on=START,
        ends_on=END,
        contract_number="4711",
        crm_id=f"006{tag}",
    )


async def new_project(client: KantataClient, tag: str, currency: str = "EUR") -> str:
    command = (await project_command(client, tag)).with_changes(
        currency=currency, budget=Money.of("1000", currency)
    )
    return (await client.apply(command, f"prepare/{tag}/project/1")).external_id


async def role_name(bench: Bench) -> str:
    """A role of the seeded account."""
    return str((await bench.get("/_control/kantata/roles"))["records"][0]["name"])


def seat(ref: str, role: str) -> Seat:
    return Seat(ref=ref, role=role, grade="Senior", hours=Decimal("320"), starts_on=START, ends_on=END)


async def new_request(bench: Bench, client: KantataClient, tag: str) -> RequestStaffing:
    project, role = await new_project(client, tag), await role_name(bench)
    seats = AddSeats(project_external_id=project, seats=(seat("1", role), seat("2", role)))
    seats_key = f"prepare/{tag}/seats/1"
    await client.apply(seats, seats_key)
    approver = (await bench.get("/_control/kantata/users"))["records"][1]["email_address"]
    return RequestStaffing(
        project_external_id=project, seats_key=seats_key, seat=seats.seats[0], approver_email=approver
    )


async def prepare_customer(bench: Bench, client: KantataClient, tag: str) -> Pair:
    command = customer_command(tag)
    return command, command.with_changes(name="Another AG")


async def prepare_project(bench: Bench, client: KantataClient, tag: str) -> Pair:
    command = await project_command(client, tag)
    return command, command.with_changes(ends_on=END + timedelta(days=30))


async def prepare_plan(bench: Bench, client: KantataClient, tag: str) -> tuple[PlanProject, PlanProject]:
    tasks = (
        PlannedTask(ref="1", title="Set-up", starts_on=START, ends_on=END, hours=Decimal("12.5")),
        PlannedTask(ref="2", title="Go-live", kind="milestone", ends_on=END, budget=Money.of("10.10", "EUR")),
        PlannedTask(ref="3", title="Operation", starts_on=START, ends_on=END, billable=False),
    )
    command = PlanProject(project_external_id=await new_project(client, tag), tasks=tasks)
    return command, command.with_changes(tasks=(*tasks, PlannedTask(ref="4", title="Training")))


async def prepare_seats(bench: Bench, client: KantataClient, tag: str) -> tuple[AddSeats, AddSeats]:
    role = await role_name(bench)
    seats = (seat("1", role), seat("2", role))
    command = AddSeats(project_external_id=await new_project(client, tag), seats=seats)
    # Seats of another step on the same project; they also teach the client the role.
    await client.apply(command.with_changes(seats=(seats[0],)), f"prepare/{tag}/seats/1")
    return command, command.with_changes(seats=(seats[0],))


async def prepare_request(bench: Bench, client: KantataClient, tag: str) -> Pair:
    command = await new_request(bench, client, tag)
    # A request for the other seat; it also teaches the client the approver.
    other = command.with_changes(seat=seat("2", command.seat.role))
    await client.apply(other, f"prepare/{tag}/request/2")
    later = command.seat.with_changes(ends_on=END + timedelta(days=1))
    return command, command.with_changes(seat=later)


async def prepare_withdrawal(bench: Bench, client: KantataClient, tag: str) -> Pair:
    asked = await client.apply(await new_request(bench, client, tag), f"prepare/{tag}/request/1")
    command = WithdrawStaffing(request_external_id=asked.external_id)
    return command, command.with_changes(withdrawn=False)


async def prepare_opening(bench: Bench, client: KantataClient, tag: str) -> Pair:
    command = OpenProject(project_external_id=await new_project(client, tag))
    return command, command.with_changes(open=False)


async def prepare_cancellation(bench: Bench, client: KantataClient, tag: str) -> Pair:
    command = CancelProject(project_external_id=await new_project(client, tag), reason="deal lost")
    return command, command.with_changes(cancelled=False)


async def record_command(bench: Bench, client: KantataClient, tag: str) -> RecordBilling:
    place = await new_place(bench, client, tag)
    return RecordBilling(
        invoice=f"invoice/acme/{tag}",
        project_external_id=place.workspace,
        currency="EUR",
        number=f"INV-{tag}",
        erp_external_id="555",
        dated=START,
        net=Money.of("1000.50", "EUR"),
        time_entry_ids=tuple(await approved(bench, place, 2)),
        other=Money.of("300.50", "EUR"),
        other_text="Milestone",
    )


async def prepare_record(bench: Bench, client: KantataClient, tag: str) -> Pair:
    command = await record_command(bench, client, tag)
    return command, command.with_changes(time_entry_ids=command.time_entry_ids[:1])


async def prepare_record_cancellation(bench: Bench, client: KantataClient, tag: str) -> Pair:
    made = await client.apply(await record_command(bench, client, tag), f"prepare/{tag}/record/1")
    command = CancelBillingRecord(record_external_id=made.external_id)
    return command, command.with_changes(cancelled=False)


def as_port(client: KantataClient) -> PsaPort:
    """The type checker proves here that the client is a PSA."""
    return client


def documented(kind: str, message: str, field: str | None = None) -> dict[str, Any]:
    error = {"type": kind, "message": message} | ({"field": field} if field else {})
    return {"errors": [error]}


class TestKantataContract(ConnectorContract):
    system = "kantata"
    renews_tokens = False
    needed_field = "archived"
    plans: ClassVar[Sequence[Plan]] = (
        Plan("create customer", prepare_customer),
        Plan("create project", prepare_project),
        Plan("plan project", prepare_plan),
        Plan("add seats", prepare_seats),
        Plan("request staffing", prepare_request),
        Plan("withdraw staffing", prepare_withdrawal),
        Plan("open project", prepare_opening),
        Plan("cancel project", prepare_cancellation),
        Plan("record billing", prepare_record),
        Plan("cancel billing record", prepare_record_cancellation),
        Plan("invite person", people.prepare_invitation),
        Plan("change person", people.prepare_person),
        Plan("change role", people.prepare_role),
        Plan("add skill", people.prepare_skill),
        Plan("change skill", people.prepare_skill_level),
        Plan("add days off", people.prepare_days_off),
        Plan("change day off", people.prepare_day_changed),
        Plan("take day off back", people.prepare_day_taken_back),
    )
    refusals: ClassVar[Sequence[Refusal]] = (
        Refusal("bad parameter", 400, documented("system", "page must be a number"), Rejected),
        Refusal("token", 401, documented("oauth", "Invalid OAuth 2 Request"), Unauthenticated),
        Refusal(
            *("permission", 403, documented("system", "Forbidden"), Rejected),
            facts={"rule": "vendor.permission"},
        ),
        Refusal("gone", 404, documented("system", "Not found"), NotFound),
        Refusal(
            *("validation", 422, documented("validation", "name can't be blank", "name"), Rejected),
            write=True,
            facts={"field": "name", "code": "validation", "rule": "vendor.validation"},
        ),
        Refusal(
            *("lock date", 422, documented("validation", "is before the lock date", "date"), PeriodClosed),
            write=True,
        ),
        Refusal("throttled", 429, "Too many requests", Throttled, facts={"retry_after": None}),
        Refusal(
            *("throttled with advice", 429, "Too many requests", Throttled),
            headers={"Retry-After": "7"},
            facts={"retry_after": 7.0},
        ),
        Refusal("unavailable", 503, documented("system", "Service unavailable"), Transient),
        Refusal("unavailable on write", 503, documented("system", "Unavailable"), Ambiguous, write=True),
        Refusal("gave up", 504, "<html>Gateway timeout</html>", Transient),
        Refusal("gave up on write", 504, "<html>Gateway timeout</html>", Ambiguous, write=True),
        Refusal("server error", 500, {"unexpected": True}, Transient),
    )

    # ---- hooks

    def connect(
        self,
        bench: Bench,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        wrong: bool = False,
        timeout: float = 5.0,
        **changes: Any,
    ) -> KantataClient:
        settings = KantataSettings(
            base_url=f"{bench.base_url}/api/v1",
            token="wrong-token-of-nobody" if wrong else bench.settings.kantata_token,
            timeout_seconds=timeout,
            page_size=25,
            **changes,
        )
        return build("kantata", settings, transport=transport or bench.transport)

    def secrets(self, bench: Bench) -> Sequence[str]:
        return (bench.settings.kantata_token,)

    async def read(self, client: Any) -> object:
        return await client.find(OpenProject(project_external_id="1"), "activation/contract/none/step/1")

    async def read_unknown_value(self, client: Any) -> None:
        asked = await self._asked(client, "unheard-of")
        answers = await client.staffing_answers(asked.project_external_id)
        assert [answer.state for answer in answers] == ["open"]

    async def _asked(self, client: KantataClient, tag: str) -> RequestStaffing:
        """A request on a new seat, made without a bench."""
        project = await new_project(client, tag)
        command = RequestStaffing(
            project_external_id=project,
            seats_key=f"prepare/{tag}/seats/1",
            seat=seat("1", self.role),
            approver_email=self.approver,
        )
        await client.apply(AddSeats(project_external_id=project, seats=(command.seat,)), command.seats_key)
        await client.apply(command, f"prepare/{tag}/request/1")
        return command

    @pytest.fixture(autouse=True)
    async def _known_names(self, bench: Bench) -> None:
        type(self).role = await role_name(bench)
        type(self).approver = (await bench.get("/_control/kantata/users"))["records"][1]["email_address"]

    role: ClassVar[str]
    approver: ClassVar[str]

    def sample_command(self) -> Command:
        return customer_command("sample")

    async def sample_read(self, client: Any) -> object:
        return await client.find(OpenProject(project_external_id="1"), "activation/contract/none/step/1")

    async def paged(self, bench: Bench) -> tuple[Sequence[str], Sequence[str]]:
        client = self.connect(bench)
        since = datetime.now(UTC)
        project = await new_project(client, f"paged-{next(_numbers)}")
        tasks = tuple(PlannedTask(ref=str(n), title=f"Task {n}") for n in range(70))
        await client.apply(PlanProject(project_external_id=project, tasks=tasks), f"prepare/{project}/plan/1")
        expected = {change.event_id for change in await client.changes(since)}
        assert len(expected) >= 70
        await bench.arm("page_shift", rows=7)
        came = [change.event_id for change in await client.changes(since)]
        await bench.calm()
        await bench.arm("page_shift", rows=-9)
        removed = {change.event_id for change in await client.changes(since)}
        assert expected <= removed, "rows removed before a page hide none"
        await client.aclose()
        return sorted(expected), came

    async def amount_read(self, bench: Bench, amount: Money) -> Money:
        client = self.connect(bench)
        project = await new_project(client, f"amount-{next(_numbers)}", amount.currency)
        task = PlannedTask(ref="1", title="Budget", budget=amount)
        await client.apply(
            PlanProject(project_external_id=project, tasks=(task,)), f"prepare/{project}/plan/1"
        )
        await client.aclose()
        # The vendor's own words: base units, and how many of them make one unit.
        stories = (await bench.get("/_control/kantata/stories"))["records"]
        cents = next(story for story in stories if story["workspace_id"] == project)[
            "budget_estimate_in_cents"
        ]
        workspace = await bench.get(f"/_control/kantata/workspaces/{project}")
        return Money.of(Decimal(cents) / workspace["currency_base_unit"], amount.currency)

    # ---- only here

    @pytest.fixture
    async def project(self, client: KantataClient, tag: str) -> str:
        return await new_project(client, tag)

    @pytest.mark.parametrize("prepare", [prepare_plan, prepare_seats], ids=["plan", "seats"])
    async def test_a_partial_batch_is_completed_and_counts_once(
        self, bench: Bench, client: KantataClient, prepare: Any, tag: str, key: str
    ) -> None:
        command, _ = await prepare(bench, client, tag)
        await bench.arm("partial_batch", count=1)
        with pytest.raises(Ambiguous) as partial:
            await client.apply(command, key)
        assert partial.value.rule == "bulk.partial"
        assert await client.find(command, key) is None, "a part of the set is not the set"
        record = await client.apply(command, key)
        assert record.differences(command) == {}
        assert (await client.find(command, key)) == record.with_changes(request_id="")
        assert await bench.landed(key) == 1
        assert len((await bench.effects(effect_key=key))[0]["fields"]["rows"]) == int(
            next(iter(record.fields.values()))
        )

    async def test_other_rows_of_the_same_number_differ(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command, _ = await prepare_plan(bench, client, tag)
        await client.apply(command, key)
        renamed = command.with_changes(tasks=(*command.tasks[:2], PlannedTask(ref="9", title="Other")))
        found = await client.find(renamed, key)
        assert found is not None
        assert found.differences(renamed) == {"task_count": ("3", "3 other")}
        with pytest.raises(Conflict):
            await client.apply(renamed, key)
        assert await bench.landed(key) == 1

    async def test_two_records_under_one_key_are_a_conflict(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command = customer_command(tag)
        await client.apply(command, key)
        await client.apply(command, key)
        assert await bench.landed(key) == 2, "the emulator counts a create that is repeated blindly"
        with pytest.raises(Conflict, match=key):
            await client.find(command, key)

    async def test_a_seat_made_twice_is_a_conflict(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command, _ = await prepare_seats(bench, client, tag)
        await client.apply(command, key)
        reference = {
            "service_name": "fairlead",
            "service_model": "AddSeats",
            "service_model_ref": f"{key}#1",
        }
        await bench.add(
            "workspace_resources",
            {"workspace_id": int(command.project_external_id), "external_reference": reference},
        )
        with pytest.raises(Conflict, match="two rows"):
            await client.find(command, key)

    async def test_a_stale_read_does_not_show_what_was_just_written(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command = customer_command(tag)
        await client.apply(command, key)
        await bench.arm("stale_read", seconds=60, count=1)
        assert await client.find(command, key) is None
        assert await client.find(command, key) is not None

    async def test_staffing_goes_from_open_to_approved(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command = await new_request(bench, client, tag)
        asked = await client.apply(command, key)
        (answer,) = await client.staffing_answers(command.project_external_id)
        assert (answer.state, answer.resource, answer.role) == ("open", None, command.seat.role)
        assert (answer.starts_on, answer.ends_on) == (START, END)
        await bench.edit(
            "resource_requests",
            asked.external_id,
            {"request_resolution_status": "approve", "user": self.approver},
        )
        (answer,) = await client.staffing_answers(command.project_external_id)
        assert (answer.state, answer.request_external_id) == ("approved", asked.external_id)
        person = await bench.get(f"/_control/kantata/users/{answer.resource}")
        assert person["email_address"] == self.approver

    async def test_withdrawing_a_request_that_a_person_rejected_is_done(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        asked = await client.apply(await new_request(bench, client, tag), key)
        await bench.edit("resource_requests", asked.external_id, {"request_resolution_status": "reject"})
        record = await client.apply(WithdrawStaffing(request_external_id=asked.external_id), f"{key}-undo")
        assert record.fields == {"withdrawn": "true"}

    async def test_a_later_request_on_the_seat_has_its_own_key(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command = await new_request(bench, client, tag)
        first = await client.apply(command, key)
        await client.apply(WithdrawStaffing(request_external_id=first.external_id), f"{key}-undo")
        again = command.with_changes(revision=2)
        second = await client.apply(again, f"{key}-2")
        found = await client.find(again, f"{key}-2")
        assert found is not None
        assert found.external_id == second.external_id != first.external_id
        (answer,) = await client.staffing_answers(command.project_external_id)
        assert (answer.state, answer.request_external_id) == ("open", second.external_id)

    async def test_answers_are_the_same_after_a_restart(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command = await new_request(bench, client, tag)
        await client.apply(command, key)
        other = command.with_changes(seat=seat("2", command.seat.role))
        await client.apply(other, f"{key}-other")
        known = await client.staffing_answers(command.project_external_id)
        restarted = self.connect(bench)
        assert await restarted.staffing_answers(command.project_external_id) == known
        assert [answer.state for answer in known] == ["open", "open"]
        await restarted.aclose()

    async def test_a_request_a_person_makes_after_a_rejection_counts(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command = await new_request(bench, client, tag)
        asked = await client.apply(command, key)
        other = await client.apply(
            command.with_changes(seat=seat("2", command.seat.role)), f"prepare/{tag}/request/2"
        )
        before, untouched = await client.staffing_answers(command.project_external_id)
        assert untouched.request_external_id == other.external_id
        await bench.edit("resource_requests", asked.external_id, {"request_resolution_status": "reject"})
        again = await bench.add(
            "resource_requests", {"approver_ids": [2], "resource_id": int(before.seat_external_id)}
        )
        after, still = await client.staffing_answers(command.project_external_id)
        assert (after.state, after.request_external_id) == ("open", again["id"])
        assert still == untouched

    async def test_a_project_is_created_closed_and_opened_by_status(
        self, bench: Bench, client: KantataClient, project: str, key: str
    ) -> None:
        before = await bench.get(f"/_control/kantata/workspaces/{project}")
        assert before["status"]["message"] == "In Setup"
        await client.apply(OpenProject(project_external_id=project), key)
        after = await bench.get(f"/_control/kantata/workspaces/{project}")
        assert after["status"]["message"] == "Active"
        assert await client.find(OpenProject(project_external_id=project), f"{key}-of-another-run") is None

    async def test_a_cancelled_project_is_archived_and_still_found(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        command = await project_command(client, tag)
        created = await client.apply(command, key)
        await client.apply(CancelProject(project_external_id=created.external_id), f"{key}-undo")
        found = await client.find(command, key)
        assert found is not None
        assert found.external_id == created.external_id

    async def test_the_template_gives_the_project_its_first_tasks(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        templates = (await bench.get("/_control/kantata/project_templates"))["records"]
        command = (await project_command(client, tag)).with_changes(template=templates[0]["title"])
        created = await client.apply(command, key)
        stories = (await bench.get("/_control/kantata/stories"))["records"]
        titles = [story["title"] for story in stories if story["workspace_id"] == created.external_id]
        assert titles == [story["title"] for story in templates[0]["stories"]]
        with pytest.raises(Rejected, match="no project template 'Nowhere'") as unknown:
            await client.apply(command.with_changes(template="Nowhere"), f"{key}-2")
        assert unknown.value.rule == "project template.unknown"

    async def test_an_unknown_role_or_approver_is_named(
        self, bench: Bench, client: KantataClient, tag: str, key: str
    ) -> None:
        asked = await new_request(bench, client, tag)
        with pytest.raises(Rejected, match="no role 'Astrologer'"):
            await client.apply(
                AddSeats(project_external_id=asked.project_external_id, seats=(seat("1", "Astrologer"),)), key
            )
        with pytest.raises(Rejected, match=r"no user 'nobody@example\.com'"):
            await client.apply(asked.with_changes(approver_email="nobody@example.com"), key)
        assert await bench.landed(key) == 0

    async def test_polling_takes_over_without_the_add_on(self, bench: Bench, tag: str) -> None:
        client = self.connect(bench)
        refused = self.connect(bench, transport=_WithoutFeed(bench.transport))
        since = datetime.now(UTC)
        project = await new_project(client, tag)
        changes = await refused.changes(since)
        assert project in {change.subject_id for change in changes if change.verb == "created"}
        assert {change.subject for change in changes} == {"workspace"}
        checks = {check.name: check for check in await refused.check()}
        assert checks["change feed"].ok
        assert "polled" in checks["change feed"].detail
        await client.aclose()
        await refused.aclose()

    async def test_the_feed_goes_on_within_a_crowded_second(
        self, bench: Bench, client: KantataClient, tag: str
    ) -> None:
        since = datetime.now(UTC)
        project = await new_project(client, tag)
        tasks = tuple(PlannedTask(ref=str(n), title=f"Task {n}") for n in range(40))
        await client.apply(PlanProject(project_external_id=project, tasks=tasks), f"prepare/{tag}/plan/1")
        everything = {change.event_id for change in await client.changes(since, limit=1000)}
        seen: set[str] = set()
        for _ in range(10):
            batch = await client.changes(since, limit=5)
            seen |= {change.event_id for change in batch}
            if batch[-1].at == since:
                break
            since = batch[-1].at
        assert seen == everything

    async def test_customers_are_also_found_by_the_reference_list(
        self, bench: Bench, tag: str, key: str
    ) -> None:
        client = self.connect(bench, group_lookup="references")
        command = customer_command(tag)
        assert await client.find(command, key) is None
        created = await client.apply(command, key)
        found = await client.find(command, key)
        assert found is not None
        assert found.external_id == created.external_id
        await client.aclose()

    async def test_a_check_names_what_is_not_set_up(self, bench: Bench) -> None:
        client = self.connect(bench, request_key_field=77, default_approver_email="nobody@example.com")
        checks = {check.name: check for check in await client.check()}
        assert not checks["custom fields"].ok
        assert "request_key_field = 77 is not there" in checks["custom fields"].detail
        assert not checks["approver"].ok
        assert "nobody@example.com" in checks["approver"].detail
        await client.aclose()


_numbers = itertools.count(1)


class _WithoutFeed(httpx.AsyncBaseTransport):
    """An account without the change feed add-on: 403, everything else as it is."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/subscribed_events"):
            return httpx.Response(403, json=documented("system", "Subscribed events are not enabled"))
        return await self._inner.handle_async_request(request)
