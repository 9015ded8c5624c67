"""The state file: it survives a reopening, undoes what fails, and goes back to the seed on reset."""

from pathlib import Path

import pytest

from sandbox.core.database import Database
from sandbox.core.records import Index
from sandbox.core.table import UniqueClash
from tests.unit.sandbox.salesforce_org import Org


async def test_everything_answered_is_there_after_reopening(tmp_path: Path) -> None:
    org = Org(tmp_path)
    await org.login()
    token = org.client.headers["authorization"]
    made = (await org.call("POST", "/sobjects/Account", {"Name": "Kept"})).json()["id"]
    await org.call("PATCH", f"/sobjects/Account/{made}", {"Name": "Kept on"})
    await org.close()

    again = Org(tmp_path, seed=99)  # a state file that is seeded keeps its firm
    again.client.headers["authorization"] = token
    assert (await again.call("GET", f"/sobjects/Account/{made}")).json()["Name"] == "Kept on"
    assert [effect["operation"] for effect in await again.effects()] == ["create", "update"]
    next_id = (await again.call("POST", "/sobjects/Account", {"Name": "Next"})).json()["id"]
    assert next_id > made
    assert (await again.client.get("/_health")).json()["seeded"]["seed"] == 1
    await again.close()


async def test_reset_brings_back_the_seed(org: Org) -> None:
    before = await org.rows("SELECT Id, Name FROM Opportunity")
    await org.call("POST", "/sobjects/Account", {"Name": "x"})
    await org.arm(kind="late")
    assert (await org.client.post("/_reset")).status_code == 200
    await org.login()
    assert await org.rows("SELECT Id, Name FROM Opportunity") == before
    assert await org.effects() == []
    assert (await org.client.get("/_faults")).json()["faults"] == []
    requests = (await org.client.get("/_requests")).json()["requests"]
    assert all("Account" not in entry["path"] for entry in requests)

    await org.client.post("/_reset", json={"deals": 3, "seed": 2})
    await org.login()
    assert len(await org.rows("SELECT Id FROM Opportunity")) == 3
    refused = await org.client.post("/_reset", json={"deels": 3})
    assert refused.status_code == 400
    assert "deels" in refused.json()["detail"]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state.sqlite")


def test_a_failed_transaction_leaves_neither_rows_nor_memory(database: Database) -> None:
    store = database.store("crm")
    store.define("things", Index("name", unique=True))
    with database.transaction():
        kept = store.create("things", {"name": "a"})

    def work_and_fail() -> None:
        with database.transaction():
            store.update("things", kept.id, {"name": "b"})
            store.create("things", {"name": "c"})
            store.delete("things", kept.id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work_and_fail()
    assert [row.data for row in store.rows("things")] == [{"name": "a"}]
    assert [row.id for row in store.find("things", "name", "a")] == [kept.id]
    assert store.find("things", "name", "c") == []
    store.forget()
    assert [row.data for row in store.rows("things")] == [{"name": "a"}]
    assert database.read("SELECT count(*) FROM effects") == [(1,)]
    database.close()


def test_a_savepoint_undoes_only_its_part(database: Database) -> None:
    store = database.store("crm")

    def part_that_fails() -> None:
        with database.savepoint():
            store.create("things", {"name": "b"})
            raise RuntimeError

    with database.transaction():
        store.create("things", {"name": "a"})
        with pytest.raises(RuntimeError):
            part_that_fails()
        with database.savepoint():
            store.create("things", {"name": "c"})
    assert [row["name"] for row in store.rows("things")] == ["a", "c"]
    store.forget()
    assert [row["name"] for row in store.rows("things")] == ["a", "c"]
    database.close()


def test_a_unique_key_is_free_again_after_deletion(database: Database) -> None:
    store = database.store("crm")
    store.define("things", Index("key", unique=True))
    first = store.create("things", {"key": 1})
    with pytest.raises(UniqueClash) as clash:
        store.create("things", {"key": 1})
    assert clash.value.other_id == first.id
    store.delete("things", first.id, keep=True)
    second = store.create("things", {"key": 1})
    assert [row.id for row in store.find("things", "key", 1)] == [second.id]
    assert [row.deleted for row in store.rows("things", deleted=True)] == [True, False]
    with pytest.raises(KeyError):
        store.update("things", first.id, {"key": 2})
    database.close()


def test_reads_as_of_a_moment(database: Database) -> None:
    store = database.store("crm")
    store.define("things", Index("name"))
    one = store.create("things", {"name": "a"}, at=100)
    store.update("things", one.id, {"name": "b"}, at=200)
    two = store.create("things", {"name": "c"}, at=300)
    store.delete("things", one.id)

    def names(stamp: float) -> list[str]:
        with database.as_of(stamp):
            return [row["name"] for row in store.rows("things")]

    assert [names(stamp) for stamp in (50, 150, 250, 350)] == [[], ["a"], ["b"], ["c", "b"]]
    with database.as_of(250):
        assert store.get("things", two.id) is None
        assert len(store.find("things", "name", "b")) == 1
    assert store.find("things", "name", "b") == []
    database.close()
