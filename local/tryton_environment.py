"""Tryton's own virtual environment: where it is, how it is made, which versions it holds.

Tryton is GPL software. It runs as a separate process from an environment of its own; nothing of it is
ever imported here, and nothing is downloaded unless `prepare` is called.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "deploy" / "tryton-requirements.txt"
"""Exact versions of series 8.0 and of what it needs."""
VARIABLE = "FAIRLEAD_TRYTON_ENV"
Say = Callable[[str], None]


class NoTryton(RuntimeError):
    """Tryton is not installed, or not as it must be; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment that holds Tryton."""

    folder: Path

    @property
    def python(self) -> Path:
        return self._program("python")

    @property
    def server(self) -> Path:
        return self._program("trytond")

    @property
    def admin(self) -> Path:
        return self._program("trytond-admin")

    @property
    def books(self) -> Path:
        """Prepared databases: they belong to the versions installed here, and go with them."""
        return self.folder / "books"

    def versions(self) -> str:
        """`name==version` of all that is installed, one a line, sorted. Raises `NoTryton`."""
        listed = _run(
            [str(self.python), "-m", "pip", "freeze", "--disable-pip-version-check"], "list versions"
        )
        return "\n".join(sorted(line for line in listed.splitlines() if "==" in line))

    def _program(self, name: str) -> Path:
        windows = sys.platform == "win32"
        return self.folder / ("Scripts" if windows else "bin") / (f"{name}.exe" if windows else name)


def environment(home: Path, environ: Mapping[str, str] = os.environ) -> Environment:
    """The environment named by `FAIRLEAD_TRYTON_ENV`, else the one below `home`. Raises `NoTryton`."""
    found = Environment(place(home, environ))
    if not found.server.exists() or not found.admin.exists():
        raise NoTryton(
            f"there is no Tryton in {found.folder}; install it with `python -m local.tryton_server prepare`"
            f" (about 120 MB, GPL-3.0-or-later, see docs/tryton.md), or name an environment in {VARIABLE}"
        )
    return found


def place(home: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the environment is, or would be made."""
    named = environ.get(VARIABLE, "")
    return Path(named).expanduser().absolute() if named else home / "tryton" / "env"


def prepare(home: Path, environ: Mapping[str, str] = os.environ, say: Say = print) -> Environment:
    """Make the environment with pip from the pinned list; one that is there already is brought to it.

    Raises `NoTryton` with pip's own words when that fails.
    """
    folder = place(home, environ)
    made = Environment(folder)
    if not made.python.exists():
        say(f"making {folder}")
        _run([sys.executable, "-m", "venv", str(folder)], "make the environment")
    say(f"installing {REQUIREMENTS.name}")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(REQUIREMENTS)]
    _run([str(made.python), "-m", "pip", "install", *options], "install Tryton")
    return environment(home, environ)


def _run(command: list[str], what: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NoTryton(f"cannot {what}: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise NoTryton(f"cannot {what}: {command[0]} ended with {done.returncode}: {' / '.join(said)}")
    return done.stdout
