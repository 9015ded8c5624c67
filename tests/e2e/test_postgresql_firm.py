"""A firm whose store is on PostgreSQL: a deal becomes a project though its worker dies on the way."""

import asyncio

import httpx
import psycopg
import pytest

from drill.effects import landed
from drill.lane import lane
from local import doctor
from local.launch import SERVICES
from tests.support.postgresql import Databases

pytestmark = [pytest.mark.proof, pytest.mark.timeout(120)]


async def test_a_deal_becomes_a_project_and_its_traces_stand_in_postgresql(postgresql: Databases) -> None:
    url = postgresql.empty()
    assert not doctor.store(url).ok
    async with lane(services=SERVICES, store_url=url) as firm:
        answer = await firm.sandbox.get("/_control/salesforce/Opportunity")
        rows = answer.raise_for_status().json()["records"]
        deal = min(row["Id"] for row in rows if row["StageName"] == "Closed Won" and row["ContractId"])
        process = f"activation/{firm.firm}/{deal}"
        firm.arm_crash("after_answer", f"{process}/psa.project/1")

        result = await firm.activate(deal)
        assert result is not None
        assert result.state == "active"
        assert (firm.hits(), firm.kills) == (1, 1)

        begun = await firm.store.effects.list(process)
        there = await landed(firm.sandbox, deal)
        assert len(begun) >= 8
        assert {row.state for row in begun} == {"confirmed"}
        assert {count for effect, count in there.items() if effect.key.startswith(process)} == {1}
        checked, faults = await firm.store.audit.verify()
        assert (checked > len(begun), list(faults)) == (True, [])

        async with httpx.AsyncClient(base_url=firm.settings.gateway_url, trust_env=False) as gateway:
            assert (await gateway.get("/readyz")).status_code == httpx.codes.OK
        check = await asyncio.to_thread(doctor.store, url)
        assert (check.ok, check.detail.partition(" ")[0]) == (True, "PostgreSQL")
        assert not (firm.settings.home / "fairlead.db").exists()
        with psycopg.connect(url) as connection:
            kept = connection.execute("SELECT count(*) FROM effects WHERE state = 'confirmed'").fetchone()
        assert kept is not None
        assert kept[0] >= len(begun)
