"""The command line decides on a real bill: what a person types reaches the process, and is what is posted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner, Result

from cli.main import build
from domain.billing_process import CreditResult
from local import firm_files, secrets_setup
from tests.support.billing_firm import MANAGER, BillingFirm, eur, finish, running_billing, terms

OPERATOR, CONTROLLER = "tomas.lindqvist@fairlead.example", "controller@fairlead.example"
CLOSED_PORT = 1


@dataclass
class Desk:
    """A person at the command line of the running firm."""

    billing: BillingFirm

    async def fairlead(self, *arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, build(), list(arguments))

    async def json(self, *arguments: str) -> Any:
        result = await self.fairlead(*arguments, "--json")
        return json.loads(result.stdout)

    async def done(self, *arguments: str) -> Any:
        """The document of a command that has to succeed."""
        result = await self.fairlead(*arguments, "--json")
        assert result.exit_code == 0, result.stdout
        return json.loads(result.stdout)


@pytest.fixture
async def desk(
    temporal_env: WorkflowEnvironment,
    store_factory: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Desk]:
    """The example firm's command line on the dev server and the store of a firm that bills."""
    firm_files.copy_example(tmp_path, f"http://127.0.0.1:{CLOSED_PORT}")
    secrets_setup.create(tmp_path)
    for name, value in secrets_setup.firm_variables(tmp_path, {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FAIRLEAD_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FAIRLEAD_ACTOR", raising=False)
    client = temporal_env.client
    monkeypatch.setenv("TEMPORAL_ADDRESS", client.service_client.config.target_host)
    store = store_factory(tmp_path / "fairlead.db")
    async with running_billing(client, store) as billing:
        monkeypatch.setattr("runtime.settings.OWN_QUEUE", billing.queue)
        yield Desk(billing)


async def test_a_review_by_the_manager_is_what_is_posted(desk: Desk) -> None:
    """Two entries of 2,000.00: one is held; the other loses 600.00, above the limit of one person."""
    billing = desk.billing
    await billing.contract(terms=terms(prebill=True))
    held, kept = await billing.work("h", 10), await billing.work("k", 10)
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, "pre-bill review")
    by = ("--as", MANAGER)
    answer = await desk.done("prebill", "hold", held, "--reason", "rework", *by)
    assert (answer["decision"]["action"], answer["needs_second_person"]) == ("hold_entry", False)
    assert answer["decision"]["role"] == "project_manager"
    down = ("prebill", "write-down", kept, "600.00", "--code", "quality", "--reason", "agreed", *by)
    asked = await desk.done(*down)
    assert asked["needs_second_person"]
    assert CONTROLLER in asked["second_person_may_be"]
    entry = await billing.store.billing.entry(kept)
    assert entry.adjustment is None, "not before two have agreed"
    agreed = await desk.fairlead("approve", asked["decision"]["id"], "--as", CONTROLLER)
    assert agreed.exit_code == 0, agreed.output
    document = await desk.json("prebill", "show", billing.project)
    assert document["sums"]["total"]["amount"] == "1400.00"
    await desk.done("prebill", "release", billing.project, *by)
    result = await finish(handle)
    assert result.net == eur("1400.00")
    shown = await desk.json("invoice", "show", billing.project)
    assert (shown["stage"], shown["covers"]["entries"]) == ("posted", 1)


async def test_unheld_and_reworded_entries_are_billed(desk: Desk) -> None:
    billing = desk.billing
    await billing.contract(terms=terms(prebill=True))
    entry = await billing.work("a", 2)
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, "pre-bill review")
    await desk.done("prebill", "hold", entry, "--reason", "unclear", "--as", MANAGER)
    await desk.done("prebill", "unhold", entry, "--as", MANAGER)
    await desk.done("prebill", "narrative", entry, "Data migration", "--as", MANAGER)
    await desk.done(
        "prebill", "write-up", entry, "50.00", "--code", "rush", "--reason", "night", "--as", OPERATOR
    )
    await desk.done("prebill", "release", billing.project, "--as", MANAGER)
    assert (await finish(handle)).net == eur("450.00")
    assert (await billing.store.billing.entry(entry)).narrative == "Data migration"


async def test_transferred_work_waits_for_the_bill_of_the_other_project(desk: Desk) -> None:
    billing = desk.billing
    other = f"{billing.project}-2"
    await billing.contract(terms=terms(prebill=True))
    await billing.contract(project=other, terms=terms(prebill=True))
    entry = await billing.work("t", 2)
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, "pre-bill review")
    move = ("prebill", "transfer", entry, "--to", other, "--line", "1", "--reason", "wrong project")
    await desk.done(*move, "--as", MANAGER)
    moved = await billing.store.billing.entry(entry)
    assert (moved.project, moved.invoice) == (other, "")
    await desk.done("prebill", "release", billing.project, "--as", MANAGER)
    assert (await finish(handle)).state == "empty"


async def test_approval_binds_to_what_was_shown(desk: Desk) -> None:
    """The operator's write-up after the look makes another invoice: only a new look is approved."""
    billing = desk.billing
    await billing.contract(terms=terms(approval_limit=eur(1000)))
    entry = await billing.work("a", 10)
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, "awaiting approval", attention=1)
    seen = (await desk.json("invoice", "show", billing.project))["approval"]["content_hash"][:12]
    up = ("prebill", "write-up", entry, "10.00", "--code", "rush", "--reason", "night", "--as", OPERATOR)
    await desk.done(*up)
    await billing.reached(handle, "awaiting approval", attention=1)
    approve = ("invoice", "approve", billing.project, "--reason", "checked", "--as", CONTROLLER)
    stale = await desk.fairlead(*approve, "--content", seen)
    assert stale.exit_code == 4
    assert "was changed since it was shown" in stale.output
    answer = await desk.done(*approve)
    shown = answer["decision"]["payload"]["content_hash"]
    assert shown[:12] != seen
    assert (await finish(handle)).net == eur("2010.00")
    row = await billing.row(handle.id)
    assert (row.approved_by, row.approved_hash) == (CONTROLLER, shown)


async def test_rejected_invoice_goes_back_to_its_manager(desk: Desk) -> None:
    billing = desk.billing
    await billing.contract(terms=terms(prebill=True, approval_limit=eur(1000)))
    entry = await billing.work("a", 10)
    handle = await billing.bill(await billing.cycle())
    await billing.reached(handle, "pre-bill review")
    await desk.done("prebill", "release", billing.project, "--as", MANAGER)
    await billing.reached(handle, "awaiting approval", attention=1)
    reject = ("invoice", "reject", billing.project, "--reason", "too much", "--as", CONTROLLER)
    await desk.done(*reject)
    await billing.reached(handle, "pre-bill review")
    assert (await desk.json("prebill", "list"))["count"] == 1
    down = (
        "prebill",
        "write-down",
        entry,
        "500.00",
        "--code",
        "quality",
        "--reason",
        "fair",
        "--as",
        MANAGER,
    )
    await desk.done(*down)
    await desk.done("prebill", "release", billing.project, "--as", MANAGER)
    await billing.reached(handle, "awaiting approval", attention=1)
    await desk.done("invoice", "approve", billing.project, "--reason", "fine", "--as", CONTROLLER)
    assert (await finish(handle)).net == eur("1500.00")


async def test_credit_is_asked_for_by_one_and_approved_by_another(desk: Desk) -> None:
    billing = desk.billing
    await billing.contract()
    first, second = await billing.work("a", 10), await billing.work("b", 5)
    bill = await billing.billed(await billing.cycle())
    arguments = ("--reason", "billing_error", "--entries", second, "--text", "wrong project")
    asked = await desk.done("invoice", "credit", bill.number, *arguments, "--as", OPERATOR)
    assert (asked["answer"], asked["net"]["amount"], asked["releases"]) == ("started", "1000.00", [second])
    credit = billing.client.get_workflow_handle(asked["credit"])
    await billing.reached(credit, "awaiting approval", attention=1)
    again = await desk.done("invoice", "credit", bill.number, *arguments, "--as", OPERATOR)
    assert (again["answer"], again["credit"]) == ("joined", asked["credit"])
    key = asked["credit"].rpartition("/")[2]
    approve = ("invoice", "approve", key, "--reason", "agreed", "--as")
    await desk.done(*approve, CONTROLLER)
    result = CreditResult.model_validate(await finish(credit))
    assert (result.state, result.released) == ("posted", 1)
    assert await billing.open_keys() == [second]
    assert (await billing.store.billing.entry(first)).invoice == bill.invoice
    shown = await desk.json("invoice", "show", bill.number)
    assert [note["net"]["amount"] for note in shown["credited_by"]] == ["1000.00"]
    over = await desk.fairlead(
        "invoice", "credit", bill.number, "--reason", "concession", "--amount", "2000.01", "--text", "x",
        "--as", OPERATOR,
    )  # fmt: skip
    assert over.exit_code == 4
    assert "only 2,000.00 EUR" in " ".join(over.output.split())
