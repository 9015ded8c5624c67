"""The gateway as a process of its own: started, asked, killed, started again, ended."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway import server
from store.sql import migrate
from tests.unit.gateway.gateway_parts import SECRET, encoded, event, signed

TREE = Path(__file__).resolve().parents[3]
FIRM_FILE = TREE / "examples" / "firm" / "fairlead.toml"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings of a gateway with a home, a port and a store of its own, and no Temporal anywhere."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        gateway_port, nobody = one.getsockname()[1], other.getsockname()[1]
    own = {
        "PYTHONPATH": str(TREE),
        "FAIRLEAD_HOME": str(tmp_path),
        "FAIRLEAD_FIRM_FILE": str(FIRM_FILE),
        "FAIRLEAD_STORE_URL": f"sqlite:///{tmp_path / 'fairlead.db'}",
        "FAIRLEAD_GATEWAY_PORT": str(gateway_port),
        "FAIRLEAD_TEMPORAL_PORT": str(nobody),
        "FAIRLEAD_WEBHOOK_SECRET": SECRET,
        "FAIRLEAD_LOG_FORMAT": "json",
    }
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("FAIRLEAD_", "TEMPORAL_"))
    }
    return kept | own


@contextmanager
def running(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """A gateway process that listens, and a client of it."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gateway.server"],
        env=environment,
        cwd=TREE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = json.loads(process.stderr.readline())
        assert said["event"] == "gateway_listening"
        with httpx.Client(base_url=said["address"], timeout=10, trust_env=False) as http:
            assert http.get("/readyz").status_code == 200
            yield process, http
    finally:
        process.kill()
        process.communicate(timeout=10)


def post(http: httpx.Client, body: bytes) -> httpx.Response:
    return http.post("/hooks/salesforce", content=body, headers=signed(body, at=datetime.now(UTC)))


def test_what_was_answered_survives_a_kill(environment: dict[str, str]) -> None:
    migrate.upgrade(environment["FAIRLEAD_STORE_URL"])
    body = encoded(event(at=datetime.now(UTC)))
    with running(environment) as (process, http):
        assert post(http, body).status_code == 202
        health = http.get("/healthz")
        assert health.status_code == 503
        assert "No Temporal server answers" in health.json()["checks"]["temporal"]["problem"]
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    with running(environment) as (process, http):
        again = post(http, body)
        assert (again.status_code, again.json()["status"]) == (200, "duplicate")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
    assert "event_repeated" in [line["event"] for line in lines]
    assert "Traceback" not in log
    assert SECRET not in log


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "does not exist; run `fairlead up`"),
        ({"FAIRLEAD_FIRM_FILE": "/nowhere/fairlead.toml"}, "/nowhere/fairlead.toml"),
    ],
)
def test_what_keeps_it_from_starting_is_told_without_a_trace(
    environment: dict[str, str],
    changes: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in (environment | changes).items():
        if name.startswith("FAIRLEAD_"):
            monkeypatch.setenv(name, text)
    monkeypatch.setattr(server, "configure_logs", lambda *given: None)
    assert server.main() == 1
    told = capsys.readouterr().err
    assert told.startswith("The gateway cannot start: ")
    assert said in told
    assert "Traceback" not in told
