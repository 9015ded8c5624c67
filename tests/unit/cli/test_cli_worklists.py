"""Work lists and reports: whose work is on them, and figures that state what they are made of."""

from decimal import Decimal
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from domain.project_contract import BillingTerms
from tests.unit.cli import cli_billing as kept
from tests.unit.cli.cli_billing import INVOICE, MANAGER, OTHER, PROJECT, ago
from tests.unit.cli.cli_runs import TOMAS, LocalFirm, words


@pytest.fixture
def reviewed(firm: LocalFirm) -> LocalFirm:
    firm.with_store(kept.collected)
    return firm


def amounts(line: dict[str, Any], *names: str) -> list[str]:
    return [line[name]["amount"] for name in names]


# -- work lists -------------------------------------------------------------------------------------


def test_unknown_role_says_which_there_are(firm: LocalFirm) -> None:
    result = firm.fairlead("worklist", "astronaut")
    assert result.exit_code == ExitCode.USAGE
    assert "There are project-manager, billing and staffing" in words(result.stderr)


def test_managers_list_holds_their_projects_only(reviewed: LocalFirm) -> None:
    document = reviewed.json("worklist", "project-manager", "--for", MANAGER)
    assert document["totals"] == {"prebills": 1, "held": 1, "purchases": 0, "burn": 1, "refused": 1}
    assert document["held"][0] | {"as_of": ""} == {
        "entry": "kantata:time:3",
        "project": PROJECT,
        "date": str(ago(36)),
        "person": "anna.beck",
        "reason": "rework",
        "value": {"amount": "600.00", "currency": "EUR"},
        "as_of": "",
    }
    assert document["refused"][0]["problem"] == "task 12 belongs to no contract line"
    assert document == reviewed.json("worklist", "project_manager", "--as", MANAGER) | {
        "as_of": document["as_of"]
    }
    other = reviewed.json("worklist", "project-manager", "--for", TOMAS)
    assert (other["projects"], other["totals"]["prebills"], other["totals"]["refused"]) == (0, 0, 0)
    text = reviewed.fairlead("worklist", "project-manager", "--for", TOMAS).stdout
    assert "No project has this project manager" in text


def test_managers_screen(reviewed: LocalFirm) -> None:
    text = words(reviewed.fairlead("worklist", "project-manager", "--for", MANAGER).stdout)
    for said in ("Pre-bills to review 1", "1,530.00 EUR", "rework", "45.6%", "belongs to no contract line"):
        assert said in text, said


def test_billings_list_of_an_empty_firm_says_so(firm: LocalFirm) -> None:
    text = firm.fairlead("worklist", "billing").stdout
    for said in ("Everything is billed.", "None is blocked.", "Nothing waits for a person."):
        assert said in text


def test_billings_list_by_cause(firm: LocalFirm) -> None:
    firm.with_store(kept.priced(firm, without_rate=False))
    document = firm.json("worklist", "billing")
    causes = {line["cause"]: line for line in document["unbilled"]}
    assert list(causes) == ["ready", "on a bill", "held"]
    assert (causes["ready"]["value"]["amount"], causes["ready"]["entries"]) == ("150.00", 1)
    assert (causes["on a bill"]["value"]["amount"], causes["on a bill"]["without_rate"]) == ("1530.00", 1)
    assert causes["held"]["value"]["amount"] == "600.00"
    (blocked,) = document["blocked"]
    assert (blocked["invoice"], blocked["cause"], blocked["owner"]) == (
        INVOICE,
        "rate.card",
        "finance_systems",
    )
    (order,) = document["orders"]
    assert (order["order"], order["left"]["amount"], order["left_percent"]) == ("PO-77", "20000.00", "100.0")
    (intake,) = document["intake"]
    assert (intake["rule"], intake["count"], intake["oldest"]) == ("task.no_line", 1, "kantata:time:9")
    assert document["approvals"] == []


def test_billings_list_has_what_waits_for_approval(firm: LocalFirm) -> None:
    firm.with_store(kept.priced(firm))
    document = firm.json("worklist", "billing")
    assert (document["orders"][0]["left"]["amount"], document["orders"][0]["left_percent"]) == (
        "18470.00",
        "92.4",
    )
    (waiting,) = document["approvals"]
    assert (waiting["invoice"], waiting["gross"]["amount"]) == (INVOICE, "1638.63")
    assert [line["id"] for line in document["exceptions"]] == [f"{INVOICE}/approval/1"]


def test_lists_are_cut_and_say_how_many_there_are(firm: LocalFirm) -> None:
    firm.with_store(kept.work_came_in)
    document = firm.json("worklist", "billing", "--limit", "1")
    assert (len(document["unbilled"]), document["totals"]["unbilled"]) == (1, 2)
    assert "1 of 2" in firm.fairlead("worklist", "billing", "--limit", "1").stdout


# -- burn -------------------------------------------------------------------------------------------


def test_burn_of_nothing(firm: LocalFirm) -> None:
    assert firm.json("report", "burn")["projects"] == []
    assert "No project has a contract here yet" in firm.fairlead("report", "burn").stdout
    assert firm.fairlead("report", "burn", "--project", "DE01-NONE").exit_code == ExitCode.NOT_FOUND


def test_burn_is_the_same_before_and_after_pricing(firm: LocalFirm) -> None:
    """1,530.00 collected, 600.00 held and 150.00 of later work, of a cap of 5,000.00."""
    firm.with_store(kept.collected)
    (before,) = firm.json("report", "burn")["projects"]
    assert amounts(before, "limit", "billed", "unbilled", "unbilled_held", "left") == [
        "5000.00",
        "0.00",
        "2280.00",
        "600.00",
        "2720.00",
    ]
    assert (before["used_percent"], before["limit_is"], before["entries_without_rate"]) == ("45.6", "cap", 1)


def test_a_blocked_price_claims_nothing_and_its_work_still_burns(firm: LocalFirm) -> None:
    firm.with_store(kept.priced(firm, without_rate=False))
    (line,) = firm.json("report", "burn")["projects"]
    assert amounts(line, "billed", "unbilled") == ["0.00", "2280.00"]
    assert line["used_percent"] == "45.6"


def test_burn_after_the_invoice_is_posted(firm: LocalFirm) -> None:
    firm.with_store(kept.posted(firm))
    (line,) = firm.json("report", "burn", "--project", PROJECT)["projects"]
    assert amounts(line, "billed", "unbilled", "left", "retained") == [
        "1530.00",
        "750.00",
        "2720.00",
        "153.00",
    ]
    assert line["used_percent"] == "45.6"


def test_burn_without_a_cap_is_of_the_contracts_value(firm: LocalFirm) -> None:
    contract = kept.contract(terms=BillingTerms(project_manager=MANAGER))
    firm.with_store(lambda store: store.billing.put_contract(contract))
    (line,) = firm.json("report", "burn")["projects"]
    assert (line["limit"]["amount"], line["limit_is"], line["used_percent"]) == (
        "60000.00",
        "contract value",
        "0.0",
    )


def test_report_states_definition_source_and_as_of(reviewed: LocalFirm) -> None:
    for report in ("burn", "leakage"):
        document = reviewed.json("report", report)
        assert document["definition"]
        assert document["source"].startswith("Fairlead's store")
        assert document["as_of"]
        text = words(reviewed.fairlead("report", report).stdout)
        for said in ("Definition", "Source", "As of"):
            assert said in text


# -- leakage ----------------------------------------------------------------------------------------


def causes(document: dict[str, Any]) -> dict[str, tuple[str, int]]:
    (group,) = document["currencies"]
    return {line["cause"]: (line["value"]["amount"], line["count"]) for line in group["causes"]}


def test_leakage_of_nothing(firm: LocalFirm) -> None:
    assert firm.json("report", "leakage")["currencies"] == []
    assert "nothing was earned" in firm.fairlead("report", "leakage").stdout


def test_leakage_by_cause(reviewed: LocalFirm) -> None:
    """Worked more than 30 days ago: 1,530.00 on a bill in review, 600.00 held, a milestone nobody billed."""
    document = reviewed.json("report", "leakage")
    assert document["target_days"] == 30
    assert causes(document) == {
        "lost_event": ("2000.00", 1),
        "unapproved": ("1530.00", 3),
        "held": ("600.00", 1),
        "rate_missing": ("0.00", 1),
    }
    (group,) = document["currencies"]
    # 1,530 + 600 + 150 of work and the milestone of 2,000 are earned.
    assert (group["earned"]["amount"], group["total"]["amount"]) == ("4280.00", "4130.00")
    assert Decimal(group["percent"]) == Decimal("96.5")
    assert "within 30 days" in group["formula"]
    assert [line["value"]["amount"] for line in group["largest"]][:2] == ["2000.00", "1200.00"]
    assert document["refused_at_intake"] == [{"rule": "task.no_line", "count": 1}]


def test_leakage_counts_late_bills_and_write_downs_apart(firm: LocalFirm) -> None:
    firm.with_store(kept.collected)
    firm.with_store(kept.written_down("kantata:time:1", "200.00"))
    firm.with_store(lambda store: store.billing.release(INVOICE))
    found = causes(firm.json("report", "leakage"))
    assert found["write_down"] == ("200.00", 1)
    # The rest of it: 1,000.00 and 225.00 and 105.00, with the milestone.
    assert found["lost_event"] == ("3330.00", 4)


def test_leakage_of_a_period_and_entity(reviewed: LocalFirm) -> None:
    early = reviewed.json("report", "leakage", "--since", str(ago(90)), "--until", str(ago(60)))
    (group,) = early["currencies"]
    assert (group["earned"]["amount"], group["total"]) == ("0.00", None)
    assert reviewed.json("report", "leakage", "--entity", "US01")["currencies"] == []
    assert len(reviewed.json("report", "leakage", "--entity", "DE01")["currencies"]) == 1


def test_currencies_are_never_added(reviewed: LocalFirm) -> None:
    dollars = kept.contract(
        project=OTHER, currency="USD", value=None, customer_po=None, terms=BillingTerms(), number="C-0002"
    )
    reviewed.with_store(lambda store: store.billing.put_contract(dollars))
    reviewed.with_store(lambda store: store.billing.take_in([kept.entry("u1", project=OTHER)]))
    groups = reviewed.json("report", "leakage")["currencies"]
    assert [(group["currency"], group["total"]["amount"]) for group in groups] == [
        ("EUR", "4130.00"),
        ("USD", "1200.00"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "yesterday"), "--since 'yesterday' is no day"),
        (("--until", "2026-13-01"), "--until '2026-13-01' is no day"),
        (("--since", "2026-09-30", "--until", "2026-07-01"), "is after --until"),
        (("--entity", "FR01"), "There is no legal entity 'FR01'"),
    ],
)
def test_leakage_asked_for_wrongly(firm: LocalFirm, arguments: tuple[str, ...], said: str) -> None:
    result = firm.fairlead("report", "leakage", *arguments)
    assert result.exit_code == ExitCode.USAGE
    assert said in words(result.stderr)
