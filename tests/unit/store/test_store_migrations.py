"""Migrations of a SQLite file: down and up, from anywhere, once. `test_store_schema.py` has the rest."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from store.ports import StoreError
from store.sql import migrate
from store.sql.address import sqlite_url
from store.sql.engine import SqlStore, open_store
from store.sql.tables import METADATA

REPOSITORY = Path(__file__).parents[3]


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.fixture
def store_kind() -> str:
    """Files alone."""
    return "sqlite"


def test_down_to_base_and_up_again(tmp_path: Path):
    path = tmp_path / "store.db"
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    full = tables(path)
    assert set(METADATA.tables) < full
    assert migrate.is_current(url)
    migrate.downgrade(url)
    assert tables(path) == {"alembic_version"}
    assert migrate.current(url) == ""
    assert not migrate.is_current(url)
    migrate.upgrade(url)
    assert tables(path) == full
    assert migrate.current(url) == migrate.head()


def test_upgrade_keeps_what_is_there(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate.upgrade(url)
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute("INSERT INTO cursors VALUES ('deals', '2026-03-02 12:00:00.000000')")
        database.commit()
        migrate.upgrade(url)
        assert database.execute("SELECT count(*) FROM cursors").fetchone() == (1,)


def test_several_at_once_upgrade_a_new_store_once(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'new' / 'store.db'}"
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: migrate.upgrade(url), range(4)))
    assert migrate.is_current(url)


def test_upgrade_works_from_any_folder_and_with_any_name(tmp_path: Path):
    folder = tmp_path / "50% off ünï? #1"
    folder.mkdir()
    for package in ("store", "domain"):
        (folder / package).symlink_to(REPOSITORY / package)
    code = (
        "from store.sql import migrate; import sys; migrate.upgrade(sys.argv[1]);"
        "print(migrate.current(sys.argv[1]))"
    )
    url = sqlite_url(folder / "store.db")
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-P", "-c", code, url],
        cwd=tmp_path,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stderr == ""
    assert answer.stdout.strip() == migrate.head()
    assert (folder / "store.db").is_file()


async def test_open_with_create_makes_a_ready_store_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "a" / "b" / "store.db"
    store = open_store(sqlite_url(path), create=True)
    await store.ready()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await store.aclose()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("DELETE FROM alembic_version", "has no schema; run `fairlead up`"),
        ("DROP TABLE alembic_version", "has no schema; run `fairlead up`"),
        (
            "UPDATE alembic_version SET version_num = '9999'",
            "'9999', which this version of Fairlead does not",
        ),
    ],
)
async def test_ready_names_what_is_wrong_with_the_schema(
    store_factory: Callable[..., SqlStore], tmp_path: Path, change: str, problem: str
):
    store = store_factory(tmp_path / "store.db")
    await store.ready()
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute(change)
        database.commit()
    with pytest.raises(StoreError, match=problem):
        await store.ready()
    await store.aclose()


def test_an_older_schema_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(migrate, "head", lambda: "0002")
    assert migrate.problem("0001") == (
        "stands at revision '0001', this version needs '0002'; run `fairlead up` to upgrade it"
    )
    assert migrate.problem("0002") == ""
