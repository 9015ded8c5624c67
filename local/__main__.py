"""One service in the foreground of its own container, and what has to be done once before.

python -m local setup            # credentials of the sandbox, store schema, search attributes
python -m local run worker       # becomes the service (same command and environment as `fairlead up`)
python -m local check worker     # exit code 0 when process 1 does its work: a container's health check
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from firm.problems import FirmFileError
from firm.secrets import SecretError
from local import secrets_setup
from local.launch import SERVICES, Launch
from local.readiness import not_ready
from local.startup import prepare, prepare_temporal
from runtime.connect import NoTemporal
from runtime.settings import Settings
from runtime.visibility import WrongSearchAttributes
from store.ports import StoreError


def main(argv: Sequence[str] | None = None) -> int:
    arguments, further = parse(argv)
    launch = Launch(Settings.from_environment())
    try:
        if arguments.command == "setup":
            asyncio.run(_setup(launch))
        elif arguments.command == "check":
            return _check(launch, arguments.service)
        else:
            _become(launch, arguments.service, further)
    except (FirmFileError, NoTemporal, SecretError, StoreError, WrongSearchAttributes, OSError) as error:
        print(f"python -m local {arguments.command}: {error}", file=sys.stderr)
        return 1
    return 0


async def _setup(launch: Launch) -> None:
    await prepare(launch, None, sandbox=False)
    await prepare_temporal(launch)
    print(f"ready: home {launch.settings.home}, namespace {launch.settings.namespace}")


def _become(launch: Launch, service: str, further: Sequence[str]) -> None:
    """Replace this process by the service, so that signals of the container reach it."""
    name = next(name for name in SERVICES if name == service)
    if name == "sandbox":
        secrets_setup.create(launch.settings.home)
    command = [*launch.command(name), *further]
    os.execve(command[0], command, launch.environment(name))  # noqa: S606  no shell is meant


def _check(launch: Launch, service: str) -> int:
    name = next(name for name in SERVICES if name == service)
    reason = asyncio.run(not_ready(launch, name, 1))
    print(reason or "ready")
    return 1 if reason else 0


def parse(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """The command, and what follows `run` for the service itself. Exits with code 2 on anything unknown."""
    parser = _parser()
    arguments, further = parser.parse_known_args(argv)
    if further and arguments.command != "run":
        parser.error(f"unknown options of {arguments.command}: {' '.join(further)}")
    return arguments, further


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Services of a firm in containers.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="credentials, store schema and search attributes; run it once")
    run = commands.add_parser("run", help="become one service; further options go to it")
    check = commands.add_parser("check", help="exit 0 when process 1 of this container does its work")
    for command in (run, check):
        command.add_argument("service", choices=[name for name in SERVICES if name != "temporal"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
