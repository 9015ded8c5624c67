"""What each service of a home is started with, and the firm's file beside it."""

import socket
import sys
import tomllib
from pathlib import Path

import pytest

from local import secrets_setup
from local.firm_files import with_values
from local.launch import SERVICES, Launch
from local.ports import free_ports, holder
from runtime.settings import Settings


def launch(home: Path, environ: dict[str, str] | None = None, **values: object) -> Launch:
    return Launch(Settings.from_environment(home=home, **values), environ or {})


def test_children_run_this_python_without_the_current_folder(tmp_path: Path) -> None:
    for name, module in (("worker", "worker"), ("gateway", "gateway.server"), ("sandbox", "sandbox")):
        command = launch(tmp_path).command(name)  # type: ignore[arg-type]
        assert command[:4] == [sys.executable, "-P", "-m", module]


def test_children_get_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = launch(tmp_path, queue_prefix="lane1.", gateway_port=9001, firm_file="some/fairlead.toml")
    for name in SERVICES:
        with monkeypatch.context() as patch:
            for variable, value in made.environment(name).items():
                patch.setenv(variable, value)
            read = Settings.from_environment()
        assert read == made.settings.model_copy(update={"firm_file": Path("some/fairlead.toml").absolute()})


def test_each_side_gets_its_own_credentials_only(tmp_path: Path) -> None:
    secrets_setup.create(tmp_path)
    made = launch(tmp_path)
    ours, theirs = "FAIRLEAD_KANTATA_TOKEN", "SANDBOX_KANTATA_TOKEN"
    assert made.environment("worker")[ours] == made.environment("sandbox")[theirs]
    assert theirs not in made.environment("worker")
    assert ours not in made.environment("sandbox")
    assert not {ours, theirs} & made.environment("temporal").keys()


def test_sandbox_sends_its_events_to_our_gateway(tmp_path: Path) -> None:
    secrets_setup.create(tmp_path)
    made = launch(tmp_path, gateway_host="::", gateway_port=9001)
    command = made.command("sandbox")
    assert command[command.index("--webhook-url") + 1] == "http://127.0.0.1:9001/hooks/{system}"
    assert made.environment("sandbox")["SANDBOX_WEBHOOK_SECRET"].startswith("whsec_")
    assert not any("whsec_" in argument for argument in command), "arguments are seen by everybody"


def test_source_tree_is_on_the_path_of_children_from_any_folder(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    assert launch(tmp_path, {"PYTHONPATH": "/elsewhere"}).environment("worker")["PYTHONPATH"].split(":") == [
        root,
        "/elsewhere",
    ]


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))


def test_holder_of_a_port_is_named() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert "process" in holder(listener.getsockname()[1])


TEXT = """[firm]
id = "acme"

[timing]  # seconds
# how long a read may take
read_timeout = 60.0
heartbeat_timeout = 5.0

[roles]
heartbeat_timeout = "not this one"
"""


def test_values_of_one_table_are_set_and_the_rest_stays() -> None:
    text = with_values(TEXT, "timing", {"heartbeat_timeout": "1.0", "own_timeout": "3.0"})
    read = tomllib.loads(text)
    assert read["timing"] == {"read_timeout": 60.0, "heartbeat_timeout": 1.0, "own_timeout": 3.0}
    assert read["roles"] == {"heartbeat_timeout": "not this one"}
    assert "# how long a read may take" in text


def test_absent_table_is_added() -> None:
    assert tomllib.loads(with_values(TEXT, "limits", {"x": "1"}))["limits"] == {"x": 1}


def test_nothing_to_set_changes_nothing() -> None:
    assert with_values(TEXT, "timing", {}) == TEXT
