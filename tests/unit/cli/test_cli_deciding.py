"""A decision is checked before anything is written: what to do, on what, by whom, and why."""

from typing import Any

import pytest

from cli.exit_codes import ExitCode
from store.sql.engine import SqlStore
from store.sql.tables import DecisionRecord, table
from tests.unit.cli.cli_runs import TOMAS, LocalFirm, words
from tests.unit.cli.test_cli_screens import DEAL, NOW, PROCESS, put, red_gate

WHY = ("--reason", "because")


def decisions_kept(firm: LocalFirm) -> int:
    from sqlalchemy import create_engine, func, select

    engine = create_engine(f"sqlite:///{firm.home / 'fairlead.db'}")
    try:
        with engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(table(DecisionRecord))).scalar_one()
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), ExitCode.USAGE, "Choose what to do"),
        (("--retry", "--skip", *WHY), ExitCode.USAGE, "Choose one of retry, skip"),
        (("--skip",), ExitCode.USAGE, "--reason is missing"),
        (("--correct", "contract.billing_entity", *WHY), ExitCode.USAGE, "not written as PATH=VALUE"),
        (("--correct", "deal.owner=x", *WHY), ExitCode.REFUSED, "deal.owner cannot be corrected"),
        (
            ("--correct", "lines[1].amount=12,5x", *WHY),
            ExitCode.REFUSED,
            "lines[1].amount = '12,5x' is refused",
        ),
        (("--correct", "lines[1].amount=1", "--correct", "lines[1].amount=2", *WHY), ExitCode.USAGE, "twice"),
        (("--hand-over", "legal", *WHY), ExitCode.USAGE, "There is no owner group 'legal'"),
        (("--compensate", *WHY), ExitCode.REFUSED, "compensate is not possible"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_decision_that_is_wrong_is_never_written(
    firm: LocalFirm, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    firm.with_store(put(red_gate()))
    result = firm.fairlead("exceptions", "resolve", DEAL, *arguments, "--as", TOMAS)
    assert result.exit_code == code
    assert said in words(result.stderr)
    assert decisions_kept(firm) == 0


def test_right_decision_is_not_written_while_temporal_is_away(firm: LocalFirm) -> None:
    firm.with_store(put(red_gate()))
    result = firm.fairlead("exceptions", "resolve", DEAL, "--retry", "--as", TOMAS)
    assert result.exit_code == ExitCode.UNREACHABLE
    assert decisions_kept(firm) == 0


@pytest.mark.parametrize("who", ["audit@fairlead.example", "eve@evil.example"])
def test_who_may_not_decide(firm: LocalFirm, who: str) -> None:
    firm.with_store(put(red_gate()))
    result = firm.fairlead("exceptions", "resolve", DEAL, "--retry", "--as", who)
    assert result.exit_code == ExitCode.REFUSED
    assert decisions_kept(firm) == 0


def test_resolved_exception_takes_no_decision(firm: LocalFirm) -> None:
    firm.with_store(put(red_gate(state="resolved", resolution="gate legal entity is green")))
    result = firm.fairlead("exceptions", "resolve", f"{DEAL}/gate.legal_entity/1", "--retry", "--as", TOMAS)
    assert result.exit_code == ExitCode.REFUSED
    assert "is resolved: gate legal entity is green" in words(result.stderr)


def test_event_that_could_not_be_applied_is_tried_again(firm: LocalFirm) -> None:
    from store.ports import InboxRow

    row = InboxRow(
        id="crm:evt-9", source="crm", event_id="evt-9", type="deal.signed", subject=DEAL,
        version=NOW, body={}, received_at=NOW,
    )  # fmt: skip
    poison = red_gate(
        id="crm:evt-9/dispatch/1", process=row.id, step="dispatch", error_class="PoisonEvent", findings=()
    )

    async def broken_event(store: SqlStore) -> None:
        await store.inbox.put(row)
        await store.inbox.mark(row.id, "poison", note="unreadable")
        await store.attention.put(poison)

    firm.with_store(broken_event)
    assert firm.fairlead("exceptions", "resolve", poison.id, "--skip", *WHY, "--as", TOMAS).exit_code == 4
    document = firm.json("exceptions", "resolve", poison.id, "--retry", "--as", TOMAS)
    assert document == {"event": "crm:evt-9", "replayed": 1}

    async def state_of(store: SqlStore) -> Any:
        found = await store.inbox.get(row.id)
        return found.state if found else None

    assert firm.with_store(state_of) == "received"


def test_second_person_is_not_the_first(firm: LocalFirm) -> None:
    controller = "controller@fairlead.example"
    firm.with_store(put(red_gate()))
    keep_decision(firm, "d1", actor=controller, role="controller")
    result = firm.fairlead("approve", "d1", "--as", controller)
    assert result.exit_code == ExitCode.REFUSED
    assert f"{controller} decided this first" in words(result.stderr)


def test_skip_needs_the_role_of_its_gate(firm: LocalFirm) -> None:
    firm.with_store(put(red_gate()))
    keep_decision(firm, "d1", actor=TOMAS, role="operator")
    result = firm.fairlead("approve", "d1", "--as", "tax@fairlead.example")
    assert result.exit_code == ExitCode.REFUSED
    assert "has to be approved by the role controller" in words(result.stderr)
    assert "Ask one of: controller@fairlead.example" in words(result.stderr)


def keep_decision(firm: LocalFirm, id: str, *, actor: str, role: str) -> None:
    from domain.attention import Decision

    decision = Decision(
        id=id, actor=actor, role=role, action="skip", process=PROCESS, target=red_gate().id, reason="why",
        at=NOW,
    )  # fmt: skip
    firm.with_store(lambda store: store.decisions.add(decision))


def test_unknown_deal_cannot_be_approved(firm: LocalFirm) -> None:
    result = firm.fairlead("approve", "0065gUNKNOWN", "--as", "staffing@fairlead.example")
    assert result.exit_code == ExitCode.UNREACHABLE


@pytest.mark.parametrize("deal", ["a b", "../etc", "", "x" * 200])
def test_what_is_no_deal_id(firm: LocalFirm, deal: str) -> None:
    assert firm.fairlead("activate", deal).exit_code == ExitCode.USAGE
