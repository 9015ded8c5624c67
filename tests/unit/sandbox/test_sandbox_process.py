"""The sandbox as a real process: broken connections, held answers, kill -9, a clean end."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.salesforce_org import DATA, FORM

ROOT = Path(__file__).parents[3]
ACCOUNTS = f"{DATA}/sobjects/Account"


class Sandbox:
    """A started process and a client of it."""

    def __init__(self, home: Path) -> None:
        small = ["--deals", "3", "--customers", "3", "--workers", "3"]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sandbox", "--home", str(home), "--port", "0", *small],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        assert self.process.stdout is not None
        ready = re.search(r"http://\S+", self.process.stdout.readline())
        assert ready is not None
        self.client = httpx.Client(base_url=ready[0], timeout=10)

    def login(self) -> None:
        answer = self.client.post("/salesforce/services/oauth2/token", data=FORM)
        self.client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

    def names(self) -> list[str]:
        soql = "SELECT Name FROM Account WHERE Name LIKE 'P-%' ORDER BY Name"
        body = self.client.get(f"{DATA}/query", params={"q": soql}).json()
        return [row["Name"] for row in body["records"]]

    def arm(self, **fault: Any) -> None:
        assert self.client.post("/_faults", json={"count": 1} | fault).status_code == 200

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.client.close()
        return code


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path)
    sandbox.login()
    yield sandbox
    if sandbox.process.poll() is None:
        sandbox.end(signal.SIGKILL)


def test_broken_and_held_answers_and_what_became_of_the_write(sandbox: Sandbox, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    short = httpx.Timeout(10, read=0.3)
    cases: list[tuple[str, type[Exception], bool, dict[str, Any]]] = [
        ("reset", httpx.RemoteProtocolError, True, {}),
        ("reset_before", httpx.RemoteProtocolError, False, {}),
        ("timeout_applied", httpx.ReadTimeout, True, {}),
        ("timeout_not_applied", httpx.ReadTimeout, False, {}),
        ("hold_after_apply", httpx.ReadTimeout, True, {"marker": str(marker)}),
        ("hold_before_apply", httpx.ReadTimeout, False, {"marker": str(marker)}),
    ]
    landed = []
    for kind, expected, applied, more in cases:
        marker.unlink(missing_ok=True)
        sandbox.arm(kind=kind, match=f"P-{kind}", **more)
        with pytest.raises(expected):
            sandbox.client.post(ACCOUNTS, json={"Name": f"P-{kind}"}, timeout=short)
        assert marker.exists() == bool(more)
        landed += [f"P-{kind}"] if applied else []
    assert sandbox.names() == sorted(landed)
    log = sandbox.client.get("/_requests?system=salesforce").json()["requests"]
    assert {entry["fault"] for entry in log if entry["status"] is None} == {kind for kind, *_ in cases}

    sandbox.arm(kind="late", seconds=0.2, match="P-late")
    answer = sandbox.client.post(ACCOUNTS, json={"Name": "P-late"})
    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() >= 0.2
    assert sandbox.end(signal.SIGTERM) == 0


def test_events_reach_a_real_receiver(sandbox: Sandbox) -> None:
    arrived: queue.Queue[bytes] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
        assert sandbox.client.post("/_control/webhooks", json={"url": url}).status_code == 200
        soql = "SELECT Id FROM Opportunity ORDER BY Id LIMIT 1"
        deal = sandbox.client.get(f"{DATA}/query", params={"q": soql}).json()["records"][0]["Id"]
        for stage in ("Negotiation/Review", "Closed Won"):
            body = {"StageName": stage}
            sandbox.client.post(f"/_control/salesforce/Opportunity/{deal}", json=body).raise_for_status()
        assert deal.encode() in arrived.get(timeout=20)
        server.shutdown()


def test_a_kill_loses_nothing_that_was_answered(sandbox: Sandbox, tmp_path: Path) -> None:
    token = sandbox.client.headers["authorization"]
    for number in range(20):
        assert sandbox.client.post(ACCOUNTS, json={"Name": f"P-{number:02d}"}).status_code == 201
    sandbox.arm(kind="hold_after_apply", match="P-20")
    with pytest.raises(httpx.ReadTimeout):
        sandbox.client.post(ACCOUNTS, json={"Name": "P-20"}, timeout=httpx.Timeout(10, read=0.2))
    sandbox.end(signal.SIGKILL)

    again = Sandbox(tmp_path)
    again.client.headers["authorization"] = token
    assert again.names() == [f"P-{number:02d}" for number in range(21)]
    effects = again.client.get("/_effects?object=Account").json()["effects"]
    assert [effect["count"] for effect in effects] == [1] * 21
    assert again.end(signal.SIGTERM) == 0


def test_bad_options_and_a_taken_address(sandbox: Sandbox, tmp_path: Path) -> None:
    run = [sys.executable, "-P", "-m", "sandbox", "--home", str(tmp_path / "other")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    bad = subprocess.run([*run, "--deals", "-1"], capture_output=True, text=True, env=env, check=False)
    assert (bad.returncode, "--deals" in bad.stderr) == (2, True)
    port = str(sandbox.client.base_url.port)
    taken = subprocess.run([*run, "--port", port], capture_output=True, text=True, env=env, check=False)
    assert taken.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in taken.stderr
