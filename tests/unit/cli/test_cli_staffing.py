"""What staffing opens each morning, capacity, and how long activations take: out of the store alone."""

from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from cli import staffing_answers
from cli.context import Session
from cli.exit_codes import ExitCode, Stop
from domain.attention import AttentionItem
from domain.readiness import OwnerGroup
from firm.load import load
from store.ports import EffectIntent
from store.sql.engine import SqlStore
from tests.unit.cli import cli_staffing as kept
from tests.unit.cli.cli_runs import LocalFirm, words
from tests.unit.cli.cli_staffing import DEAL, MONDAY, NOW, PROCESS


@pytest.fixture
def staffed(firm: LocalFirm) -> LocalFirm:
    firm.with_store(kept.staffed)
    return firm


def test_unanswered_demand_names_who_could_take_it_and_why(staffed: LocalFirm) -> None:
    document = staffed.json("worklist", "staffing")
    architect, tester = document["demand"]
    assert (architect["project"], architect["age_days"], architect["revision"]) == ("DE01-7K3QXW", 2, 1)
    assert architect["due_at"] > architect["asked_at"]
    assert [one["name"] for one in architect["candidates"]] == ["Anna Beck"]
    assert architect["candidates"][0]["reasons"] == ["has Cloud 4", "32 of 32 h free", "Senior"]
    assert tester["candidates"] == []
    assert [one["person"] for one in document["bench"]] == ["W-0001"]
    assert document["differences"][0]["problem"] == "title differs"
    text = words(staffed.fairlead("worklist", "staffing").stdout)
    for said in ("Unanswered demand 2", "Anna Beck", "nobody", "Bench of the next four weeks", "W-0002"):
        assert said in text, said


def test_demand_of_a_process_that_has_ended_waits_for_nobody(staffed: LocalFirm) -> None:
    async def ended(store: SqlStore) -> None:
        row = await store.processes.open(PROCESS, "activation", "r1", f"deal {DEAL}")
        await store.processes.close(PROCESS, row.generation, "cancelled")

    staffed.with_store(ended)
    assert staffed.json("worklist", "staffing")["demand"] == []


def test_nobody_and_nothing_is_said(firm: LocalFirm) -> None:
    text = words(firm.fairlead("worklist", "staffing").stdout)
    for said in ("Nobody waits for staffing.", "Nobody has half of it free.", "They agree."):
        assert said in text


def test_capacity_counts_hours_and_names_nobody(staffed: LocalFirm) -> None:
    document = staffed.json("report", "capacity", "--weeks", "4")
    assert len(document["weeks"]) == 4
    roles = {line["role"]: line["weeks"] for line in document["roles"]}
    week = next(one for one in roles["Architect"] if one["week"] == MONDAY.isoformat())
    figures = {name: float(week[name]) for name in ("available", "assigned", "demanded", "short")}
    # Two architects less a day off; Ben is planned for all of it; Anna's 32 free hours are demanded.
    assert figures == {"available": 72, "assigned": 40, "demanded": 32, "short": 0}
    tested = next(one for one in roles["Tester"] if one["week"] == MONDAY.isoformat())
    assert float(tested["short"]) == 32
    text = staffed.fairlead("report", "capacity").stdout
    assert "Anna" not in text
    assert "short 32" in words(text)
    assert firm_refuses(staffed)


def firm_refuses(firm: LocalFirm) -> bool:
    return firm.fairlead("report", "capacity", "--weeks", "0").exit_code == ExitCode.USAGE


async def activations(store: SqlStore) -> None:
    """One is active, with a write of what is created and one of opening; another is stuck."""
    done = "activation/fairlead-demo/006DONE"
    row = await store.processes.open(done, "activation", "r1", "deal 006DONE")
    for step in ("psa.project", "psa.open"):
        intent = EffectIntent(
            key=f"{done}/{step}/1", process=done, step=step, system="kantata", noun=step, command_hash="h"
        )
        await store.effects.begin(intent)
        await store.effects.confirm(intent.key, external_id="7")
    await store.processes.close(done, row.generation, "done", "{}")
    await store.processes.open(PROCESS, "activation", "r2", f"deal {DEAL}")
    item = AttentionItem(
        id=f"{PROCESS}/gate.staffing/1", process=PROCESS, step="gate.staffing",
        headline="Staffing is not approved", owner=OwnerGroup.DELIVERY_OPERATIONS,
        person="staffing@fairlead.example", raised_at=NOW, due_at=NOW + timedelta(hours=4),
    )  # fmt: skip
    await store.attention.put(item)


def test_activation_report_says_where_time_goes_and_with_whom_it_is_stuck(firm: LocalFirm) -> None:
    empty = firm.json("report", "activation")
    assert (empty["active"], empty["open"]) == (None, [])
    firm.with_store(activations)
    document: Any = firm.json("report", "activation")
    assert document["active"]["count"] == 1
    assert [line["stage"] for line in document["stages"] if line["hours"]] == [
        "gates before creation",
        "creating",
        "staffing and gates before opening",
        "opening",
    ]
    (stuck,) = document["open"]
    assert stuck["stuck_with"] == ["staffing@fairlead.example"]
    text = words(firm.fairlead("report", "activation").stdout)
    assert "1 activation: median" in text
    assert "staffing@fairlead.example: Staffing is not approved" in text


def test_sync_needs_an_hr_and_knows_its_name(firm: LocalFirm) -> None:
    result = firm.fairlead("sync", "resources", "--system", "kantata")
    assert result.exit_code == ExitCode.USAGE
    assert "'kantata' is no HR of fairlead.toml. Do There is workday" in words(result.stderr)


def test_who_is_named_has_the_role_and_is_there(staffed: LocalFirm, monkeypatch: pytest.MonkeyPatch) -> None:
    session = cast(Session, _Session(staffed))

    async def names(store: SqlStore, people: list[str]) -> Any:
        monkeypatch.setattr(session, "kept", store)
        asked = await staffing_answers.open_requests(session, PROCESS)
        found = await staffing_answers.named(session, asked, people)
        return asked, found, staffing_answers.payload(asked, found)

    asked, found, facts = staffed.with_store(partial(names, people=["1=w-0001@FAIRLEAD.example"]))
    assert facts == {"revision": "1", "person.1": "W-0001"}
    for people, words_said in (
        (["1=W-0003"], "Nobody who is employed"),
        (["2=W-0001"], "W-0001 is Architect; request 2 asks for Tester"),
        (["W-0001"], "names no open request"),
        (["9=W-0001"], "open are 1 (Architect), 2 (Tester)"),
    ):
        with pytest.raises(Stop) as stop:
            staffed.with_store(partial(names, people=people))
        assert words_said in f"{stop.value} {stop.value.cure}"

    async def keep(store: SqlStore) -> Any:
        monkeypatch.setattr(session, "kept", store)
        await staffing_answers.keep(session, PROCESS, asked, found)
        return await store.people.demand(), await store.people.demand(state="approved")

    left, answered = staffed.with_store(keep)
    assert left == []
    assert [(one.ref, one.resource) for one in answered] == [("1", "W-0001"), ("2", "")]


class _Session:
    """What naming somebody needs of a session."""

    def __init__(self, local: LocalFirm) -> None:
        self.firm = load(local.home)
        self.kept: SqlStore | None = None

    async def store(self) -> SqlStore:
        assert self.kept is not None
        return self.kept
