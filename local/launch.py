"""The four services of a local firm: what each one runs, with which environment, on which ports."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from local import secrets_setup
from local.process import Paths, module_command
from local.temporal_server import server_command
from runtime.settings import Settings

ServiceName = Literal["temporal", "sandbox", "worker", "gateway"]
SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
WAVES: tuple[tuple[ServiceName, ...], ...] = (("temporal", "sandbox"), ("worker", "gateway"))
"""Started wave after wave, stopped the other way round; those of one wave do not need each other."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How the services of one home are started."""

    settings: Settings
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    in_memory: bool = False
    """Temporal keeps nothing on disk: for a demo or a test that never restarts it."""
    sandbox_arguments: tuple[str, ...] = ()
    """Further options of `python -m sandbox`: seed, size, latency."""

    def paths(self, name: ServiceName) -> Paths:
        return Paths(self.settings.home, name)

    def ports(self, name: ServiceName) -> dict[str, int]:
        """The ports the service listens on, by the setting that moves each. The first one is its own."""
        settings = self.settings
        return {
            "temporal": {"temporal_port": settings.temporal_port, "ui_port": settings.ui_port},
            "sandbox": {"sandbox_port": settings.sandbox_port},
            "worker": {},
            "gateway": {"gateway_port": settings.gateway_port},
        }[name]

    def address(self, name: ServiceName) -> str:
        """Where people and programs reach the service; empty for the worker, which nobody calls."""
        return {
            "temporal": f"127.0.0.1:{self.settings.temporal_port}",
            "sandbox": self.settings.sandbox_url,
            "worker": "",
            "gateway": f"http://{_reachable(self.settings.gateway_host)}:{self.settings.gateway_port}",
        }[name]

    def command(self, name: ServiceName) -> list[str]:
        if name == "temporal":
            return server_command(self.settings, ephemeral=self.in_memory)
        if name == "sandbox":
            return self._sandbox_command()
        return module_command("worker" if name == "worker" else "gateway.server")

    def environment(self, name: ServiceName) -> dict[str, str]:
        """The child's variables: ours, its settings and its side of the credentials."""
        home = self.settings.home
        variables = dict(self.environ)
        if name == "sandbox":
            variables |= secrets_setup.sandbox_variables(home, self.environ)
        elif name != "temporal":
            variables |= secrets_setup.firm_variables(home, self.environ)
        absolute = self.settings.model_copy(update={"firm_file": self.settings.firm_file.absolute()})
        variables |= absolute.environment() | {"PYTHONUNBUFFERED": "1"}
        return variables | _python_path(self.environ)

    def _sandbox_command(self) -> list[str]:
        settings = self.settings
        command = module_command("sandbox", "--port", str(settings.sandbox_port))
        command += ["--home", str(settings.home / "sandbox")]
        secret = secrets_setup.firm_variables(settings.home, self.environ).get("FAIRLEAD_WEBHOOK_SECRET")
        if secret:
            command += ["--webhook-url", self.address("gateway") + "/hooks/{system}"]
        return [*command, *self.sandbox_arguments]


def _python_path(environ: Mapping[str, str]) -> dict[str, str]:
    """`-P` takes the current folder off the path, so a source tree that is not installed is put on it."""
    root = Path(__file__).resolve().parent.parent
    if not (root / "pyproject.toml").is_file():
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(root), environ.get("PYTHONPATH", "")]))}


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "", "::") else host  # noqa: S104  compared, not bound
