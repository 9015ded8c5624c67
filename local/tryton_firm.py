"""A firm whose ERP is a Tryton server of its own home: started with the firm, ended with it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from local import process, tryton_environment
from local.tryton_rpc import Rpc
from local.tryton_server import DATABASE, USER, TrytonServer
from runtime.settings import Settings

SYSTEM = "tryton"
"""Its name in the firm's file."""


def start(home: Path, say: Callable[[str], None]) -> Mapping[str, Mapping[str, str]]:
    """Start Tryton for `home` on a free port; what the firm's file then says (section to key to TOML text).

    It is installed in the user's own home, or where `FAIRLEAD_TRYTON_ENV` says: the home of a demo is gone
    soon. Raises `NoTryton` with the cure.
    """
    environment = tryton_environment.environment(Settings.from_environment().home)
    server = TrytonServer(home, environment)
    address = server.start(say=say)
    say(f"{SYSTEM:<9} ready {address}")
    return sections(address, server.password_file)


def sign_in(home: Path) -> Rpc:
    """A session of the administrator at the running server of `home`. Close it."""
    folder = home / "tryton"
    password = (folder / "password").read_text(encoding="ascii")
    port = (folder / "port").read_text(encoding="ascii").strip()
    return Rpc(f"http://127.0.0.1:{port}", DATABASE, USER, password)


def stop(home: Path, grace: float) -> bool:
    """End the Tryton server of `home`, if there is one. Whether it ran."""
    return process.stop(process.Paths(home, SYSTEM), grace)


def sections(address: str, password_file: Path) -> Mapping[str, Mapping[str, str]]:
    """Tryton as the ERP of the whole firm (see docs/tryton.md)."""
    return {
        f"systems.{SYSTEM}": {
            "vendor": '"tryton"',
            "base_url": f'"{address}"',
            "commit_limit": '"3s"',
            "max_in_flight": "1",
        },
        f"systems.{SYSTEM}.auth": {"username": f'"{USER}"', "password": f'"file:{password_file}"'},
        "roles": {"erp": f'"{SYSTEM}"'},
    }
