"""`fairlead procurement`, and what work lists and timelines say of purchases."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.console import Console

from activities.procurement_rows import ProcurementRowActivities, PurchaseNote, RecordPurchases
from cli.exit_codes import ExitCode
from cli.procurement import _draw
from domain.activation_process import ActivationResult
from domain.money import Money
from domain.procurement_process import ProcurementLine, ProcurementView
from store.sql.engine import SqlStore
from tests.unit.cli import cli_billing as kept
from tests.unit.cli.cli_billing import MANAGER, PROJECT
from tests.unit.cli.cli_runs import CONTROLLER, LocalFirm, words
from tests.unit.cli.test_cli_deciding import decisions_kept

DEAL = "0065g0000000001AAA"
ACTIVATION = f"activation/fairlead-demo/{DEAL}"
PROCESS = f"procurement/fairlead-demo/{PROJECT}"
ORDERED = "order PO-7 of S-002 over 945.00 EUR ordered"


async def purchases(store: SqlStore) -> None:
    """An active project whose supplier has the order, and has not accepted it."""
    await store.processes.open(ACTIVATION, "activation", "run-1")
    result = ActivationResult(state="active", deal=DEAL, project=PROJECT, handed_over=(PROCESS,))
    await store.processes.close(ACTIVATION, 1, "done", result.model_dump_json(), project=PROJECT)
    await store.processes.open(PROCESS, "procurement", "run-1")
    rows = ProcurementRowActivities(store)
    for outcome, told in (
        ("requested", "requisition 10 of S-002 over 945.00 EUR requested"),
        ("ordered", ORDERED),
    ):
        note = PurchaseNote(key="line 6, round 1", what=f"line 6 Tests: {told}", outcome=outcome)
        await rows.record(
            RecordPurchases(
                process=PROCESS, project=PROJECT, entity="DE01", stage="awaiting acceptance",
                title=f"project {PROJECT}: {told}", notes=(note, note),
            )
        )  # fmt: skip


@pytest.fixture
def bought(firm: LocalFirm) -> LocalFirm:
    firm.with_store(kept.collected)
    firm.with_store(purchases)
    return firm


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("procurement", "a b"), ExitCode.USAGE, "is no project number"),
        (("procurement", PROJECT), ExitCode.UNREACHABLE, ""),
        (("procurement",), ExitCode.USAGE, "PROJECT"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said(
    firm: LocalFirm, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    result = firm.fairlead(*arguments)
    assert result.exit_code == code, result.stderr
    assert said in words(result.stderr)


def test_a_cancel_of_purchases_is_a_decision(bought: LocalFirm) -> None:
    refused = bought.fairlead(
        "cancel", f"billing/fairlead-demo/{PROJECT}", "--reason", "x", "--as", CONTROLLER
    )
    assert refused.exit_code != ExitCode.OK
    before = decisions_kept(bought)
    result = bought.fairlead("cancel", PROCESS, "--reason", "deal lost", "--as", CONTROLLER)
    assert result.exit_code == ExitCode.UNREACHABLE, "allowed; there is no Temporal in this test"
    assert "cannot be cancelled" not in result.stderr
    assert decisions_kept(bought) == before


def test_the_managers_list_says_what_suppliers_are_waited_for(bought: LocalFirm) -> None:
    (row,) = bought.json("worklist", "project-manager", "--for", MANAGER)["purchases"]
    assert (row["project"], row["stage"], row["what"]) == (PROJECT, "awaiting acceptance", ORDERED)
    screen = words(bought.fairlead("worklist", "project-manager", "--for", MANAGER).stdout)
    assert "Waiting for suppliers 1" in screen
    assert "order PO-7" in screen


def test_the_timeline_shows_requisition_and_order_once(bought: LocalFirm) -> None:
    timeline = bought.json("trace", DEAL)["timeline"]
    told = [moment["what"] for moment in timeline if moment["what"].startswith("line 6")]
    assert told == [
        "line 6 Tests: requisition 10 of S-002 over 945.00 EUR requested",
        f"line 6 Tests: {ORDERED}",
    ]


def test_the_screen_has_a_row_for_each_line() -> None:
    line = ProcurementLine(
        ref="6", name="Tests", supplier="Redwood", supplier_id="S-002", requisition_number="10",
        order_number="PO-7", rate=Decimal(90), amount=Money.of("945.00", "EUR"), state="ordered",
        since=datetime(2026, 12, 1, 9, tzinfo=UTC), dropped="deal lost",
    )  # fmt: skip
    view = ProcurementView(
        project=PROJECT, system="coupa", entity="DE01", stage="awaiting acceptance", lines=(line,)
    )
    console = Console(width=160, record=True, quiet=False)
    with console.capture() as shown:
        _draw(console, view)
    text = words(shown.get())
    for said in (
        "6 Tests",
        "S-002",
        "10",
        "PO-7",
        "945.00 EUR",
        "ordered",
        "deal lost",
        "when something changes",
    ):
        assert said in text, said
