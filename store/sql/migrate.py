"""Bringing the schema up to date, and telling whether it is.

upgrade(url)       # creates SQLite's file if need be; a second process waits, then finds nothing to do
current(url)       # revision the database stands at, "" when it has no schema
is_current(url)    # true when that is what this version of Fairlead needs
"""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from store.ports import StoreError
from store.sql.address import Address, address
from store.sql.connect import engine_of, hold_schema
from store.sql.failures import failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic.config import Config

T = TypeVar("T")
BUSY_TIMEOUT = 10.0
_ONE_AT_A_TIME = threading.Lock()
"""Alembic keeps its context in globals of the process, so two threads may not migrate at once."""


def upgrade(url: str, *, to: str = "head", busy_timeout: float = BUSY_TIMEOUT) -> None:
    """Bring the schema to revision `to`, in one transaction. Raises `StoreError`."""
    where = address(url)
    if where.path is not None:
        _make_file(where.path, where)
    _transact(where, lambda connection: _move(connection, to), busy_timeout=busy_timeout)


def downgrade(url: str, *, to: str = "base") -> None:
    """Take the schema back to revision `to`; what the newer one kept is lost. Raises `StoreError`."""
    _transact(address(url), lambda connection: _move(connection, to, down=True))


def current(url: str) -> str:
    """The revision the database stands at, or "" without a schema. Raises `StoreError`."""
    return _transact(address(url), revision)


def is_current(url: str) -> bool:
    """Whether the database stands at the revision this code needs. Raises `StoreError`."""
    return current(url) == head()


def revision(connection: Connection) -> str:
    """The revision an open database stands at, or "" without a schema."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def problem(revision: str) -> str:
    """What is wrong with a database at `revision` and its cure, or "" when it is current."""
    if revision == head():
        return ""
    if not revision:
        return "has no schema; run `fairlead up` to create it"
    if revision not in _known():
        return (
            f"stands at revision {revision!r}, which this version of Fairlead does not know: a newer one"
            " made it; install that one, then run `fairlead doctor`"
        )
    return f"stands at revision {revision!r}, this version needs {head()!r}; run `fairlead up` to upgrade it"


@cache
def head() -> str:
    """The revision this code needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head() or ""


@cache
def _known() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


def _move(connection: Connection, to: str, *, down: bool = False) -> None:
    from alembic import command

    with _ONE_AT_A_TIME:
        hold_schema(connection)
        standing = revision(connection)
        if standing and standing not in _known():
            raise StoreError(problem(standing))
        (command.downgrade if down else command.upgrade)(_config(connection), to)


def _config(connection: Connection | None = None) -> "Config":
    """Alembic's settings, found beside this file whatever the working directory is."""
    from alembic.config import Config

    config = Config()
    # A '%' in the folder's name would be read as interpolation.
    location = str(Path(__file__).with_name("migrations")).replace("%", "%%")
    config.set_main_option("script_location", location)
    config.attributes["connection"] = connection
    return config


def _transact(
    where: Address,
    work: Callable[[Connection], T],
    *,
    busy_timeout: float = BUSY_TIMEOUT,
) -> T:
    with _engine(where, busy_timeout) as engine:
        try:
            with engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise failure(error, where) from error


@contextmanager
def _engine(where: Address, busy_timeout: float) -> "Iterator[Engine]":
    engine = engine_of(where, writes=True, busy_timeout=busy_timeout)
    try:
        yield engine
    finally:
        engine.dispose()


def _make_file(path: Path, where: Address) -> None:
    """An empty file if there is none, for its owner only: it will hold contracts and customers."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreError(
            f"the store ({where}) cannot be created: {error.strerror or error}; correct the folder's rights,"
            " then run `fairlead up`"
        ) from error
