"""Pre-bills on the command line: what is shown, and which decisions are refused before they are made."""

from typing import Any

import pytest

from cli.exit_codes import ExitCode
from cli.prebill_screens import time_text
from domain.billing_process import invoice_id
from domain.invoice_state import InvoiceRow
from domain.project_contract import BillingTerms
from domain.quantity import Quantity
from store.sql.engine import SqlStore
from tests.unit.cli import cli_billing as kept
from tests.unit.cli.cli_billing import INVOICE, MANAGER, OTHER, PROJECT, SHORT, Work
from tests.unit.cli.cli_runs import TOMAS, LocalFirm, words
from tests.unit.cli.test_cli_deciding import decisions_kept

WHY = ("--reason", "because")
CODE = ("--code", "quality")


@pytest.fixture
def reviewed(firm: LocalFirm) -> LocalFirm:
    """A firm whose one pre-bill waits for its project manager."""
    firm.with_store(kept.collected)
    return firm


def by_key(document: Any) -> dict[str, Any]:
    return {entry["key"]: entry for line in document["lines"] for entry in line["entries"]}


# -- list and show ----------------------------------------------------------------------------------


def test_no_prebill_is_said(firm: LocalFirm) -> None:
    assert firm.json("prebill", "list") == {"count": 0, "total": 0, "prebills": []}
    assert "No pre-bill waits" in firm.fairlead("prebill", "list").stdout


def test_list_says_what_waits_and_until_when(reviewed: LocalFirm) -> None:
    (line,) = reviewed.json("prebill", "list")["prebills"]
    assert (line["invoice"], line["project_manager"]) == (INVOICE, MANAGER)
    assert line["value"] == {"amount": "1530.00", "currency": "EUR"}
    assert (line["entries"], line["entries_held"], line["entries_without_rate"]) == (4, 1, 1)
    assert line["due"] > line["since"]
    assert reviewed.json("prebill", "list", "--project", PROJECT)["count"] == 1
    assert reviewed.fairlead("prebill", "list", "--project", OTHER).exit_code == ExitCode.NOT_FOUND


def test_show_has_every_entry_with_rate_value_and_state(reviewed: LocalFirm) -> None:
    document = reviewed.json("prebill", "show", PROJECT)
    assert document == reviewed.json("prebill", "show", SHORT) == reviewed.json("prebill", "show", INVOICE)
    assert [line["line"] for line in document["lines"]] == [1, 3]
    assert document["lines"][0]["sum"]["amount"] == "1530.00"
    entries = by_key(document)
    assert (entries["kantata:time:2"]["price"], entries["kantata:time:2"]["per"]) == ("150.00", "hour")
    assert entries["kantata:time:2"]["value"]["amount"] == "225.00"
    assert entries["kantata:expense:5"]["value"]["amount"] == "105.00"
    assert (entries["kantata:time:3"]["state"], entries["kantata:time:3"]["hold_reason"]) == (
        "held",
        "rework",
    )
    assert entries["kantata:time:7"]["value"] is None
    assert "kantata:time:4" not in entries, "worked after the cycle"


def test_show_prices_the_bill_as_it_would_be_now(reviewed: LocalFirm) -> None:
    """1,530.00 less 10% retention, with German VAT; nothing of it is kept."""
    document = reviewed.json("prebill", "show", PROJECT)
    price = document["price"]
    assert not price["kept"]
    assert [price[name]["amount"] for name in ("retention", "net", "tax", "gross")] == [
        "153.00",
        "1377.00",
        "261.63",
        "1638.63",
    ]
    (finding,) = document["findings"]
    assert (finding["rule"], finding["blocking"]) == ("rate.card", True)
    row = reviewed.with_store(lambda store: store.billing.invoice(INVOICE))
    assert row is not None
    assert row.priced is None


def test_show_for_people(reviewed: LocalFirm) -> None:
    text = words(reviewed.fairlead("prebill", "show", PROJECT).stdout)
    for said in (
        "Nordwind AG",
        "1:30 h",
        "150.00/h",
        "no rate",
        "held: rework",
        "1,530.00 EUR of 4 entries",
        "5,000.00 EUR (hard)",
        "stops it entry.rate",
        f"fairlead prebill release {SHORT}",
    ):
        assert said in text, said


def test_without_a_bill_show_says_what_the_next_one_collects(firm: LocalFirm) -> None:
    firm.with_store(kept.work_came_in)
    document = firm.json("prebill", "show", PROJECT)
    assert (document["invoice"], document["price"]) == (None, None)
    assert [event["occasion"] for event in document["events"]] == ["go-live"]
    # All but what is held: 1,530.00 and the hour that came in late, and the milestone of 2,000.00.
    assert document["sums"]["work"]["amount"] == "1680.00"
    assert document["sums"]["total"]["amount"] == "3680.00"
    assert document["sums"]["held"]["amount"] == "600.00"


def test_project_with_nothing_to_bill(firm: LocalFirm) -> None:
    firm.with_store(lambda store: store.billing.put_contract(kept.contract()))
    assert "Nothing of this project waits" in firm.fairlead("prebill", "show", PROJECT).stdout


def test_write_downs_are_shown_with_what_is_left(reviewed: LocalFirm) -> None:
    reviewed.with_store(kept.written_down("kantata:time:1", "200"))
    document = reviewed.json("prebill", "show", PROJECT)
    entry = by_key(document)["kantata:time:1"]
    assert (entry["value"]["amount"], entry["adjustment"]["amount"]["amount"]) == ("1000.00", "-200.00")
    assert document["sums"]["adjusted"]["amount"] == "-200.00"
    assert "(-200.00)" in reviewed.fairlead("prebill", "show", PROJECT).stdout


def test_the_kept_price_stands_until_it_is_priced_again(firm: LocalFirm) -> None:
    """A change after pricing is shown with its value; the price is the one that was made."""
    firm.with_store(kept.priced(firm))
    firm.with_store(kept.written_down("kantata:time:1", "200"))
    document = firm.json("prebill", "show", PROJECT)
    assert (document["price"]["kept"], document["price"]["net"]["amount"]) == (True, "1377.00")
    assert document["sums"]["work"]["amount"] == "1330.00"


def test_rejected_invoice_is_in_review_again(firm: LocalFirm) -> None:
    firm.with_store(kept.priced(firm))
    assert firm.json("prebill", "list")["count"] == 0
    firm.with_store(lambda store: store.attention.put(kept.approval_asked(state="resolved", resolution="x")))
    firm.with_store(kept.decided("reject", "controller@fairlead.example"))
    assert firm.json("prebill", "list")["count"] == 1
    firm.with_store(kept.decided("release_prebill", MANAGER))
    assert firm.json("prebill", "list")["count"] == 0


def test_two_bills_of_a_project_are_ambiguous_and_both_are_named(reviewed: LocalFirm) -> None:
    reviewed.with_store(second_bill)
    for arguments in (("show", PROJECT), ("release", PROJECT, "--as", MANAGER)):
        result = reviewed.fairlead("prebill", *arguments)
        assert result.exit_code == ExitCode.USAGE
        assert "may mean 2 invoices" in words(result.stderr)
        for name in (SHORT, "DE01-7K3QXW:2:go-live:1"):
            assert name in result.stderr.replace("\n", "").replace(" ", "")


async def second_bill(store: SqlStore) -> None:
    row: InvoiceRow = kept.row(id=invoice_id("fairlead-demo", kept.MILESTONE), events=(kept.MILESTONE,))
    await store.billing.put_invoice(row)


@pytest.mark.parametrize(
    ("amount", "unit", "shown"),
    [
        ("480", "minutes", "8:00 h"),
        ("50", "minutes", "0:50 h"),
        ("-90", "minutes", "-1:30 h"),
        ("7.50", "hours", "7.5 h"),
        ("100", "hours", "100 h"),
        ("0.5", "days", "0.5 d"),
    ],
)
def test_time_is_shown_exactly(amount: str, unit: str, shown: str) -> None:
    assert time_text(Quantity.model_validate({"amount": amount, "unit": unit})) == shown


# -- decisions that are refused before they are made --------------------------------------------------

ENTRY, HELD, FREE = "kantata:time:1", "kantata:time:3", "kantata:time:4"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("hold", "kantata:time:99", *WHY), ExitCode.NOT_FOUND, "There is no entry 'kantata:time:99'"),
        (("hold", ENTRY, "--reason", "  "), ExitCode.USAGE, "--reason is empty"),
        (("hold", HELD, *WHY), ExitCode.REFUSED, "is held already: rework"),
        (("unhold", ENTRY), ExitCode.REFUSED, "is not held"),
        (("write-down", ENTRY, "ten", *CODE, *WHY), ExitCode.USAGE, "AMOUNT 'ten'"),
        (("write-down", ENTRY, "10.005", *CODE, *WHY), ExitCode.USAGE, "EUR allows 2"),
        (("write-down", ENTRY, "0", *CODE, *WHY), ExitCode.USAGE, "is given above zero"),
        (("write-down", ENTRY, "1200.01", *CODE, *WHY), ExitCode.REFUSED, "is worth 1,200.00 EUR"),
        (("write-up", ENTRY, "NaN", *CODE, *WHY), ExitCode.USAGE, "not a finite number"),
        (("write-up", ENTRY, "10", "--code", "two words", *WHY), ExitCode.USAGE, "is no code"),
        (("transfer", ENTRY, "--to", "DE01-NONE", "--line", "1", *WHY), ExitCode.NOT_FOUND, "'DE01-NONE'"),
        (("transfer", ENTRY, "--to", OTHER, "--line", "9", *WHY), ExitCode.REFUSED, "has no line 9"),
        (("transfer", ENTRY, "--to", PROJECT, "--line", "1", *WHY), ExitCode.REFUSED, "already"),
        (("narrative", ENTRY, " "), ExitCode.USAGE, "TEXT is empty"),
        (("release", "DE01-NONE"), ExitCode.NOT_FOUND, "has no contract here"),
        (("release", OTHER), ExitCode.REFUSED, f"No pre-bill of {OTHER} waits"),
        (("hold", ENTRY, *WHY, "--invoice", OTHER), ExitCode.REFUSED, f"No pre-bill of {OTHER} waits"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_review_is_never_written(
    reviewed: LocalFirm, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    other = kept.contract(project=OTHER, deal="0065g0000000002AAA", number="C-0002")
    reviewed.with_store(lambda store: store.billing.put_contract(other))
    result = reviewed.fairlead("prebill", *arguments, "--as", MANAGER)
    assert (result.exit_code, said in words(result.stderr)) == (code, True), result.stderr
    assert decisions_kept(reviewed) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("hold", ENTRY, *WHY),
        ("unhold", HELD),
        ("write-down", ENTRY, "1200.00", *CODE, *WHY),
        ("write-up", ENTRY, "0.01", *CODE, *WHY),
        ("narrative", ENTRY, "Data migration"),
        ("release", PROJECT),
        ("release", INVOICE),
    ],
    ids=" ".join,
)
def test_right_review_needs_temporal_and_is_not_written_without(
    reviewed: LocalFirm, arguments: tuple[str, ...]
) -> None:
    result = reviewed.fairlead("prebill", *arguments, "--as", MANAGER)
    assert result.exit_code == ExitCode.UNREACHABLE, result.stderr
    assert "No Temporal server answers" in words(result.stderr)
    assert decisions_kept(reviewed) == 0


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ((), ExitCode.USAGE),
        (("--as", "audit@fairlead.example"), ExitCode.REFUSED),
        (("--as", "eve@evil.example"), ExitCode.REFUSED),
        (("--as", MANAGER.upper()), ExitCode.UNREACHABLE),
        (("--as", TOMAS), ExitCode.UNREACHABLE),
    ],
    ids=("nobody", "auditor", "stranger", "manager", "operator"),
)
def test_the_contracts_manager_and_those_who_decide_may_review(
    reviewed: LocalFirm, who: tuple[str, ...], code: ExitCode
) -> None:
    """Far enough to miss Temporal is far enough to be allowed."""
    assert reviewed.fairlead("prebill", "release", PROJECT, *who).exit_code == code


def test_manager_of_another_project_may_not(reviewed: LocalFirm) -> None:
    terms = BillingTerms(project_manager="someone.else@fairlead.example")
    reviewed.with_store(lambda store: store.billing.put_contract(kept.contract(revision=2, terms=terms)))
    assert reviewed.fairlead("prebill", "release", PROJECT, "--as", MANAGER).exit_code == ExitCode.REFUSED


def test_what_is_posted_is_not_reviewed(firm: LocalFirm) -> None:
    firm.with_store(kept.posted(firm))
    result = firm.fairlead("prebill", "hold", ENTRY, *WHY, "--as", MANAGER)
    assert result.exit_code == ExitCode.REFUSED
    assert "is posted: its lines can no longer be changed" in words(result.stderr)
    assert "fairlead invoice credit" in words(result.stderr)
    assert firm.fairlead("prebill", "release", PROJECT, "--as", MANAGER).exit_code == ExitCode.REFUSED


def overdue() -> Work:
    async def work(store: SqlStore) -> None:
        await kept.collected(store)
        terms = kept.contract().terms.with_changes(prebill_hours=0)
        await store.billing.put_contract(kept.contract(revision=2, terms=terms))

    return work


def test_silence_is_overdue(firm: LocalFirm) -> None:
    firm.with_store(overdue())
    (line,) = firm.json("prebill", "list")["prebills"]
    assert (line["state"], line["due"]) == ("overdue", line["since"])


def test_amounts_in_another_currency_take_its_decimals(firm: LocalFirm) -> None:
    yen = BillingTerms(project_manager=MANAGER)
    contract = kept.contract(currency="JPY", terms=yen, value=None, customer_po=None)
    firm.with_store(lambda store: store.billing.put_contract(contract))
    firm.with_store(lambda store: store.billing.take_in([kept.entry("1")]))
    result = firm.fairlead("prebill", "write-down", ENTRY, "10.5", *CODE, *WHY, "--as", MANAGER)
    assert result.exit_code == ExitCode.USAGE
    assert "JPY allows 0" in words(result.stderr)
