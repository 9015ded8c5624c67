"""Crash points: a drill arms a file, the process that reaches it kills itself, once.

The file is renamed atomically before the kill, so that a point fires once across restarts.
"""

import os
import signal
from pathlib import Path

from domain.identity import short_key


def armed_file(folder: Path, point: str, key: str) -> Path:
    """The file that arms `point` of the effect `key`."""
    return folder / f"{point}.{short_key(key)}"


class FileCrashPoints:
    """Kills this process with SIGKILL at an armed point."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, point: str, key: str) -> None:
        armed = armed_file(self._folder, point, key)
        try:
            armed.rename(armed.with_suffix(armed.suffix + ".hit"))
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
