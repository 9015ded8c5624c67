"""A whole firm comes up on free ports, each service can be killed and started again, and nothing stays."""

from collections.abc import AsyncIterator

import httpx
import psutil
import pytest

from local.doctor import examine
from local.ephemeral import ephemeral_firm
from local.launch import SERVICES
from local.secrets_setup import firm_variables
from local.services import down, state, up
from runtime.connect import connect
from runtime.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
async def firm() -> AsyncIterator[Settings]:
    async with ephemeral_firm(in_memory=False) as settings:
        yield settings


async def conditions(settings: Settings) -> dict[str, str]:
    return {service.name: service.condition for service in await state(settings)}


async def pids(settings: Settings) -> dict[str, int]:
    return {service.name: service.pid for service in await state(settings) if service.pid is not None}


async def test_all_services_do_their_work(firm: Settings) -> None:
    assert await conditions(firm) == dict.fromkeys(SERVICES, "running")
    async with httpx.AsyncClient(trust_env=False) as client:
        for url in (
            f"{firm.gateway_url}/healthz",
            f"{firm.sandbox_url}/_health",
            f"http://127.0.0.1:{firm.ui_port}/",
        ):
            assert (await client.get(url)).status_code == httpx.codes.OK, url


async def test_doctor_finds_nothing_to_mend(firm: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in firm_variables(firm.home, {}):
        monkeypatch.delenv(name, raising=False)
    assert [check for check in await examine(firm) if not check.ok] == []


@pytest.mark.parametrize("name", SERVICES)
async def test_killed_service_starts_again_on_its_own(firm: Settings, name: str) -> None:
    before = await pids(firm)
    victim = psutil.Process(before[name])
    victim.kill()
    victim.wait(10)
    await up(firm, [name])
    after = await pids(firm)
    assert after.pop(name) != before.pop(name)
    assert after == before
    assert await (await connect(firm)).service_client.check_health()


async def test_down_stops_in_order_and_up_finds_the_state_again(firm: Settings) -> None:
    stopped = await down(firm)
    assert set(stopped[:2]) == {"worker", "gateway"}
    assert set(stopped[2:]) == {"sandbox", "temporal"}
    assert await conditions(firm) == dict.fromkeys(SERVICES, "stopped")

    await up(firm)
    assert await conditions(firm) == dict.fromkeys(SERVICES, "running")


async def test_nothing_is_left_behind() -> None:
    async with ephemeral_firm(queue_prefix="lane.") as settings:
        running = await pids(settings)
        assert set(running) == set(SERVICES)
    assert not [pid for pid in running.values() if psutil.pid_exists(pid)]
    assert not settings.home.exists()
