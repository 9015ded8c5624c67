"""Figures: what is counted, under which labels, and that no label can hold an id."""

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from domain.attention import AttentionItem
from domain.readiness import OwnerGroup
from runtime.measuring import MeasuringInterceptor, counting_effects, failure_class, keep_standing
from runtime.metrics import WorkerFigures
from runtime.observation import Observation
from runtime.settings import Settings
from store.ports import EffectIntent, InboxRow
from store.sql.engine import SqlStore
from store.standing_ports import Group, StandingFigures

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUEUES = {"fairlead.kantata": "kantata"}
PROCESS = "activation/acme/0065g"


@pytest.fixture
def figures() -> WorkerFigures:
    return WorkerFigures(QUEUES)


def value(figures: WorkerFigures, name: str, **labels: str) -> float | None:
    return figures.registry.get_sample_value(name, labels)


class Attempt(ActivityInboundInterceptor):
    """An activity that ends as told."""

    def __init__(self, ending: BaseException | None) -> None:
        self._ending = ending

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if self._ending is not None:
            raise self._ending
        return "done"


async def attempt(
    monkeypatch: pytest.MonkeyPatch, figures: WorkerFigures, ending: BaseException | None = None
) -> None:
    info = type("Info", (), {"task_queue": "fairlead.kantata"})
    monkeypatch.setattr("temporalio.activity.info", lambda: info)
    measured = MeasuringInterceptor(figures).intercept_activity(Attempt(ending))
    await measured.execute_activity(ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={}))


async def test_attempts_are_timed_by_system(monkeypatch: pytest.MonkeyPatch, figures: WorkerFigures) -> None:
    await attempt(monkeypatch, figures)
    with pytest.raises(RuntimeError):
        await attempt(monkeypatch, figures, RuntimeError("canary"))
    assert value(figures, "fairlead_activity_seconds_count", system="kantata", outcome="done") == 1
    assert value(figures, "fairlead_activity_seconds_count", system="kantata", outcome="failed") == 1
    assert value(figures, "fairlead_activity_failures_total", system="kantata", failure="Defect") == 1
    assert b"canary" not in figures.text()


async def test_waiting_that_a_system_asked_for_is_summed(
    monkeypatch: pytest.MonkeyPatch, figures: WorkerFigures
) -> None:
    throttled = ApplicationError("wait", type="Throttled", next_retry_delay=timedelta(seconds=7))
    for _ in range(2):
        with pytest.raises(ApplicationError):
            await attempt(monkeypatch, figures, throttled)
    other = ApplicationError("lost", type="Ambiguous", next_retry_delay=timedelta(seconds=9))
    with pytest.raises(ApplicationError):
        await attempt(monkeypatch, figures, other)
    assert value(figures, "fairlead_throttled_seconds_total", system="kantata") == 14


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ApplicationError("x", type="Rejected"), "Rejected"),
        (ApplicationError("x", type="Exhausted"), "Exhausted"),
        (ApplicationError("x", type="customer 4711"), "other"),
        (ApplicationError("x"), "other"),
        (KeyError("x"), "Defect"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_a_class_of_failure_is_one_of_a_few_words(error: BaseException, said: str) -> None:
    assert failure_class(error) == said


async def test_effects_are_counted_by_what_became_of_them(store: SqlStore, figures: WorkerFigures) -> None:
    counted = counting_effects(store, figures)
    for key in ("a", "b", "c"):
        intent = EffectIntent(
            key=key, process=PROCESS, step="psa.project", system="kantata", noun="project", command_hash=key
        )
        await counted.effects.begin(intent)
        await counted.effects.begin(intent)
    await counted.effects.confirm("a", external_id="1")
    await counted.effects.doubt("b", note="lost")
    await counted.effects.confirm("b", external_id="2", found=True)
    await counted.effects.reject("c", note="no")
    outcomes = ("intended", "confirmed", "ambiguous", "found", "rejected", "undone")
    found = {one: value(figures, "fairlead_effects_total", system="kantata", outcome=one) for one in outcomes}
    assert found == {
        **{"intended": 3, "confirmed": 1, "ambiguous": 1},
        **{"found": 1, "rejected": 1, "undone": None},
    }
    assert await counted.processes.list() == []


def item(n: int, owner: OwnerGroup, hours: int) -> AttentionItem:
    at = NOW - timedelta(hours=hours)
    return AttentionItem(
        id=f"{PROCESS}/step/{n}", process=PROCESS, step="step", headline="x", owner=owner, raised_at=at,
        due_at=at + timedelta(hours=4),
    )  # fmt: skip


async def test_what_stands_open_is_read_from_the_store(
    store_factory: Callable[..., SqlStore], figures: WorkerFigures
) -> None:
    store = store_factory(clock=lambda: NOW)
    await store.processes.open(PROCESS, "activation", "run", "a deal")
    await store.processes.update(PROCESS, stage="creating")
    for n, (owner, hours) in enumerate([("finance_systems", 5), ("finance_systems", 1)]):
        await store.attention.put(item(n, OwnerGroup(owner), hours))
    done = item(9, OwnerGroup.PLATFORM_ENGINEERING, 50).with_changes(state="resolved")
    await store.attention.put(done)
    received = NOW - timedelta(minutes=2)
    row = InboxRow(
        id="crm:1", source="crm", event_id="1", type="deal.signed", subject="006", version=received, body={},
        received_at=received,
    )  # fmt: skip
    await store.inbox.put(row)
    figures.stand(await store.standing.figures())
    assert value(figures, "fairlead_open_exceptions", owner="finance_systems") == 2
    assert value(figures, "fairlead_oldest_open_exception_seconds", owner="finance_systems") == 5 * 3600
    assert value(figures, "fairlead_overdue_exceptions", owner="finance_systems") == 1
    assert value(figures, "fairlead_open_exceptions", owner="platform_engineering") is None
    assert value(figures, "fairlead_running_processes", kind="activation", stage="creating") == 1
    assert value(figures, "fairlead_inbox_events", state="received") == 1
    assert value(figures, "fairlead_oldest_inbox_event_seconds", state="received") == 120


def test_what_is_settled_is_told_no_more(figures: WorkerFigures) -> None:
    stuck = Group(labels=("poison",), count=3, oldest=NOW)
    figures.stand(StandingFigures(at=NOW, inbox=(stuck,)))
    assert value(figures, "fairlead_inbox_events", state="poison") == 3
    figures.stand(StandingFigures(at=NOW))
    assert value(figures, "fairlead_inbox_events", state="poison") is None


def test_a_label_that_grows_is_cut(figures: WorkerFigures) -> None:
    stages = tuple(Group(labels=("activation", f"stage {n:03d}"), count=1, oldest=NOW) for n in range(300))
    figures.stand(StandingFigures(at=NOW, processes=stages))
    assert value(figures, "fairlead_running_processes", kind="other", stage="other") == 100
    told = [line for line in figures.text().splitlines() if line.startswith(b"fairlead_running_processes{")]
    assert len(told) == 201


def free_address() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


async def test_prometheus_is_answered_while_the_worker_runs(store: SqlStore, tmp_path: Path) -> None:
    address = free_address()
    settings = Settings.from_environment(home=tmp_path, metrics_address=address)
    observation = Observation(settings, QUEUES)
    async with httpx.AsyncClient(trust_env=False) as http:
        async with observation.told(store, standing=True):
            answer = await http.get(f"http://{address}/metrics")
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://{address}/metrics")
    assert answer.status_code == 200
    assert "fairlead_effects" in answer.text


async def test_nothing_is_told_unless_asked_for(store: SqlStore, tmp_path: Path) -> None:
    observation = Observation(Settings.from_environment(home=tmp_path), QUEUES)
    assert (observation.figures, observation.observers, observation.runtime) == (None, [], None)
    assert observation.over(store) is store
    async with observation.told(store, standing=True):
        pass


@pytest.mark.parametrize("text", ["9464", "127.0.0.1:", ":9464", "host:99999"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"FAIRLEAD_METRICS_ADDRESS = .* is no address; write host:port"):
        Observation(Settings.from_environment(home=tmp_path, metrics_address=text), {})


async def test_a_store_that_is_away_is_asked_again(figures: WorkerFigures) -> None:
    class Away:
        asked = 0

        @property
        def standing(self) -> Any:
            return self

        async def figures(self) -> StandingFigures:
            self.asked += 1
            if self.asked == 1:
                raise OSError("canary")
            return StandingFigures(at=NOW)

    away: Any = Away()
    reading = asyncio.create_task(keep_standing(away, figures, every=0))
    async with asyncio.timeout(5):
        while not value(figures, "fairlead_store_read_seconds"):
            await asyncio.sleep(0)
    reading.cancel()
    assert away.asked >= 2
