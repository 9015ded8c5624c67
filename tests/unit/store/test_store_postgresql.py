"""A store on PostgreSQL: its URL, what it says when something is wrong, and what it does in a race."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from store.ports import EffectIntent, StoreError, StoreUnavailable
from store.sql import migrate
from store.sql.address import address, sqlite_file
from store.sql.connect import thread_counts
from store.sql.database import Database
from store.sql.engine import SqlStore, open_store
from store.sql.failures import failure
from tests.support.postgresql import LOCKED, Databases

SECRET_URL = "postgresql://kim:s3cret@db.example:5433/fairlead?sslpassword=t0psecret"


@pytest.fixture
def store_kind() -> str:
    """A server; `test_store_failures.py` is the other half."""
    return "postgresql"


@pytest.fixture
def url(postgresql: Databases) -> str:
    return postgresql.fresh()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(address(url), busy_timeout=0.2)
    yield opened
    await opened.aclose()


async def refused(url: str, kind: type[StoreError] = StoreUnavailable) -> str:
    """What is said when a store at `url` is asked whether it is ready."""
    store = open_store(url)
    with pytest.raises(kind) as caught:
        await store.ready()
    await store.aclose()
    assert type(caught.value) is kind
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def changed(url: str, **parts: Any) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)


# -- the URL ----------------------------------------------------------------------------------------


def test_credentials_are_never_shown() -> None:
    where = address(SECRET_URL)
    assert str(where) == "PostgreSQL db.example:5433/fairlead"
    assert "s3cret" not in repr(where)
    lost = OperationalError("SELECT :amount", {"amount": "120000"}, Exception("no route, s3cret\nt0psecret"))
    told = failure(lost, where)
    assert isinstance(told, StoreUnavailable)
    assert str(told) == (
        "the store (PostgreSQL db.example:5433/fairlead) cannot be reached (no route, ***);"
        " start the database, then run `fairlead doctor`"
    )


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_one_driver_whatever_the_url_says(scheme: str) -> None:
    assert address(f"{scheme}://db/fairlead").url.drivername == "postgresql+psycopg"


def test_pool_is_ours_and_the_rest_is_for_the_server() -> None:
    where = address("postgresql:///fairlead?host=/run/postgresql&pool=5&sslmode=require")
    assert str(where) == "PostgreSQL /run/postgresql/fairlead"
    assert (where.pool, dict(where.url.query)) == (5, {"host": "/run/postgresql", "sslmode": "require"})
    assert thread_counts(where) == (3, 2)
    assert [sum(thread_counts(address(f"postgresql://db/f?pool={n}"))) for n in (2, 3, 8, 20)] == [
        2,
        3,
        8,
        20,
    ]
    assert str(address("postgresql://?service=fairlead")) == "PostgreSQL local/fairlead"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql+asyncpg://kim:s3cret@db/fairlead", "cannot be kept by 'postgresql\\+asyncpg'"),
        ("mysql://kim:s3cret@db/fairlead", "cannot be kept by 'mysql'"),
        ("postgresql://kim:s3cret@db", "names no database"),
        ("postgresql://kim:s3cret@db/fairlead?pool=1", "has pool=1; write the number of connections"),
        ("postgresql://kim:s3cret@db/fairlead?pool=many", "has pool=many"),
        ("postgresql://kim:s3cret@db/fairlead?sslmod=require", 'invalid connection option "sslmod"; correct'),
    ],
)
def test_urls_that_cannot_be_used(url: str, problem: str) -> None:
    with pytest.raises(StoreError, match=problem) as caught:
        open_store(url)
    assert "s3cret" not in str(caught.value)
    assert "fairlead doctor" in str(caught.value)


def test_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"needs a driver that is not installed .* extra `postgres`"):
        open_store("postgresql://kim:s3cret@db.example/fairlead")


def test_what_needs_a_file_says_so() -> None:
    with pytest.raises(StoreError, match="a planted bug needs a store in a SQLite file, this one is Postgre"):
        sqlite_file(SECRET_URL, "a planted bug")


# -- what is wrong with a server --------------------------------------------------------------------


async def test_unreachable(tmp_path: Any) -> None:
    said = await refused(f"postgresql://kim:s3cret@/fairlead?host={tmp_path}")
    assert said.startswith(f"the store (PostgreSQL {tmp_path}/fairlead) cannot be reached (")
    assert said.endswith("start the database, then run `fairlead doctor`")
    assert "cannot be reached" in await refused("postgresql://kim:s3cret@127.0.0.1:1/fairlead")


async def test_unknown_database_and_role(url: str) -> None:
    assert "is not there (" in await refused(changed(url, database="nowhere"))
    said = await refused(changed(url, username="nobody_known", password="s3cret"))
    assert "does not know the role" in said or "refuses the credentials" in said


async def test_wrong_and_missing_password(
    postgresql: Databases, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    role = postgresql.role(LOCKED, password="right")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
    locked = changed(url, username=role)
    store = open_store(changed(locked, password="right"))
    await store.ready()
    await store.aclose()
    wrong = changed(locked, password="s3cret-wrong")
    try:
        psycopg.connect(wrong).close()
        pytest.skip("the server that was named trusts everybody")
    except psycopg.OperationalError:
        said = await refused(wrong)
    assert "refuses the credentials" in said
    assert "correct the password or where it is kept" in said
    assert "asks for a password and was given none" in await refused(locked)


async def test_tables_of_another_role_and_connections_that_run_out(postgresql: Databases, url: str) -> None:
    stranger = changed(url, username=postgresql.role("fairlead_stranger", password="right"), password="right")
    assert "may not be used by this role (permission denied" in await refused(stranger)
    postgresql.run(f"ALTER DATABASE {make_url(url).database} CONNECTION LIMIT 0")
    assert "has no connection left; lower `pool`" in await refused(stranger)


def test_a_database_that_cannot_keep_every_text(postgresql: Databases) -> None:
    with pytest.raises(StoreError, match="has the encoding LATIN1; make it anew"):
        migrate.upgrade(postgresql.narrow())


async def test_text_with_a_nul_is_refused_for_good(
    store: SqlStore, make_intent: Callable[..., EffectIntent]
) -> None:
    intent = make_intent()
    await store.effects.begin(intent)
    with pytest.raises(StoreError, match="cannot keep text with a NUL character") as caught:
        await store.effects.reject(intent.key, note="half\0way")
    assert not isinstance(caught.value, StoreUnavailable)


# -- transactions -----------------------------------------------------------------------------------


async def test_readers_cannot_write_and_see_one_moment(database: Database, url: str) -> None:
    with pytest.raises(StoreError, match="takes no writes"):
        await database.read(lambda connection: connection.execute(text("DELETE FROM cursors")).rowcount)

    def look(connection: Any) -> tuple[int, int]:
        count = text("SELECT count(*) FROM cursors")
        before = connection.execute(count).scalar()
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("INSERT INTO cursors VALUES ('deals', now())")
        return before, connection.execute(count).scalar()

    assert await database.read(look) == (0, 0)


async def test_a_row_that_is_held_for_long_is_an_outage_that_passes(database: Database, url: str) -> None:
    store = SqlStore(database)
    await store.cursors.put("deals", database.now())
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM cursors FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="is locked by another process"):
            await store.cursors.put("deals", database.now())
        assert await store.cursors.get("deals") is not None  # readers do not wait for a writer
        other.rollback()
    await store.cursors.put("deals", database.now())


async def test_two_that_wait_for_each_other_both_land(url: str) -> None:
    database = Database(address(url), busy_timeout=30)  # longer than a server takes to see it
    met, runs = threading.Barrier(2, timeout=5), []
    insert = text("INSERT INTO cursors (name, mark) VALUES (:name, now())")

    def crossing(*names: str) -> Callable[[Any], None]:
        def work(connection: Any) -> None:
            runs.append(names)
            for name in names:
                connection.execute(insert, {"name": name})
                if len(runs) <= 2 and name == names[0]:
                    met.wait()
            connection.execute(text("DELETE FROM cursors"))

        return work

    await asyncio.gather(database.write(crossing("a", "b")), database.write(crossing("b", "a")))
    await database.aclose()
    assert len(runs) == 3, "one of the two was undone by the server and ran again"


async def blocked(url: str, task: "asyncio.Task[Any]") -> None:
    """Returns when a transaction on the database of `url` waits for another one."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    with psycopg.connect(url, autocommit=True) as connection:
        async with asyncio.timeout(10):
            while connection.execute(query + " AND wait_event_type = 'Lock'").fetchone() != (1,):
                assert not task.done(), "it does not wait for the other one"
                await asyncio.sleep(0.005)


async def test_what_is_billed_is_looked_at_after_the_invoice_is_held(
    store_url: Callable[[Any], str], make_entry: Any, make_invoice: Any, make_contract: Any,
    make_priced: Any, tmp_path: Any, store_factory: Any,
) -> None:  # fmt: skip
    """An entry that another process takes off meanwhile is not billed by this invoice any more."""
    path = tmp_path / "shared.db"
    store, url = store_factory(path), store_url(path)
    billing, entry, row = store.billing, make_entry(), make_invoice("i")
    await billing.put_contract(make_contract())
    await billing.take_in([entry])
    await billing.put_invoice(row)
    await billing.cover("i", entries=[entry.key])
    priced = row.with_changes(priced=make_priced(("time", "100", 1), keys=(entry.key,)))
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM invoices FOR UPDATE")
        other.execute("UPDATE coverage SET released_at = now()")
        task = asyncio.create_task(billing.settle("i", priced))
        await blocked(url, task)
        other.commit()
    with pytest.raises(StoreError, match="that it does not cover"):
        await task


async def test_two_first_contracts_at_once_share_a_currency(
    store_url: Callable[[Any], str], make_event: Any, make_contract: Any, tmp_path: Any, store_factory: Any
) -> None:
    path = tmp_path / "shared.db"
    store, url = store_factory(path), store_url(path)
    await store.billing.add_event(make_event())
    other_one = make_contract(currency="USD")
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM audit_heads FOR UPDATE")
        values = (other_one.project, other_one.entity, other_one.model_dump_json())
        other.execute("INSERT INTO contracts VALUES (%s, 1, %s, 'USD', %s)", values)
        task = asyncio.create_task(store.billing.put_contract(make_contract(revision=2)))
        await blocked(url, task)
        other.commit()
    with pytest.raises(StoreError, match="a project bills in one currency"):
        await task


async def test_a_connection_that_broke_is_made_again(
    database: Database, postgresql: Databases, url: str
) -> None:
    store = SqlStore(database)
    name = make_url(url).database
    kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    await store.cursors.put("deals", database.now())
    postgresql.run(kill)
    assert await store.cursors.get("deals") is not None
    broken: list[int] = []

    def work(connection: Any) -> int:
        connection.execute(text("UPDATE cursors SET mark = now()"))
        if not broken:
            broken.append(1)
            postgresql.run(kill)
        return int(connection.execute(text("UPDATE cursors SET name = 'renamed'")).rowcount)

    assert await database.write(work) == 1


async def test_lost_at_the_end_a_repeat_finds_what_landed(
    database: Database, make_intent: Callable[..., EffectIntent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit landed and its answer did not: the second run looks, and nothing is fresh twice."""
    transact, runs = Database._transact, []

    def deaf(engine: Any, work: Any) -> Any:
        answer = transact(engine, work)
        runs.append(answer)
        if len(runs) == 1:
            lost = psycopg.OperationalError("server closed the connection unexpectedly")
            raise OperationalError("COMMIT", {}, lost, connection_invalidated=True)
        return answer

    monkeypatch.setattr(Database, "_transact", staticmethod(deaf))
    row = await SqlStore(database).effects.begin(make_intent())
    assert [run.fresh for run in runs] == [True, False]
    assert not row.fresh
