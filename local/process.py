"""One background process of a local firm: started once, found again by its pid file, stopped by its pid.

A pid alone proves nothing, since the system gives it away again. The pid file holds the pid and nothing
else, for scripts; its modification time is the process's start time, and both are compared before any
signal is sent. A file that does not fit is stale.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from local.locking import exclusive

_SAME_START_SECONDS = 2.0
"""The start time is computed from the system's boot time, which a corrected clock moves a little."""

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Processes that this one started itself: they must be waited for here, else they stay as zombies."""


class AlreadyRunning(RuntimeError):
    """The service runs already; a second one is never started."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a service keeps its pid and its log, under the firm's home."""

    home: Path
    service: str

    @property
    def pid_file(self) -> Path:
        return self.home / "run" / f"{self.service}.pid"

    @property
    def log_file(self) -> Path:
        return self.home / "log" / f"{self.service}.log"


@dataclass(frozen=True, slots=True)
class Running:
    """A process that is really there: pid and start time (seconds since the epoch)."""

    pid: int
    started: float


def module_command(module: str, *arguments: str) -> list[str]:
    """`python -P -m module`: this interpreter, and never a module of the current folder by accident."""
    return [sys.executable, "-P", "-m", module, *arguments]


def running(paths: Paths) -> Running | None:
    """The service's process, if its pid file names one that lives. Never raises for a bad or stale file."""
    record = _read(paths.pid_file)
    return record if record and _process(record) else None


def start(paths: Paths, command: Sequence[str], environment: Mapping[str, str]) -> Running:
    """Start the service in the background, its output going to its log file.

    Raises `AlreadyRunning`, or `OSError` when the program cannot be started.
    """
    for folder in (paths.pid_file.parent, paths.log_file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with _alone(paths):
        if found := running(paths):
            raise AlreadyRunning(f"{paths.service} runs already as process {found.pid}")
        with paths.log_file.open("ab") as log:
            child = _spawn(command, environment, log)
        record = Running(child.pid, _start_time(child.pid))
        _write(paths.pid_file, record)
        return record


def stop(paths: Paths, grace: float = 10.0) -> bool:
    """End the service: SIGTERM, and SIGKILL after `grace` seconds (0: at once). Its children end with it.

    Whether something ran. A stale pid file is removed and nobody is signalled.
    """
    if not paths.pid_file.exists():
        return False
    with _alone(paths):
        record = _read(paths.pid_file)
        process = _process(record) if record else None
        if process is not None:
            _end(process, grace)
        paths.pid_file.unlink(missing_ok=True)
    return process is not None


def exit_code(pid: int) -> int | None:
    """How a process that this one started has ended; none while it runs, or when another started it."""
    child = _children.get(pid)
    return child.poll() if child else None


def log_tail(paths: Paths, lines: int = 5) -> str:
    """The last lines of the service's log, for an error message."""
    try:
        with paths.log_file.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _spawn(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        start_new_session=True,  # Ctrl-C in the terminal reaches us, and we stop services in order
    )
    _children[child.pid] = child
    return child


def _end(process: psutil.Process, grace: float) -> None:
    with suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        if grace > 0:
            process.terminate()
            family = _wait(family, grace)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        _wait(family, 5)
    if child := _children.pop(process.pid, None):
        child.wait(timeout=5)


def _wait(family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those of `family` that still run after `seconds`. A zombie has ended, whoever fails to reap it."""
    deadline = time.monotonic() + seconds
    while True:
        family = [member for member in family if _lives(member)]
        if not family or time.monotonic() > deadline:
            return family
        time.sleep(0.02)


def _lives(member: psutil.Process) -> bool:
    try:
        return member.is_running() and member.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _process(record: Running) -> psutil.Process | None:
    """The live process of `record`, or none when it has ended or the pid belongs to another now."""
    if child := _children.get(record.pid):
        child.poll()  # reaps it, if it has ended
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.started) < _SAME_START_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _start_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:  # it has ended at once; the caller's readiness check says so
        return 0.0


def _read(pid_file: Path) -> Running | None:
    try:
        record = Running(int(pid_file.read_text(encoding="ascii")), pid_file.stat().st_mtime)
    except (OSError, ValueError):
        return None
    return record if record.pid > 0 else None


def _write(pid_file: Path, record: Running) -> None:
    """Replace the file as a whole, so that nobody reads half of it."""
    draft = pid_file.with_suffix(".new")
    draft.write_text(f"{record.pid}\n", encoding="ascii")
    os.utime(draft, (record.started, record.started))
    draft.replace(pid_file)


@contextmanager
def _alone(paths: Paths) -> Iterator[None]:
    with exclusive(paths.pid_file.with_suffix(".lock")):
        yield
