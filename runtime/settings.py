"""Where one Fairlead process finds its things: home, addresses, names. Environment first, then defaults.

Every address and name can be moved, so that a demo, a drill lane or a test has its own home, ports and
task-queue prefix beside a firm that is running.
"""

import os
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

OWN_QUEUE = "fairlead"
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseModel):
    """All of `FAIRLEAD_*`. Build with `Settings.from_environment()`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    """State of a local firm: store, Temporal's file, sandbox, logs, pid files."""
    firm_file: Path
    store_url: str = Field(repr=False)  # its password may stand in it
    temporal_address: str | None = None
    """Explicit address; none means the resolution order of `runtime.connect`."""
    temporal_profile: str | None = None
    namespace: str = "default"
    temporal_port: int = 7233
    ui_port: int = 8233
    gateway_host: str = "127.0.0.1"
    gateway_port: int = 8400
    sandbox_port: int = 8500
    queue_prefix: str = ""
    """Put before every task queue: a drill lane or a test has queues of its own."""
    crash_dir: Path | None = None
    """Where a drill arms crash points; none disables them."""
    planted_bug: str = ""
    """A guard that a drill switches off to prove that it can fail: `find-before-create`."""
    log_format: str = "console"
    log_level: LogLevel = "info"
    metrics_address: str | None = None
    """`host:port` where a worker tells Prometheus its figures; set, the gateway does at `/metrics`."""
    sdk_metrics_address: str | None = None
    """`host:port` of the figures of a worker's Temporal SDK."""

    @classmethod
    def from_environment(cls, **overrides: object) -> "Settings":
        """Defaults, then `FAIRLEAD_*`, then `overrides` that are not `None`."""
        values: dict[str, object] = {}
        for name in cls.model_fields:
            text = os.environ.get(f"FAIRLEAD_{name.upper()}")
            if text:
                values[name] = text
        values.update({name: value for name, value in overrides.items() if value is not None})
        home = Path(str(values.get("home") or default_home())).expanduser().absolute()
        values["home"] = home
        values.setdefault("firm_file", _default_firm_file(home))
        values.setdefault("store_url", f"sqlite:///{home / 'fairlead.db'}")
        return cls.model_validate(values)

    def environment(self) -> dict[str, str]:
        """This as `FAIRLEAD_*` variables, for a child process that shall run with the same settings."""
        return {
            f"FAIRLEAD_{name.upper()}": str(value)
            for name, value in dict(self).items()
            if value is not None and value != ""
        }

    def queue(self, name: str) -> str:
        """The task queue `name` of the firm's file, in this process's lane."""
        return f"{self.queue_prefix}{name}"

    @property
    def own_queue(self) -> str:
        """Workflows, and activities on our own store."""
        return self.queue(OWN_QUEUE)

    @property
    def gateway_url(self) -> str:
        return f"http://{self.gateway_host}:{self.gateway_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"


def default_home() -> Path:
    """The platform's folder for a user's state."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "fairlead"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "fairlead"
    return Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state")) / "fairlead"


def _default_firm_file(home: Path) -> Path:
    """The firm's own file in its home or the current folder, else the example firm of this distribution."""
    for candidate in (home / "fairlead.toml", Path.cwd() / "fairlead.toml"):
        if candidate.is_file():
            return candidate
    return Path(__file__).resolve().parent.parent / "examples" / "firm" / "fairlead.toml"
