"""Every command explains itself: an example, `--json`, exit codes; and the help answers at once."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from cli.command import COMMON
from cli.exit_codes import MEANING, ExitCode
from cli.main import build

HEAVY = ("temporalio", "pydantic", "httpx", "sqlalchemy", "fastapi", "composition", "asyncio")


def commands() -> Iterator[tuple[str, ...]]:
    """The path of every command, such as `("exceptions", "list")`."""

    def below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield path
            return
        for name, child in children.items():
            yield from below(child, (*path, name))

    return below(typer.main.get_command(build()), ())


COMMANDS = list(commands())


def help_of(path: tuple[str, ...]) -> str:
    result = CliRunner().invoke(build(), [*path, "--help"], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_command_shows_an_example_of_itself_and_json(path: tuple[str, ...]) -> None:
    text = help_of(path)
    examples = text.partition("Example")[2]
    assert f"fairlead {' '.join(path)}" in examples
    for option in ("--json", "--as", "--home", "--firm", "--address", "--profile"):
        assert option in text, option


def test_the_commands_of_the_design_are_there() -> None:
    names = {" ".join(path) for path in COMMANDS}
    wanted = (
        "up down worker serve sandbox doctor ui replay deals activate post-time watch status readiness trace "
        "approve signal cancel"
    ).split()
    wanted += ["exceptions list", "exceptions show", "exceptions resolve", "systems list", "systems check"]
    wanted += ["events catalog", "events list", "events replay", "events send"]
    wanted += ["audit show", "audit verify", "search-attributes register"]
    reviewing = "list show hold unhold write-down write-up transfer narrative release".split()
    wanted += [f"prebill {verb}" for verb in reviewing]
    wanted += [f"invoice {verb}" for verb in "list show approve reject credit rebill".split()]
    wanted += [
        "worklist",
        "report burn",
        "report leakage",
        "report capacity",
        "report activation",
        "sync resources",
    ]
    assert set(wanted) <= names


def test_root_help_documents_every_exit_code() -> None:
    text = " ".join(help_of(()).split())
    assert set(MEANING) == set(ExitCode)
    for code, meaning in MEANING.items():
        assert f"{code:d} {meaning}" in text


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; from cli.main import build; build()(['--help'], standalone_mode=False); print()"
    script += f"; print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_version_names_the_distribution() -> None:
    result = CliRunner().invoke(build(), ["--version"])
    assert result.exit_code == 0
    assert re.fullmatch(r"fairlead \d+\.\d+\.\d+\n", result.stdout)


def test_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(build(), ["frobnicate"]).exit_code == ExitCode.USAGE


def test_common_options_take_the_same_place_in_every_command() -> None:
    assert set(COMMON) == {"json", "actor", "token_file", "home", "firm", "address", "profile", "debug"}
