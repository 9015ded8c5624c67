"""A Tryton server of this machine, beside the firm: books prepared once, copied per home, stopped by pid.

    python -m local.tryton_server prepare     # the environment, with pip: once, about 120 MB
    python -m local.tryton_server start       # prints address and where the password lies
    python -m local.tryton_server status
    python -m local.tryton_server stop        # the books stay; start goes on with them

Under Fairlead's home: `tryton/env` (or what `FAIRLEAD_TRYTON_ENV` names), `tryton/data` with the database,
`tryton/trytond.conf`, `tryton/password`. The server listens on loopback only.
"""

import argparse
import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from local import process, tryton_books, tryton_chart, tryton_environment
from local.locking import exclusive
from local.ports import free_ports
from local.tryton_environment import Environment, NoTryton, Say
from local.tryton_rpc import Rpc, RpcError
from runtime.settings import Settings

MODULES = ("ir", "res", "account_deposit", "project_invoice")
"""Activated with all they depend on: accounts, invoices, deposits, projects, their revenue and time."""
DATABASE = "firm"
USER = "admin"
START_SECONDS = 30.0


def silent(line: str) -> None:
    """Says nothing."""


@dataclass(frozen=True, slots=True)
class TrytonServer:
    """The server of one home."""

    home: Path
    environment: Environment

    @property
    def folder(self) -> Path:
        return self.home / "tryton"

    @property
    def database(self) -> Path:
        return self.folder / "data" / f"{DATABASE}.sqlite"

    @property
    def password_file(self) -> Path:
        return self.folder / "password"

    @property
    def paths(self) -> process.Paths:
        return process.Paths(self.home, "tryton")

    @property
    def base_url(self) -> str:
        """Address of the server that was started last."""
        return f"http://127.0.0.1:{(self.folder / 'port').read_text(encoding='ascii').strip()}"

    def start(self, port: int = 0, say: Say = silent) -> str:
        """Start it on `port` (0: a free one) with the books it has, else a copy of the prepared ones.

        Its address; `say` is told what takes long. Raises `NoTryton`, `process.AlreadyRunning`.
        """
        if found := process.running(self.paths):
            raise process.AlreadyRunning(f"tryton runs already as process {found.pid} at {self.base_url}")
        if not self.database.exists():
            self._copy(prepared_books(self.environment, say))
        port = port or free_ports(1)[0]
        (self.folder / "port").write_text(f"{port}\n", encoding="ascii")
        configuration = _configure(self.folder, self.database.parent, port)
        command = [str(self.environment.server), "-c", str(configuration), "-d", DATABASE]
        started = process.start(self.paths, command, dict(os.environ))
        _wait(self.base_url, started.pid, self.paths)
        return self.base_url

    def stop(self) -> bool:
        """End it. Whether it ran."""
        return process.stop(self.paths)

    def _copy(self, books: Path) -> None:
        self.database.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(books.with_suffix(".password"), self.password_file)
        self.password_file.chmod(0o600)
        draft = self.database.with_suffix(".new")
        shutil.copyfile(books, draft)
        draft.replace(self.database)


def server(home: Path) -> TrytonServer:
    """The server of `home`. Raises `NoTryton` with the cure when the environment is missing."""
    return TrytonServer(home, tryton_environment.environment(home))


def prepared_books(environment: Environment, say: Say = silent) -> Path:
    """A database with the example firm's companies, made once per set of versions, modules, set-up and year.

    A quarter to half a minute the first time, which `say` is told. Raises `NoTryton`.
    """
    environment.books.mkdir(parents=True, exist_ok=True)
    with exclusive(environment.books / "lock"):
        ready = environment.books / f"{_cache_key(environment)}.sqlite"
        if not ready.exists():
            say("tryton    its books are made once and kept: half a minute")
            _build(environment, ready)
        return ready


def _cache_key(environment: Environment) -> str:
    """Changes with anything that shapes the books; the year does, as their fiscal years stand around it."""
    sources = [Path(str(module.__file__)).read_text("utf-8") for module in (tryton_books, tryton_chart)]
    year = str(datetime.now(UTC).year)
    text = "\n".join([*MODULES, environment.versions(), *sources, year])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _build(environment: Environment, ready: Path) -> None:
    work = environment.books / f"build-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    data = work / "data"
    data.mkdir(parents=True)
    try:
        password = secrets.token_urlsafe(24)
        _initialise(environment, work, data, password)
        _fill(environment, work, password)
        ready.with_suffix(".password").touch(mode=0o600)
        ready.with_suffix(".password").write_text(password, encoding="ascii")
        _fold_log(data / f"{DATABASE}.sqlite")
        (data / f"{DATABASE}.sqlite").replace(ready)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fold_log(database: Path) -> None:
    """Bring what stands in SQLite's write-ahead log into the file, which is copied alone."""
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _initialise(environment: Environment, work: Path, data: Path, password: str) -> None:
    """An empty database with all modules activated."""
    (data / f"{DATABASE}.sqlite").touch()  # without the file Tryton refuses to make its tables
    secret = work / "password"
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="ascii")
    configuration = _configure(work, data, 0)
    command = [str(environment.admin), "-c", str(configuration), "-d", DATABASE, "-u", *MODULES]
    command += ["--activate-dependencies", "--email", "tryton@fairlead.example"]
    variables = dict(os.environ) | {"TRYTONPASSFILE": str(secret)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise NoTryton(f"cannot make Tryton's database: {' / '.join(said)}")


def _fill(environment: Environment, work: Path, password: str) -> None:
    """The firm's books, written through a server that runs for this alone."""
    (port,) = free_ports(1)
    paths = process.Paths(work, "tryton")
    configuration = _configure(work, work / "data", port)
    command = [str(environment.server), "-c", str(configuration), "-d", DATABASE]
    started = process.start(paths, command, dict(os.environ))
    try:
        _wait(f"http://127.0.0.1:{port}", started.pid, paths)
        with Rpc(f"http://127.0.0.1:{port}", DATABASE, USER, password) as rpc:
            tryton_books.set_up(rpc, datetime.now(UTC).date())
    except RpcError as error:
        raise NoTryton(f"cannot set up Tryton's books: {error}") from None
    finally:
        process.stop(paths)


def _configure(folder: Path, data: Path, port: int) -> Path:
    """Tryton's configuration file. Documents are not turned into PDF: that would need an office program."""
    file = folder / "trytond.conf"
    lines = ("[database]", f"path = {data}", "", "[web]", f"listen = 127.0.0.1:{port}", "")
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def _wait(base_url: str, pid: int, paths: process.Paths) -> None:
    """Until the server answers. Raises `NoTryton` with the end of its log."""
    body = {"id": 0, "method": "common.server.version", "params": []}
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.exit_code(pid) is None:
        try:
            if httpx.post(f"{base_url}/rpc/", json=body, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    process.stop(paths)
    raise NoTryton(f"Tryton does not answer at {base_url}; the end of its log: {process.log_tail(paths)}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.tryton_server", description="Tryton beside a firm."
    )
    parser.add_argument("command", choices=["prepare", "start", "status", "stop"])
    parser.add_argument("--port", type=int, default=8600, help="where it listens (0: a free port)")
    arguments = parser.parse_args(argv)
    home = Settings.from_environment().home
    try:
        print(_done(arguments.command, home, arguments.port))
    except (NoTryton, process.AlreadyRunning, OSError) as error:
        print(f"python -m local.tryton_server {arguments.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _done(command: str, home: Path, port: int) -> str:
    if command == "prepare":
        made = tryton_environment.prepare(home)
        return f"Tryton is in {made.folder}; its books are {prepared_books(made)}"
    found = server(home)
    if command == "start":
        where = found.start(port)
        return f"Tryton at {where}, database {DATABASE}, user {USER}, password in {found.password_file}"
    if command == "stop":
        return "stopped" if found.stop() else "was not running"
    running = process.running(found.paths)
    return f"process {running.pid} at {found.base_url}" if running else "not running"


if __name__ == "__main__":
    sys.exit(main())
