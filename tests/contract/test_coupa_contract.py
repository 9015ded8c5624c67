"""The Coupa connector against its emulator: the shared contract, and what only this vendor has."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from connectors.coupa.client import CoupaClient, build
from connectors.coupa.mapping import po_reference
from connectors.coupa.settings import CoupaSettings
from connectors.errors import (
    Ambiguous,
    Conflict,
    NotFound,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.ports import ProcurementPort
from domain.account_roles import AccountRole
from domain.buying import OrderPage, PurchaseLine, PurchaseOrder, SupplierQuery
from domain.buying_commands import CancelPurchaseOrder, RequestPurchase, WithdrawRequisition
from domain.commands import Command
from domain.intake import FeedPosition
from domain.money import Money
from sandbox.settings import SandboxSettings
from tests.contract.bench import Bench
from tests.contract.connector_contract import ConnectorContract, Plan, Refusal

NEEDED = date(2026, 12, 1)
A_WHILE_AGO = datetime(2001, 1, 1, tzinfo=UTC)
ENTITIES = ("US01", "DE01", "IN01")
TOKEN = "coupa-canary-token-for-tests"
_numbers = itertools.count(1)


def line(ref: str, hours: str = "320", rate: str = "112.50", currency: str = "EUR") -> PurchaseLine:
    amount = Money.rounded(Decimal(hours) * Decimal(rate), currency)
    return PurchaseLine(
        ref=ref, description=f"QA Analyst {ref}", quantity=Decimal(hours), rate=Decimal(rate), amount=amount
    )


def request_command(tag: str) -> RequestPurchase:
    return RequestPurchase(
        project=f"DE01-{tag}",
        entity="DE01",
        supplier="S-002",
        currency="EUR",
        needed_on=NEEDED,
        lines=(line("1"), line("2", "80.5", "99.99")),
        reason="Role of the contract that a supplier fills",
    )


async def requested(client: CoupaClient, tag: str, **changes: Any) -> str:
    """Id of a requisition that waits for approval."""
    command = request_command(tag).with_changes(**changes)
    return (await client.apply(command, f"prepare/{tag}/request/1")).external_id


async def ordered(bench: Bench, client: CoupaClient, tag: str, *acts: str) -> str:
    """Id of an order, after the acts of people on it."""
    requisition = await requested(client, tag)
    for action in ("approve", "order"):
        await bench.edit("requisitions", requisition, {"action": action})
    order = (await client.requisition(requisition)).orders[0]
    for action in acts:
        await bench.edit("purchase_orders", order, {"action": action})
    return order


async def read_order(client: CoupaClient, tag: str) -> PurchaseOrder:
    """The one order of a test's project."""
    page = await client.purchase_orders(f"DE01-{tag}", FeedPosition())
    assert page.unreadable == ()
    assert len(page.orders) == 1
    return page.orders[0]


async def all_orders(client: CoupaClient, project: str, since: datetime | None = None) -> list[OrderPage]:
    pages, token = [], ""
    while True:
        page = await client.purchase_orders(project, FeedPosition(since=since, page=token))
        pages.append(page)
        token = page.next_page
        if not token:
            return pages


async def prepare_request(bench: Bench, client: CoupaClient, tag: str) -> tuple[Command, Command]:
    command = request_command(tag)
    return command, command.with_changes(needed_on=NEEDED + timedelta(days=1))


async def prepare_withdrawal(bench: Bench, client: CoupaClient, tag: str) -> tuple[Command, Command]:
    command = WithdrawRequisition(requisition_external_id=await requested(client, tag), reason="deal lost")
    return command, command.with_changes(withdrawn=False)


async def prepare_cancellation(bench: Bench, client: CoupaClient, tag: str) -> tuple[Command, Command]:
    order = await ordered(bench, client, tag, "issue")
    command = CancelPurchaseOrder(order_external_id=order, reason="deal lost")
    return command, command.with_changes(cancelled=False)


def as_port(client: CoupaClient) -> ProcurementPort:
    """The type checker proves here that the client plays procurement."""
    return client


def documented(noun: str, *texts: str) -> dict[str, Any]:
    return {"errors": {noun: list(texts)}}


class TestCoupaContract(ConnectorContract):
    system = "coupa"
    needed_field = "status"
    plans: ClassVar[Sequence[Plan]] = (
        Plan("request purchase", prepare_request),
        Plan("withdraw requisition", prepare_withdrawal),
        Plan("cancel purchase order", prepare_cancellation),
    )
    refusals: ClassVar[Sequence[Refusal]] = (
        Refusal("token", 401, {"error": "invalid_token"}, Unauthenticated, facts={"rule": "vendor.token"}),
        Refusal(
            *("scope", 403, documented("base", "Access denied: core.requisition.write"), Rejected),
            write=True,
            facts={"rule": "vendor.permission"},
        ),
        Refusal("gone", 404, documented("requisition", "not found"), NotFound),
        Refusal(
            *("XML wanted", 406, documented("base", "Not Acceptable"), Rejected),
            facts={"rule": "vendor.format"},
        ),
        Refusal(
            *("validation", 400, documented("requisition", "Ship to address can't be blank"), Rejected),
            write=True,
            facts={"field": "requisition", "rule": "vendor.validation"},
        ),
        Refusal(
            *("validation as 422", 422, {"errors": {"requisition": "Supplier is invalid"}}, Rejected),
            write=True,
            facts={"field": "requisition", "rule": "vendor.validation"},
        ),
        Refusal(
            "reference taken",
            400,
            documented("requisition", "External po reference has already been taken"),
            Conflict,
            write=True,
            facts={"rule": "key.taken"},
        ),
        Refusal(
            *("stale", 409, documented("base", "Attempted to update a stale object"), Transient), write=True
        ),
        Refusal(
            *("drift", 400, documented("requisition", "unknown attribute 'x'"), Rejected),
            facts={"rule": "schema.drift"},
        ),
        Refusal("throttled", 429, "Retry later", Throttled, facts={"retry_after": None}),
        Refusal(
            *("throttled with advice", 429, "Retry later", Throttled),
            headers={"Retry-After": "7"},
            facts={"retry_after": 7.0},
        ),
        Refusal("unavailable", 503, documented("base", "unavailable"), Transient),
        Refusal("unavailable on write", 503, documented("base", "unavailable"), Ambiguous, write=True),
        Refusal("a proxy's page", 502, "<html>Bad gateway</html>", Ambiguous, write=True),
        Refusal("nothing said", 400, {"errors": None}, Rejected),
    )
    _read_id: ClassVar[str] = ""

    # ---- hooks

    @classmethod
    def sandbox_settings(cls, home: Path) -> SandboxSettings:
        # The pace of the instance would be felt by tests that run without pause.
        return SandboxSettings(home=home, quiet=True, coupa_calls_per_second=0)

    def connect(
        self,
        bench: Bench,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        wrong: bool = False,
        timeout: float = 5.0,
        **changes: Any,
    ) -> CoupaClient:
        given: dict[str, Any] = {
            "base_url": bench.base_url,
            "client_id": bench.settings.coupa_client_id,
            "client_secret": "wrong-secret-0000000000" if wrong else bench.settings.coupa_secret,
            "requester": "fairlead.integration",
            "ship_to": {code: f"{code} Office" for code in ENTITIES},
            "charts": {code: f"{code} CoA" for code in ENTITIES},
            "accounts": {AccountRole.SUBCONTRACT_COST: "5100"},
            "timeout_seconds": timeout,
            "token_settle_seconds": 0,
            **changes,
        }
        settings = CoupaSettings.model_validate(given)
        return build("coupa", settings, transport=transport or bench.transport)

    def secrets(self, bench: Bench) -> Sequence[str]:
        return (bench.settings.coupa_secret, TOKEN)

    def token_response(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/oauth2/token"):
            return httpx.Response(200, json={"access_token": TOKEN, "expires_in": 86399})
        return None

    @pytest.fixture(autouse=True)
    async def _something_to_read(self, bench: Bench) -> None:
        if not type(self)._read_id:
            client = self.connect(bench)
            type(self)._read_id = await requested(client, "read")
            await client.aclose()

    async def read(self, client: Any) -> object:
        return await client.requisition(type(self)._read_id)

    async def read_unknown_value(self, client: Any) -> None:
        with pytest.raises(Rejected, match="'Unheard Of' is a status we do not know") as refused:
            await self.read(client)
        assert refused.value.field == "status"

    def sample_command(self) -> Command:
        return request_command("sample")

    async def sample_read(self, client: Any) -> object:
        return await client.requisition("1")

    async def paged(self, bench: Bench) -> tuple[Sequence[str], Sequence[str]]:
        tag = f"paged-{next(_numbers)}"
        whole = self.connect(bench)
        for number in range(7):
            requisition = await requested(whole, f"{tag}-{number}", project=f"DE01-{tag}")
            for action in ("approve", "order"):
                await bench.edit("requisitions", requisition, {"action": action})
        orders = [order.external_id for order in await read_all(whole, f"DE01-{tag}")]
        await whole.aclose()
        old, expected = orders[:2], orders[2:]
        self._age(bench, old)
        moving = _Moving(bench, entering=old, leaving=expected[:2])
        client = self.connect(bench, transport=moving, page_size=2)
        came = [order.external_id for order in await read_all(client, f"DE01-{tag}", A_WHILE_AGO)]
        assert moving.pages == 3
        await client.aclose()
        return expected, came

    def _age(self, bench: Bench, orders: Sequence[str]) -> None:
        """Let orders have been changed last before what is asked for."""
        store = bench.app.state.world.emulators["coupa"].store
        with store.database.transaction():
            for order in orders:
                store.update("purchase_orders", order, {"exported": True}, at=0, derived=True)

    async def amount_read(self, bench: Bench, amount: Money) -> Money:
        client = self.connect(bench)
        only = line("1", "1", str(amount.amount), amount.currency)
        id = await requested(client, f"amount-{next(_numbers)}", lines=(only,), currency=amount.currency)
        total = (await client.requisition(id)).total
        await client.aclose()
        return total

    # ---- only here: requisitions

    async def test_a_requisition_carries_project_cost_and_key(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        made = await client.apply(request_command(tag), key)
        held = await bench.get(f"/_control/coupa/requisitions/{made.external_id}")
        assert held["external-po-reference"] == po_reference(key)
        assert len(held["external-po-reference"]) == 20
        assert held["custom-fields"]["fairlead-key"] == key
        first = held["requisition-lines"][0]
        assert first["account"]["code"] == f"DE01-5100-DE01-{tag}"
        assert (first["quantity"], first["unit-price"], first["total"]) == ("320.00", "112.50", "36000.00")
        assert first["uom"]["code"] == "HR"
        assert first["need-by-date"].startswith("2026-12-01")

    async def test_a_requisition_is_read_as_it_was_asked(
        self, bench: Bench, client: CoupaClient, tag: str
    ) -> None:
        command = request_command(tag)
        id = await requested(client, tag)
        read = await client.requisition(id)
        assert read.lines == command.lines
        assert (read.project, read.entity, read.supplier) == (f"DE01-{tag}", "DE01", "S-002")
        assert (read.total, read.needed_on, read.state) == (command.total, NEEDED, "pending")
        assert read.orders == ()

    async def test_the_states_follow_what_people_decide(
        self, bench: Bench, client: CoupaClient, tag: str
    ) -> None:
        id = await requested(client, tag)
        await bench.edit("requisitions", id, {"action": "reject", "reason": "Rate above the frame contract"})
        rejected = await client.requisition(id)
        assert (rejected.state, rejected.note) == ("rejected", "Rate above the frame contract")
        for action, state in (("submit", "pending"), ("approve", "approved"), ("order", "ordered")):
            await bench.edit("requisitions", id, {"action": action})
            assert (await client.requisition(id)).state == state

    async def test_the_same_reference_again_is_refused_by_the_vendor(
        self, client: CoupaClient, bench: Bench, tag: str, key: str
    ) -> None:
        await client.apply(request_command(tag), key)
        with pytest.raises(Conflict, match="has already been taken"):
            await client.apply(request_command(tag), key)
        assert await bench.landed(key) == 1

    async def test_a_supplier_on_hold_is_refused(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        await self._hold(bench, client, "S-004", True)
        with pytest.raises(Rejected, match="not active or on hold"):
            await client.apply(request_command(tag).with_changes(supplier="S-004"), key)
        found = await client.suppliers(SupplierQuery(number="S-004"))
        assert found == []
        every = await client.suppliers(SupplierQuery(number="S-004", active_only=False))
        assert [supplier.active for supplier in every] == [False]
        await self._hold(bench, client, "S-004", False)
        assert await bench.landed(key) == 0

    async def test_an_entity_the_file_does_not_name_is_told_before_anything_is_sent(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        before = len(await bench.requests())
        with pytest.raises(Rejected, match="add it to charts"):
            await client.apply(request_command(tag).with_changes(entity="FR01"), key)
        assert len(await bench.requests()) == before

    async def test_an_approved_requisition_is_withdrawn_by_a_person(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        id = await requested(client, tag)
        await bench.edit("requisitions", id, {"action": "approve"})
        command = WithdrawRequisition(requisition_external_id=id)
        with pytest.raises(Rejected, match="it is approved"):
            await client.apply(command, key)
        assert await bench.landed(key) == 0

    async def test_a_requisition_withdrawn_by_a_person_counts_as_withdrawn(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        for client_of in (client, self.connect(bench, withdraw_by="person")):
            id = await requested(client, f"{tag}-{next(_numbers)}")
            command = WithdrawRequisition(requisition_external_id=id)
            await bench.edit("requisitions", id, {"action": "withdraw"})
            await bench.edit("requisitions", id, {"action": "abandon"})
            assert (await client_of.find(command, key)) is not None
            assert (await client.requisition(id)).state == "withdrawn"
        await client_of.aclose()

    async def test_an_instance_without_the_action_asks_for_a_person(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        manual = self.connect(bench, withdraw_by="person")
        command = WithdrawRequisition(requisition_external_id=await requested(client, tag))
        with pytest.raises(Rejected, match="a person withdraws it") as refused:
            await manual.apply(command, key)
        assert refused.value.rule == "requisition.by_person"
        await bench.edit("requisitions", command.requisition_external_id, {"action": "withdraw"})
        assert (await manual.apply(command, key)).differences(command) == {}
        await manual.aclose()

    # ---- only here: orders

    async def test_an_order_follows_its_life(self, bench: Bench, client: CoupaClient, tag: str) -> None:
        id = await ordered(bench, client, tag)
        order = await read_order(client, tag)
        assert (order.external_id, order.state, order.entity) == (id, "draft", "DE01")
        assert order.number == po_reference(f"prepare/{tag}/request/1")
        assert order.lines == request_command(tag).lines
        for action, state in (("hold", "held"), ("release", "draft"), ("issue", "issued")):
            await bench.edit("purchase_orders", id, {"action": action})
            assert (await read_order(client, tag)).state == state
        assert (await read_order(client, tag)).note == "issued, sent_via_email"
        await bench.edit("purchase_orders", id, {"action": "acknowledge"})
        accepted = await read_order(client, tag)
        assert accepted.state == "accepted"
        assert not accepted.may_be_cancelled_by_machine

    async def test_an_accepted_order_is_left_to_a_person(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        order = await ordered(bench, client, tag, "issue", "acknowledge")
        command = CancelPurchaseOrder(order_external_id=order)
        with pytest.raises(Rejected, match="the supplier has accepted") as refused:
            await client.apply(command, key)
        assert refused.value.rule == "order.accepted"
        assert await bench.landed(key) == 0
        await bench.edit("purchase_orders", order, {"action": "cancel"})
        assert (await client.apply(command, key)).differences(command) == {}

    async def test_an_invoiced_order_is_refused_by_the_vendor(
        self, bench: Bench, client: CoupaClient, tag: str, key: str
    ) -> None:
        order = await ordered(bench, client, tag, "issue")
        await bench.edit("purchase_orders", order, {"action": "bill", "amount": "100.00"})
        with pytest.raises(Rejected, match="invoiced"):
            await client.apply(CancelPurchaseOrder(order_external_id=order), key)

    async def test_an_order_that_is_not_there_is_not_found(self, client: CoupaClient, key: str) -> None:
        with pytest.raises(NotFound):
            await client.apply(CancelPurchaseOrder(order_external_id="999999"), key)

    async def test_one_unreadable_order_does_not_hide_the_others(
        self, bench: Bench, client: CoupaClient, tag: str
    ) -> None:
        for number in range(2):
            id = await requested(client, f"{tag}-{number}", project=f"DE01-{tag}")
            await bench.edit("requisitions", id, {"action": "approve"})
            await bench.edit("requisitions", id, {"action": "order"})
        await bench.arm("new_enum")
        page = await client.purchase_orders(f"DE01-{tag}", FeedPosition())
        assert page.orders == ()
        assert [(row.field, row.number != "") for row in page.unreadable] == [("status", True)] * 2

    async def test_orders_are_read_from_the_mark_on(
        self, bench: Bench, client: CoupaClient, tag: str
    ) -> None:
        id = await ordered(bench, client, tag)
        (page,) = await all_orders(client, f"DE01-{tag}")
        assert page.mark is not None
        assert page.mark == page.orders[0].version
        later = page.mark + timedelta(seconds=1)
        assert (await all_orders(client, f"DE01-{tag}", later))[0].orders == ()
        of_all = [page for page in await all_orders(client, "", page.mark)]
        assert id in [order.external_id for page in of_all for order in page.orders]

    async def test_a_foreign_page_token_is_refused(self, client: CoupaClient) -> None:
        with pytest.raises(ValueError, match="not a page token"):
            await client.purchase_orders("", FeedPosition(page="17"))

    async def test_suppliers_are_found_by_number_tax_id_and_name(self, client: CoupaClient) -> None:
        (one,) = await client.suppliers(SupplierQuery(number="S-002"))
        assert (one.id, one.country, one.currency, one.active) == ("S-002", "DE", "EUR", True)
        assert await client.suppliers(SupplierQuery(name=one.name)) == [one]
        assert await client.suppliers(SupplierQuery(tax_id=one.tax_id or "none")) == [one]
        assert await client.suppliers(SupplierQuery(name="Nobody GmbH")) == []
        assert len(await client.suppliers(SupplierQuery())) == 12

    # ---- only here: signing in

    async def test_a_token_that_worked_and_expires_is_renewed(self, bench: Bench) -> None:
        client = self.connect(bench, token_settle_seconds=60)
        await self.read(client)
        await bench.arm("token_expired", count=1)
        await self.read(client)
        await client.aclose()

    async def test_a_missing_scope_is_named(self, bench: Bench, tag: str, key: str) -> None:
        scopes = ("core.requisition.read", "core.user.read")
        client = self.connect(bench, scopes=scopes)
        with pytest.raises(Rejected, match=r"core\.requisition\.write") as refused:
            await client.apply(request_command(tag), key)
        assert refused.value.rule == "vendor.permission"
        red = {check.name: check.detail for check in await client.check() if not check.ok}
        assert "core.supplier.read" in red["suppliers"]
        await client.aclose()

    async def test_the_check_names_what_the_file_has_wrong(self, bench: Bench) -> None:
        charts = {code: f"{code} Chart" for code in ENTITIES}
        client = self.connect(bench, charts=charts, hour_unit="HRS", commodity="Labour")
        red = {check.name: check.detail for check in await client.check() if not check.ok}
        assert set(red) == {"charts of accounts", "unit of measure", "commodity"}
        assert "DE01 Chart" in red["charts of accounts"]
        await client.aclose()
        nobody = self.connect(bench, requester="nobody")
        (only,) = await nobody.check()
        assert (only.ok, "correct `requester`" in only.detail) == (False, True)
        await nobody.aclose()

    async def _hold(self, bench: Bench, client: CoupaClient, number: str, on: bool) -> None:
        rows = (await bench.get("/_control/coupa/suppliers"))["records"]
        id = next(row["id"] for row in rows if row["number"] == number)
        await bench.edit("suppliers", id, {"on-hold": on})


async def read_all(client: CoupaClient, project: str, since: datetime | None = None) -> list[PurchaseOrder]:
    return [order for page in await all_orders(client, project, since) for order in page.orders]


class _Moving(httpx.AsyncBaseTransport):
    """After the first page people change old orders, which come to stand before it, and cancel some of it."""

    def __init__(self, bench: Bench, entering: Sequence[str], leaving: Sequence[str]) -> None:
        self._bench = bench
        self._acts = {**dict.fromkeys(entering, "issue"), **dict.fromkeys(leaving, "cancel")}
        self.pages = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._bench.transport.handle_async_request(request)
        if request.url.path.endswith("/purchase_orders"):
            self.pages += 1
            if self.pages == 1:
                for order, action in self._acts.items():
                    await self._bench.edit("purchase_orders", order, {"action": action})
        return answer
