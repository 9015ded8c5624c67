"""Activities on our own store: decisions claimed once, exceptions shown, gates judged, processes opened."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.attention import AttentionActivities
from activities.decisions import REFUSED, DecisionActivities
from activities.gates import GateActivities, JudgeGates
from activities.process import CloseProcess, OpenProcess, ProcessActivities
from domain.activation_process import ActivationResult
from domain.attention import AttentionItem, Decision, DecisionRef, EventRef
from domain.readiness import Gate, OwnerGroup
from store.ports import InboxRow, StoreUnavailable
from tests.support.activation_firm import NOW, FakeErp, FirmFile, a_deal, a_policy

PROCESS = "activation/acme/006A"


@pytest.fixture
def env() -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=PROCESS)
    return environment


async def entries(store: Any, process: str = PROCESS) -> list[tuple[str, str, str]]:
    return [(entry.actor, entry.what, entry.outcome) for entry in await store.audit.list(process)]


# -- decisions --------------------------------------------------------------------------------------


def a_decision(**changes: Any) -> Decision:
    decision = Decision(
        id="d1",
        actor="ines@firm.example",
        role="approver",
        action="correct",
        process=PROCESS,
        target=f"{PROCESS}/gate.tax_rules/1",
        reason="typo",
        payload={"customer.tax_id": "DE136695976"},
        at=datetime.now(UTC),
    )
    return decision.with_changes(**changes)


async def test_a_decision_is_claimed_once_and_repeats_are_answered(
    env: ActivityEnvironment, store: Any
) -> None:
    await store.decisions.add(a_decision())
    claim = DecisionActivities(store).claim
    first = await env.run(claim, DecisionRef(id="d1"))
    assert first == await env.run(claim, DecisionRef(id="d1")) == a_decision(at=first.at)
    audit = list(await store.audit.list(PROCESS))
    assert [(entry.actor, entry.why, entry.after) for entry in audit] == [
        ("ines@firm.example", "typo", "customer.tax_id = DE136695976")
    ]


@pytest.mark.parametrize(
    ("decision", "id", "reason"),
    [
        (a_decision(), "d2", "is unknown"),
        (a_decision(process="activation/acme/other"), "d1", "is meant for activation/acme/other"),
    ],
    ids=["unknown", "of another process"],
)
async def test_a_decision_that_is_not_for_us_is_refused_for_good(
    env: ActivityEnvironment, store: Any, decision: Decision, id: str, reason: str
) -> None:
    await store.decisions.add(decision)
    with pytest.raises(ApplicationError) as caught:
        await env.run(DecisionActivities(store).claim, DecisionRef(id=id))
    assert (caught.value.type, caught.value.non_retryable) == (REFUSED, True)
    assert reason in caught.value.message
    assert await entries(store) == []


async def test_a_store_that_is_out_of_reach_says_nothing_of_the_decision(
    env: ActivityEnvironment, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(id: str, process: str) -> Decision:
        raise StoreUnavailable("the store cannot be reached; start the database")

    monkeypatch.setattr(store.decisions, "claim", away)
    with pytest.raises(StoreUnavailable):  # no ApplicationError that ends the activity: it is repeated
        await env.run(DecisionActivities(store).claim, DecisionRef(id="d1"))


# -- attention --------------------------------------------------------------------------------------


async def test_an_exception_is_shown_as_it_stands_and_audited_once_per_state(
    env: ActivityEnvironment, store: Any
) -> None:
    put = AttentionActivities(store).put
    item = AttentionItem(
        id=f"{PROCESS}/erp.project/1",
        process=PROCESS,
        step="erp.project",
        headline="Project for accounting failed",
        detail="Period is closed",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        raised_at=NOW,
        due_at=NOW,
    )
    for state in (item, item, item.with_changes(state="resolved", resolution="period opened")):
        await env.run(put, state)
    assert (await store.attention.get(item.id)).resolution == "period opened"
    assert list(await store.attention.list()) == []
    assert await entries(store) == [
        ("fairlead", "exception open: Project for accounting failed", "open"),
        ("fairlead", "exception resolved: Project for accounting failed", "resolved"),
    ]


# -- gates ------------------------------------------------------------------------------------------


async def opened(env: ActivityEnvironment, store: Any) -> None:
    activities = ProcessActivities(store, FirmFile(a_policy("q")))
    await env.run(activities.open, OpenProcess(key=PROCESS, kind="activation", run_id="run-1"))


def question(**changes: Any) -> JudgeGates:
    asked = JudgeGates(
        process=PROCESS,
        generation=1,
        phase="before_creation",
        round=1,
        deal=a_deal(),
        facts=FakeErp().facts,
    )
    return asked.with_changes(**changes)


def gates(store: Any) -> GateActivities:
    return GateActivities(store, FirmFile(a_policy("q")), clock=lambda: NOW)


async def test_gates_of_a_sound_deal_are_green_and_on_record(env: ActivityEnvironment, store: Any) -> None:
    await opened(env, store)
    results = await env.run(gates(store).judge, question())
    judged = [result for result in results if result.phase == "before_creation"]
    assert {result.gate for result in judged} == set(Gate) - {Gate.STAFFING}
    assert all(result.passed for result in judged)
    row = await store.processes.get(PROCESS)
    assert (row.stage, row.title, row.entity) == ("gates before creation", "Alpenglow rollout", "DE01")
    assert (await entries(store))[-1][2] == "green"


async def test_a_red_gate_says_why_in_the_audit_and_a_repeat_adds_nothing(
    env: ActivityEnvironment, store: Any
) -> None:
    await opened(env, store)
    contract = a_deal().contract
    assert contract is not None
    no_entity = a_deal(contract=contract.with_changes(billing_entity=None))
    asked = question(deal=no_entity, round=2)
    first = await env.run(gates(store).judge, asked)
    second = await env.run(gates(store).judge, asked)
    assert first == second
    red = [result for result in first if not result.passed and result.phase == "before_creation"]
    assert Gate.LEGAL_ENTITY in {result.gate for result in red}
    audit = [entry for entry in await store.audit.list(PROCESS) if entry.key.startswith("gates/")]
    assert [(entry.key, entry.outcome) for entry in audit] == [("gates/1/before_creation/2", "red")]
    assert all(finding.message in audit[0].why for result in red for finding in result.findings)


async def test_a_deal_that_changed_since_creation_began_turns_the_billing_structure_red(
    env: ActivityEnvironment, store: Any
) -> None:
    await opened(env, store)
    deal = a_deal()
    assert deal.contract is not None
    lines = (deal.lines[0].with_changes(name="Design accepted and more"), *deal.lines[1:])
    changed = deal.with_changes(contract=deal.contract.with_changes(lines=lines))
    results = await env.run(
        gates(store).judge,
        question(phase="before_opening", deal=changed, baseline=deal, project="DE01-X", skips={}),
    )
    billing = next(r for r in results if r.gate is Gate.BILLING_STRUCTURE and r.phase == "before_opening")
    assert billing.state == "red"
    same = await env.run(
        gates(store).judge, question(phase="before_opening", deal=deal, baseline=deal, project="DE01-X")
    )
    unchanged = next(r for r in same if r.gate is Gate.BILLING_STRUCTURE and r.phase == "before_opening")
    assert {f.field for f in billing.findings} - {f.field for f in unchanged.findings} == {"lines[1].name"}


async def test_gates_without_the_policies_of_their_process_are_asked_again(
    env: ActivityEnvironment, store: Any
) -> None:
    with pytest.raises(ApplicationError) as caught:
        await env.run(gates(store).judge, question())
    assert (caught.value.type, caught.value.non_retryable) == ("StaleReference", False)


# -- processes and events ---------------------------------------------------------------------------


async def test_a_run_takes_the_policies_of_its_start(env: ActivityEnvironment, store: Any) -> None:
    await opened(env, store)
    other = a_policy("q").with_changes(file_hash="f" * 64)
    answer = await env.run(
        ProcessActivities(store, FirmFile(other)).open,
        OpenProcess(key=PROCESS, kind="activation", run_id="run-2"),
    )
    row = await store.processes.get(PROCESS)
    assert row.policy_hash == answer.policies.file_hash == "f" * 64, (
        "a new run takes the policies of its start"
    )


async def test_a_closed_process_answers_with_its_result(env: ActivityEnvironment, store: Any) -> None:
    await opened(env, store)
    activities = ProcessActivities(store, FirmFile(a_policy("q")))
    result = ActivationResult(state="active", deal="006A", project="DE01-7K3QXW").model_dump_json()
    end = CloseProcess(key=PROCESS, generation=1, state="done", result_json=result, summary="project active")
    for _ in range(2):
        await env.run(activities.close, end)
    again = await env.run(activities.open, OpenProcess(key=PROCESS, kind="activation", run_id="run-2"))
    assert (again.state, again.result_json) == ("done", result)
    assert [what for _, what, _ in await entries(store)].count("project active") == 1
    assert [(row.type, row.subject) for row in await store.outbox.list()] == [
        ("project.activated", "DE01-7K3QXW")
    ]


async def test_a_cancelled_process_is_opened_again_in_the_next_generation(
    env: ActivityEnvironment, store: Any
) -> None:
    await opened(env, store)
    activities = ProcessActivities(store, FirmFile(a_policy("q")))
    await env.run(activities.close, CloseProcess(key=PROCESS, generation=1, state="cancelled"))
    again = await env.run(activities.open, OpenProcess(key=PROCESS, kind="activation", run_id="run-2"))
    assert (again.generation, again.state) == (2, "running")


async def test_an_event_is_applied_by_its_process(env: ActivityEnvironment, store: Any) -> None:
    row = InboxRow(
        id="sf:e1",
        source="sf",
        event_id="e1",
        type="deal.changed",
        subject="006A",
        version=NOW,
        body={},
        received_at=NOW,
    )
    await store.inbox.put(row)
    activities = ProcessActivities(store, FirmFile(a_policy("q")))
    applied = await env.run(activities.apply_event, EventRef(id="sf:e1", type="deal.changed"))
    assert applied.known
    kept = await store.inbox.get("sf:e1")
    assert (kept.state, kept.process) == ("applied", PROCESS)


async def test_an_event_that_is_not_in_the_inbox_is_left_to_its_source(
    env: ActivityEnvironment, store: Any
) -> None:
    activities = ProcessActivities(store, FirmFile(a_policy("q")))
    with pytest.raises(ApplicationError) as caught:
        await env.run(activities.apply_event, EventRef(id="sf:gone", type="deal.changed"))
    assert (caught.value.type, caught.value.non_retryable) == ("StaleReference", True)
