"""A whole firm for a while: own home, free ports, own task queues, and nothing of it left afterwards.

    async with ephemeral_firm() as settings:
        client = await connect(settings)

The demo, each lane of the fault drill and the end-to-end tests run in one, beside a firm that is up.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from local import firm_files, process, tryton_firm
from local.launch import SERVICES, Launch
from local.ports import free_ports
from local.services import silent, up
from local.startup import Say
from runtime.settings import Settings

FAST_TIMING = {"heartbeat_timeout": "2.0", "read_timeout": "15.0", "write_timeout": "30.0"}
"""Values of the firm file's `[timing]`: a killed worker is noticed after two seconds, not five."""
_OURS = ("FAIRLEAD_", "SANDBOX_", "TEMPORAL_")


@asynccontextmanager
async def ephemeral_firm(
    services: Sequence[str] = SERVICES,
    *,
    in_memory: bool = True,
    sandbox_arguments: Sequence[str] = (),
    timing: Mapping[str, str] = FAST_TIMING,
    firm_values: Mapping[str, Mapping[str, str]] | None = None,
    tryton: bool = False,
    keep: bool = False,
    say: Say = silent,
    **values: object,
) -> AsyncIterator[Settings]:
    """Start `services` of a temporary firm; its settings. At the end all of it is killed and removed.

    `timing` and `firm_values` (section to key to TOML text) are set in the copy of the firm's file.
    With `tryton` a Tryton server of this home is started first and plays the ERP.
    `values` are further `Settings`: `queue_prefix`, `crash_dir` and the like. `in_memory=False` lets
    Temporal itself be killed and started again; `keep` leaves services and home.
    Credentials: `secrets_setup.firm_variables(settings.home, {})`.
    While it runs, `TEMPORAL_*` of this process is set aside: it would point `connect` elsewhere.
    Raises what `local.services.up` raises, and `NoTryton` where Tryton is wanted and not prepared.
    """
    home = Path(tempfile.mkdtemp(prefix="fairlead-"))
    settings = _settings(home, values)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    launch = Launch(settings, environ, in_memory=in_memory, sandbox_arguments=tuple(sandbox_arguments))
    aside = _set_aside("TEMPORAL_")
    finished = False
    try:
        changed = {"timing": timing, **(firm_values or {})}
        if tryton:
            changed |= await asyncio.to_thread(tryton_firm.start, home, say)
        firm_files.copy_example(home, settings.sandbox_url, changed)
        await up(settings, services, say=say, launch=launch)
        yield settings
        finished = True
    finally:
        os.environ.update(aside)
        if not (keep and finished):
            await _kill(launch)
            await asyncio.to_thread(tryton_firm.stop, home, 0)
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def _settings(home: Path, values: Mapping[str, object]) -> Settings:
    temporal, web, gateway, sandbox = free_ports(4)
    own = {
        "home": home,
        "firm_file": home / "fairlead.toml",
        "store_url": f"sqlite:///{home / 'fairlead.db'}",
        "temporal_port": temporal,
        "ui_port": web,
        "gateway_port": gateway,
        "sandbox_port": sandbox,
    }
    return Settings.model_validate(own | dict(values))


async def _kill(launch: Launch) -> None:
    """End all services at once: their home goes too, so there is nothing to finish in order."""
    await asyncio.gather(
        *(asyncio.to_thread(process.stop, launch.paths(name), 0) for name in reversed(SERVICES))
    )


def _set_aside(prefix: str) -> dict[str, str]:
    return {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(prefix)}
