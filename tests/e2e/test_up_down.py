"""A whole firm comes up on free ports, each service can be killed and started again, and nothing stays."""

import os
import signal

import httpx
import psutil
import pytest

from local.doctor import examine
from local.ephemeral import ephemeral_firm
from local.launch import SERVICES
from local.services import down, state, up
from runtime.connect import connect
from runtime.settings import Settings

pytestmark = pytest.mark.e2e


async def pids(settings: Settings) -> dict[str, int]:
    return {state.name: state.pid for state in await state(settings) if state.pid is not None}


async def test_firm_comes_up_and_leaves_nothing_behind() -> None:
    async with ephemeral_firm() as settings:
        states = await state(settings)
        assert {state.name: state.condition for state in states} == dict.fromkeys(SERVICES, "running")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{settings.gateway_url}/healthz")).status_code == httpx.codes.OK
            assert (await client.get(f"{settings.sandbox_url}/_health")).status_code == httpx.codes.OK
            assert (await client.get(f"http://127.0.0.1:{settings.ui_port}/")).status_code == httpx.codes.OK
        running = await pids(settings)
    assert not [pid for pid in running.values() if psutil.pid_exists(pid)]
    assert not settings.home.exists()


async def test_doctor_finds_a_running_firm_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FAIRLEAD_")]:
        monkeypatch.delenv(name)
    async with ephemeral_firm() as settings:
        unwell = [check for check in await examine(settings) if not check.ok]
    assert unwell == []


@pytest.mark.parametrize("name", ["worker", "gateway", "sandbox", "temporal"])
async def test_killed_service_starts_again_on_its_own(name: str) -> None:
    async with ephemeral_firm(in_memory=False) as settings:
        before = await pids(settings)
        os.kill(before[name], signal.SIGKILL)
        await up(settings, [name])
        after = await pids(settings)
        assert after.pop(name) != before.pop(name)
        assert after == before
        assert await (await connect(settings)).service_client.check_health()


async def test_down_stops_everything_in_order_and_up_finds_the_state_again() -> None:
    async with ephemeral_firm(in_memory=False) as settings:
        lines: list[str] = []
        stopped = await down(settings, say=lines.append)
        assert set(stopped[:2]) == {"worker", "gateway"}
        assert set(stopped[2:]) == {"sandbox", "temporal"}
        assert [state.condition for state in await state(settings)] == ["stopped"] * len(SERVICES)

        await up(settings)
        assert [state.condition for state in await state(settings)] == ["running"] * len(SERVICES)
