"""docker-compose.yml: pinned images, health checks, no password in the file, and commands that exist."""

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from store.sql import migrate
from store.sql.address import address
from tests.support.postgresql import Databases

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"store-database", "temporal-schema", "temporal-namespace", "setup"}
PIN = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?")
SECRET = re.compile(r"PASSWORD|PWD|SECRET|TOKEN|_KEY$")


def commands() -> list[tuple[str, list[str]]]:
    """Each command line of the file that is ours, with its service: commands and health checks."""
    lines = []
    for name, service in SERVICES.items():
        test = service.get("healthcheck", {}).get("test", [])
        for line in (service.get("command", []), test[1:] if test[:1] == ["CMD"] else []):
            if line and line[0] in ("python", "fairlead"):
                lines.append((name, line))
    return lines


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_image_is_pinned(name: str) -> None:
    assert PIN.fullmatch(SERVICES[name]["image"]), SERVICES[name]["image"]


def test_images_of_the_dockerfile_are_pinned() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert images
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", image) for image in images), images
    assert re.search(r"^USER (?!root)", text, re.MULTILINE), "the image must not run as root"
    assert "--require-hashes" in text


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_lasting_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_one_shot_is_waited_for(name: str) -> None:
    waiting = [
        service["depends_on"][name]["condition"]
        for service in SERVICES.values()
        if name in service.get("depends_on", {})
    ]
    assert waiting
    assert set(waiting) == {"service_completed_successfully"}


def test_no_password_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value), f"{name}: {variable} must be asked for"


def test_the_store_is_on_the_database_that_is_made_for_it() -> None:
    made = SERVICES["store-database"]["command"][0]
    users = {name for name in SERVICES if "FAIRLEAD_STORE_URL" in SERVICES[name].get("environment", {})}
    assert users == {"setup", "worker", "gateway"}
    for name in users:
        environment = SERVICES[name]["environment"]
        where = address(environment["FAIRLEAD_STORE_URL"])
        assert (where.url.host, where.url.password) == ("postgresql", None)
        assert f"CREATE ROLE {where.url.username} LOGIN" in made
        assert f"CREATE DATABASE {where.url.database} OWNER {where.url.username} " in made
        assert environment["PGPASSWORD"].startswith("${FAIRLEAD_STORE_PASSWORD:?")
        assert "FAIRLEAD_TEMPORAL_ADDRESS" in environment, "the store's variables came in place of ours"
    assert "store-database" in SERVICES["setup"]["depends_on"], "the schema is made in it"


def test_the_store_s_database_is_made_by_the_command_itself(postgresql: Databases) -> None:
    """As the file says it, twice, with passwords that want quoting; then its role makes the schema."""
    psql = postgresql.psql()
    if psql is None:
        pytest.skip("there is no psql here")
    name = postgresql.adopt("compose")
    script = re.sub(r"\bfairlead\b", name, SERVICES["store-database"]["command"][0])
    script = script.replace("psql ", f"{psql} ", 1)
    for password in ("first", 'it\'s a "2nd": $HOME \\'):
        environment = {**postgresql.environment(), "FAIRLEAD_STORE_PASSWORD": password}
        done = subprocess.run(
            ["/bin/sh", "-euc", script], env=environment, check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
    url = postgresql.admin.set(drivername="postgresql", database=name, username=name, password=password)
    migrate.upgrade(url.render_as_string(hide_password=False))
    assert migrate.is_current(url.render_as_string(hide_password=False))


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_there_are_commands_of_ours() -> None:
    assert {"setup", "worker", "gateway", "sandbox"} <= {name for name, _ in commands()}


@pytest.mark.parametrize(
    ("name", "line"), commands(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_command_exists(name: str, line: list[str]) -> None:
    if line[0] == "fairlead":
        assert_fairlead_command(line[1:])
    else:
        assert_module(line[1:])


def assert_fairlead_command(words: list[str]) -> None:
    from cli.main import app

    command: Any = typer.main.get_command(app)
    for word in words:
        if word.startswith("-") or not hasattr(command, "commands"):
            break
        assert word in command.commands, f"`fairlead {' '.join(words)}` does not exist"
        command = command.commands[word]


def assert_module(words: list[str]) -> None:
    module = words[words.index("-m") + 1]
    found = importlib.util.find_spec(module)
    assert found, f"no module {module}"
    if found.submodule_search_locations:
        assert importlib.util.find_spec(f"{module}.__main__"), f"`python -m {module}` cannot run"
    if module == "local":
        from local.__main__ import parse

        parse(words[words.index("-m") + 2 :])
