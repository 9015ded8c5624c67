"""Pid files, proven with real short-lived processes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local import process
from local.process import AlreadyRunning, Paths, Running

WAIT = "import sys; print('ready', flush=True); sys.stdin.read(); import signal; signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
)


def script(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_for(text: str, paths: Paths) -> None:
    """Until the service has printed `text`. Bounded by the test's own limit."""
    while text not in process.log_tail(paths):
        assert process.running(paths), process.log_tail(paths)
        threading.Event().wait(0.01)


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    paths = Paths(tmp_path, "service")
    yield paths
    process.stop(paths, 0)


@pytest.fixture
def start(paths: Paths) -> Callable[[str], Running]:
    return lambda code: process.start(paths, script(code), dict(os.environ))


def test_started_service_is_found_by_its_file_and_stopped(
    paths: Paths, start: Callable[[str], Running]
) -> None:
    record = start(WAIT)
    wait_for("ready", paths)

    assert process.running(paths) == record
    assert psutil.Process(record.pid).create_time() == pytest.approx(record.started, abs=0.1)
    assert process.stop(paths)
    assert process.running(paths) is None
    assert not psutil.pid_exists(record.pid)
    assert not paths.pid_file.exists()


def test_second_one_of_a_service_is_refused(paths: Paths, start: Callable[[str], Running]) -> None:
    record = start(WAIT)
    with pytest.raises(AlreadyRunning, match=f"process {record.pid}"):
        start(WAIT)


def test_starters_at_once_start_one(paths: Paths, start: Callable[[str], Running]) -> None:
    outcomes: list[object] = []

    def attempt() -> None:
        try:
            outcomes.append(start(WAIT))
        except AlreadyRunning as error:
            outcomes.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyRunning"] * 7 + ["Running"]


def test_pid_file_holds_the_pid_alone(paths: Paths, start: Callable[[str], Running]) -> None:
    record = start(WAIT)
    assert int(paths.pid_file.read_text(encoding="ascii")) == record.pid


def test_file_of_another_process_with_that_pid_is_stale(paths: Paths, tmp_path: Path) -> None:
    """The pid lives, but it was given to another: nobody may be signalled."""
    bystander = subprocess.Popen(script(WAIT), stdin=subprocess.PIPE)
    try:
        paths.pid_file.parent.mkdir(parents=True)
        paths.pid_file.write_text(f"{bystander.pid}\n", encoding="ascii")
        os.utime(paths.pid_file, (1000000000.0, 1000000000.0))

        assert process.running(paths) is None
        assert process.stop(paths) is False
        assert bystander.poll() is None
        assert not paths.pid_file.exists()
    finally:
        bystander.kill()
        bystander.communicate()


@pytest.mark.parametrize("content", ["", "x\n", "-1\n", "99999999\n", "12 5.0\n", "1 2 3\n", "\x00\x00"])
def test_unreadable_file_is_stale_and_a_start_replaces_it(
    paths: Paths, start: Callable[[str], Running], content: str
) -> None:
    paths.pid_file.parent.mkdir(parents=True)
    paths.pid_file.write_text(content, encoding="ascii")
    assert process.running(paths) is None

    record = start(WAIT)
    assert process.running(paths) == record


def test_service_that_ended_by_itself_is_not_running(paths: Paths, start: Callable[[str], Running]) -> None:
    record = start("import sys; print('no home', file=sys.stderr); sys.exit(3)")
    process._children[record.pid].wait()

    assert process.running(paths) is None
    assert process.exit_code(record.pid) == 3
    assert process.log_tail(paths) == "no home"
    assert process.stop(paths) is False


def test_killed_service_leaves_a_stale_file(paths: Paths, start: Callable[[str], Running]) -> None:
    record = start(WAIT)
    os.kill(record.pid, signal.SIGKILL)
    process._children[record.pid].wait()

    assert process.running(paths) is None
    assert start(WAIT).pid != record.pid


def test_service_that_ignores_the_signal_is_killed(paths: Paths, start: Callable[[str], Running]) -> None:
    record = start(STUBBORN)
    wait_for("deaf", paths)
    assert process.stop(paths, grace=0.2)
    assert not psutil.pid_exists(record.pid)


def test_children_of_a_service_end_with_it(paths: Paths, start: Callable[[str], Running]) -> None:
    code = """
        import signal, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        print("child", child.pid, flush=True)
        signal.pause()
    """
    start(textwrap.dedent(code))
    wait_for("child", paths)
    child = int(process.log_tail(paths).split()[-1])
    process.stop(paths, grace=0.2)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_service_started_elsewhere_is_stopped_from_here(tmp_path: Path) -> None:
    """As `fairlead up` and `fairlead down` do: two processes, one home."""
    paths = Paths(tmp_path, "service")
    starter = (
        "import os, sys; from pathlib import Path; from local import process\n"
        f"record = process.start(process.Paths(Path({str(tmp_path)!r}), 'service'),"
        " [sys.executable, '-c', 'import signal; signal.pause()'], dict(os.environ))\n"
        "print(record.pid)"
    )
    root = Path(__file__).resolve().parents[3]
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", starter], capture_output=True, text=True, cwd=root, check=True
    )
    found = process.running(paths)
    assert found is not None
    assert found.pid == int(answer.stdout)
    assert process.stop(paths)
    assert process.running(paths) is None


def test_log_tail_of_nothing_is_empty(paths: Paths) -> None:
    assert process.log_tail(paths) == ""


def test_log_is_continued_not_replaced(paths: Paths, start: Callable[[str], Running]) -> None:
    for number in (1, 2):
        record = start(f"print('run {number}')")
        process._children[record.pid].wait()
    assert process.log_tail(paths) == "run 1\nrun 2"
