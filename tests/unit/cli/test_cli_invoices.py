"""Invoices on the command line: finding, showing, and what is refused before anybody decides."""

from typing import Any

import pytest

from cli.exit_codes import ExitCode
from domain.billing_process import invoice_id
from store.sql.engine import SqlStore
from tests.unit.cli import cli_billing as kept
from tests.unit.cli.cli_billing import (
    CYCLE,
    INVOICE,
    MANAGER,
    MILESTONE,
    OTHER,
    PROJECT,
    SHORT,
    Work,
    ago,
    eur,
)
from tests.unit.cli.cli_runs import CONTROLLER, TOMAS, LocalFirm, words
from tests.unit.cli.test_cli_deciding import decisions_kept

WHY = ("--reason", "checked")
TEXT = ("--text", "wrong project")
ERROR, CONCESSION = ("--reason", "billing_error"), ("--reason", "concession")


@pytest.fixture
def asked(firm: LocalFirm) -> LocalFirm:
    """A firm whose one invoice is priced at 1,638.63 and waits for an approval."""
    firm.with_store(kept.priced(firm))
    return firm


@pytest.fixture
def posted(firm: LocalFirm) -> LocalFirm:
    """A firm whose one invoice stands in the ledger as INV-1042."""
    firm.with_store(kept.posted(firm))
    return firm


# -- finding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [INVOICE, SHORT, CYCLE, "INV-1042", "inv-1042", PROJECT])
def test_an_invoice_is_found_by_what_people_call_it(posted: LocalFirm, key: str) -> None:
    assert posted.json("invoice", "show", key)["invoice"] == INVOICE


def test_unknown_invoice(posted: LocalFirm) -> None:
    result = posted.fairlead("invoice", "show", "INV-9999")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "There is no invoice 'INV-9999'" in words(result.stderr)


async def another(store: SqlStore) -> None:
    row = kept.row(id=invoice_id("fairlead-demo", MILESTONE), events=(MILESTONE,))
    await store.billing.put_invoice(row)


def test_a_project_means_its_one_open_invoice(posted: LocalFirm) -> None:
    posted.with_store(another)
    assert posted.json("invoice", "show", PROJECT)["invoice"].endswith(":2:go-live:1")


def test_several_open_invoices_are_all_named(asked: LocalFirm) -> None:
    asked.with_store(another)
    error = asked.json("invoice", "show", PROJECT)["error"]
    assert error["exit"] == ExitCode.USAGE
    assert SHORT in error["cure"]
    assert "DE01-7K3QXW:2:go-live:1" in error["cure"]


# -- list and show ----------------------------------------------------------------------------------


def test_empty_list_is_said(firm: LocalFirm) -> None:
    assert firm.json("invoice", "list") == {"count": 0, "total": 0, "invoices": []}
    assert "No invoice fits." in firm.fairlead("invoice", "list").stdout


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ((), 1),
        (("--project", PROJECT), 1),
        (("--stage", "posted"), 1),
        (("--stage", "priced"), 0),
        (("--customer", "nordwind"), 1),
        (("--customer", "0015g0000000001AAA"), 1),
        (("--customer", "Alpenglow"), 0),
    ],
    ids=str,
)
def test_list_is_filtered(posted: LocalFirm, filters: tuple[str, ...], count: int) -> None:
    assert posted.json("invoice", "list", *filters)["total"] == count


@pytest.mark.parametrize(
    ("filters", "code", "said"),
    [
        (("--stage", "lost"), ExitCode.USAGE, "There is no stage 'lost'"),
        (("--project", "DE01-NONE"), ExitCode.NOT_FOUND, "has no contract here"),
    ],
)
def test_list_filtered_wrongly(
    posted: LocalFirm, filters: tuple[str, ...], code: ExitCode, said: str
) -> None:
    result = posted.fairlead("invoice", "list", *filters)
    assert result.exit_code == code
    assert said in words(result.stderr)


def test_list_shows_stage_and_number_on_a_narrow_terminal(posted: LocalFirm) -> None:
    text = words(posted.fairlead("invoice", "list").stdout)
    for said in ("INV-1042", SHORT, "Nordwind AG", "1,638.63 EUR", "posted"):
        assert said in text


def test_show_has_lines_taxes_totals_and_approval(asked: LocalFirm) -> None:
    document = asked.json("invoice", "show", PROJECT)
    kinds = [(line["kind"], line["net"]["amount"], line["covers"]) for line in document["lines"]]
    assert kinds == [("time", "1425.00", 2), ("expense", "105.00", 1), ("retention", "-153.00", 0)]
    assert [(tax["code"], tax["tax"]["amount"]) for tax in document["taxes"]] == [("DE-VAT-19", "261.63")]
    sums = [document[name]["amount"] for name in ("net", "tax", "gross", "retention", "advance_applied")]
    assert sums == ["1377.00", "261.63", "1638.63", "153.00", "0.00"]
    assert document["covers"]["entries"] == 3
    assert document["standing"] == "awaiting approval"
    approval = document["approval"]
    assert (approval["state"], approval["made_by"]) == ("needed", [TOMAS])
    assert CONTROLLER in approval["may_approve"]
    assert TOMAS not in approval["may_approve"]
    assert document["commands"][0] == (
        f"fairlead invoice approve {SHORT} --content {approval['content_hash'][:12]} --reason TEXT "
        f"--as {approval['may_approve'][0]}"
    )


def test_show_says_what_blocks(firm: LocalFirm) -> None:
    firm.with_store(kept.priced(firm, without_rate=False))
    document = firm.json("invoice", "show", PROJECT)
    assert document["standing"] == "blocked"
    assert [(each["rule"], each["blocking"], each["entries"]) for each in document["findings"]] == [
        ("rate.card", True, 1)
    ]
    assert document["commands"] == [f"fairlead exceptions show {INVOICE}"]
    assert "stops it entry.rate" in words(firm.fairlead("invoice", "show", PROJECT).stdout)


def test_show_compares_with_the_erp(posted: LocalFirm) -> None:
    erp = posted.json("invoice", "show", "INV-1042")["erp"]
    assert (erp["system"], erp["state"], erp["number"]) == ("netsuite", "posted", "INV-1042")
    assert (erp["net"]["amount"], erp["differs"]) == ("1377.00", [])
    posted.with_store(erp_says("261.64"))
    erp = posted.json("invoice", "show", "INV-1042")["erp"]
    assert erp["differs"] == ["tax: priced 261.63 EUR, in the ERP 261.64 EUR"]


def erp_says(tax: str) -> Work:
    async def work(store: SqlStore) -> None:
        row = await store.billing.invoice(INVOICE)
        assert row is not None
        await store.billing.put_invoice(row.with_changes(erp_tax=eur(tax)))

    return work


def test_an_approval_of_other_lines_is_void(firm: LocalFirm) -> None:
    firm.with_store(kept.priced(firm, approval="d9", approved_by=CONTROLLER, approved_hash="of other lines"))
    assert firm.json("invoice", "show", PROJECT)["approval"]["state"] == "void: the lines changed since"


# -- approving --------------------------------------------------------------------------------------


def approve(firm: LocalFirm, *arguments: str, who: str = CONTROLLER) -> Any:
    return firm.fairlead("invoice", "approve", PROJECT, *WHY, *arguments, "--as", who)


def test_right_approval_is_not_written_while_temporal_is_away(asked: LocalFirm) -> None:
    content = asked.json("invoice", "show", PROJECT)["approval"]["content_hash"]
    result = approve(asked, "--content", content[:12])
    assert result.exit_code == ExitCode.UNREACHABLE
    assert decisions_kept(asked) == 0


def test_who_made_it_does_not_approve_it(asked: LocalFirm) -> None:
    """Staffing may approve, but has released this very pre-bill."""
    staffing = "staffing@fairlead.example"
    asked.with_store(kept.decided("release_prebill", staffing))
    before = decisions_kept(asked)
    result = approve(asked, who=staffing)
    assert result.exit_code == ExitCode.REFUSED
    assert "another person approves it" in words(result.stderr)
    assert CONTROLLER in result.stderr.replace("\n", "")
    assert decisions_kept(asked) == before


def test_who_agreed_to_a_change_does_not_approve_it_either(asked: LocalFirm) -> None:
    """The second person of a write-down made the invoice too; who seconds a skip did not."""
    asked.with_store(kept.decided("write_down", MANAGER, id="first"))
    asked.with_store(kept.decided("second", CONTROLLER, target="first"))
    asked.with_store(kept.decided("skip", TOMAS, id="skipped"))
    asked.with_store(kept.decided("second", "tax@fairlead.example", target="skipped"))
    made = asked.json("invoice", "show", PROJECT)["approval"]["made_by"]
    assert made == sorted([CONTROLLER, MANAGER, TOMAS])
    assert approve(asked).exit_code == ExitCode.REFUSED


@pytest.mark.parametrize("who", [TOMAS, MANAGER, "audit@fairlead.example"])
def test_who_has_no_such_role_does_not_approve(asked: LocalFirm, who: str) -> None:
    assert approve(asked, who=who).exit_code == ExitCode.REFUSED


def test_what_changed_since_it_was_shown_is_not_approved(asked: LocalFirm) -> None:
    result = approve(asked, "--content", "0123456789ab")
    assert result.exit_code == ExitCode.REFUSED
    assert "was changed since it was shown" in words(result.stderr)
    assert decisions_kept(asked) == 0


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_only_what_is_priced_waits_for_approval(firm: LocalFirm, verb: str) -> None:
    firm.with_store(kept.collected)
    result = firm.fairlead("invoice", verb, PROJECT, *WHY, "--as", CONTROLLER)
    assert result.exit_code == ExitCode.REFUSED
    assert "is in review and waits for no approval" in words(result.stderr)
    assert firm.fairlead("invoice", verb, PROJECT, "--reason", " ", "--as", CONTROLLER).exit_code == 2


# -- credit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((*CONCESSION, "--amount", "1530.01"), ExitCode.REFUSED, "only 1,530.00 EUR of INV-1042 are left"),
        ((*CONCESSION, "--amount", "10.001"), ExitCode.USAGE, "EUR allows 2"),
        ((*CONCESSION, "--amount", "-5"), ExitCode.USAGE, "is given above zero"),
        (("--reason", "uncollectible"), ExitCode.REFUSED, "allowance"),
        (("--reason", "mistake"), ExitCode.USAGE, "There is no reason 'mistake'"),
        ((*ERROR, "--entries", "kantata:time:3"), ExitCode.REFUSED, "is not on INV-1042"),
        ((*ERROR, "--entries", "a,,b"), ExitCode.USAGE, "twice, or none"),
        ((*ERROR, "--entries", "kantata:time:1", "--amount", "5"), ExitCode.USAGE, "not both"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_credit_starts_nothing(
    posted: LocalFirm, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    result = posted.fairlead("invoice", "credit", "INV-1042", *arguments, *TEXT, "--as", TOMAS)
    assert (result.exit_code, said in words(result.stderr)) == (code, True), result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("credit", "INV-1042", *ERROR),
        ("credit", "INV-1042", *CONCESSION, "--amount", "1530.00"),
        ("credit", "INV-1042", *ERROR, "--entries", "kantata:time:1,kantata:expense:5"),
        ("rebill", "INV-1042"),
    ],
    ids=" ".join,
)
def test_right_credit_needs_temporal(posted: LocalFirm, arguments: tuple[str, ...]) -> None:
    result = posted.fairlead("invoice", *arguments, *TEXT, "--as", TOMAS)
    assert result.exit_code == ExitCode.UNREACHABLE, result.stderr


def test_what_was_credited_before_is_not_left(posted: LocalFirm) -> None:
    posted.with_store(credited("1000.00"))
    over = ("--amount", "530.01")
    result = posted.fairlead("invoice", "credit", "INV-1042", *CONCESSION, *over, *TEXT, "--as", TOMAS)
    assert result.exit_code == ExitCode.REFUSED
    assert "only 530.00 EUR of INV-1042 are left" in words(result.stderr)
    (note,) = posted.json("invoice", "show", "INV-1042")["credited_by"]
    assert (note["number"], note["stage"]) == ("CN-7", "posted")
    note = posted.json("invoice", "show", "CN-7")
    assert (note["kind"], note["credits"], note["credit_reason"]) == ("credit note", INVOICE, "concession")


def credited(amount: str) -> Work:
    """A price reduction of `amount`, posted as CN-7."""

    async def work(store: SqlStore) -> None:
        from domain.billing_process import CreditInput, credit_id
        from domain.crediting import credit_of_request, credit_row

        row = await store.billing.invoice(INVOICE)
        assert row is not None
        request = CreditInput(
            firm="fairlead-demo",
            invoice=INVOICE,
            reason="concession",
            reason_text="late",
            requested_by=TOMAS,
            amount=eur(amount),
        )
        credit = credit_of_request(request, row, [], ago(0))
        note = credit_row(credit_id("fairlead-demo", request), credit, row, [])
        await store.billing.put_invoice(note.with_changes(stage="posted", number="CN-7", external_id="8850"))

    return work


def test_only_what_is_in_the_ledger_is_credited(asked: LocalFirm) -> None:
    result = asked.fairlead("invoice", "credit", PROJECT, *ERROR, *TEXT, "--as", TOMAS)
    assert result.exit_code == ExitCode.REFUSED
    assert "is priced, not posted" in words(result.stderr)
    assert asked.fairlead("invoice", "credit", OTHER, *ERROR, *TEXT, "--as", TOMAS).exit_code == 3


def test_who_may_not_credit(posted: LocalFirm) -> None:
    arguments = ("invoice", "credit", "INV-1042", *ERROR, *TEXT)
    assert posted.fairlead(*arguments).exit_code == ExitCode.USAGE
    assert posted.fairlead(*arguments, "--as", "audit@fairlead.example").exit_code == ExitCode.REFUSED


# -- its day ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("correction", "code", "said"),
    [
        ("dated=2026-12-01", ExitCode.UNREACHABLE, "No Temporal server answers"),
        ("dated=tomorrow", ExitCode.REFUSED, "dated = 'tomorrow' is no day"),
        ("contract.value=1", ExitCode.REFUSED, "contract.value of a bill cannot be corrected"),
    ],
)
def test_only_the_day_of_a_bill_is_corrected(
    asked: LocalFirm, correction: str, code: ExitCode, said: str
) -> None:
    closed = kept.approval_asked(id=f"{INVOICE}/erp.post/1", step="erp.post", headline="Post failed")
    asked.with_store(lambda store: store.attention.put(closed))
    result = asked.fairlead(
        "exceptions",
        "resolve",
        closed.id,
        "--correct",
        correction,
        "--reason",
        "period closed",
        "--as",
        TOMAS,
    )
    assert (result.exit_code, said in words(result.stderr)) == (code, True), result.stderr
    assert decisions_kept(asked) == 0
