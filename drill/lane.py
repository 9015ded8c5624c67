"""A lane: one whole firm of its own that is attacked, with somebody who restarts what was killed.

The worker is killed in two ways: by itself at an armed crash point, and from here when the sandbox says
(by a marker file) that it has applied a write and holds its answer.
"""

import asyncio
import contextlib
import os
import shlex
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client, WorkflowFailureError

from composition import load_firm, open_firm_store
from domain.activation_process import ActivationResult
from domain.attention import DecisionAction
from drill.firm_setup import FirmSetup
from local import process, secrets_setup
from local.ephemeral import ephemeral_firm
from local.launch import Launch, ServiceName
from runtime.connect import connect
from runtime.crash_points import armed_file
from runtime.decisions import DecisionNotTaken, decide
from runtime.settings import Settings
from store.ports import Store
from workflows.shared.start import start_activation

PATIENCE = 300.0
"""Seconds after which an activation under attack counts as stuck."""
_HELD = ".held"
_HIT = ".hit"
QUICK = {
    "systems.salesforce": {"commit_limit": '"1s"'},
    "systems.kantata": {"commit_limit": '"1s"'},
    "systems.netsuite": {"commit_limit": '"1s"'},
    "systems.coupa": {"commit_limit": '"1s"'},
    "systems.salesforce.settings": {"timeout_seconds": "2"},
    "systems.kantata.settings": {"timeout_seconds": "2"},
    "systems.netsuite.settings": {"timeout_seconds": "2"},
    "systems.coupa.settings": {"timeout_seconds": "2"},
    "activation": {"poll": "false"},
    "billing": {"intake_poll_every": '"0"'},
    "procurement": {"poll_every": '"0"'},
    "resources": {"poll_every": '"0"'},
    "alerts": {"watch_every": '"0"'},
}
"""The firm's file in a drill: nothing by the clock, and short limits, so that a minute has many losses."""
STAFFING = "practice.lead@fairlead.example"
OPERATOR = "controller@fairlead.example"


@dataclass
class Lane:
    """A firm under attack. `kills` counts workers that died and were started again."""

    settings: Settings
    client: Client
    store: Store
    firm: str
    sandbox: httpx.AsyncClient
    folder: Path
    launch: Launch
    setup: FirmSetup
    kills: int = 0
    decided: int = 0
    other_ends: list[str] = field(default_factory=list)
    """Workers that ended in another way than being killed, with the end of their log."""
    _paths: process.Paths = field(init=False)
    _pid: int = field(init=False)

    def __post_init__(self) -> None:
        self._paths = self.launch.paths("worker")
        found = process.running(self._paths)
        self._pid = found.pid if found else 0

    @property
    def erp(self) -> str:
        """Name of the system that is the ERP."""
        return self.setup.system("erp")

    @property
    def erp_is_sandbox(self) -> bool:
        """Whether faults can be armed there."""
        return self.setup.firm.systems[self.erp].base_url.startswith(self.settings.sandbox_url)

    # -- attacking --------------------------------------------------------------------------------

    def arm_crash(self, point: str, key: str) -> None:
        """The worker kills itself when it reaches `point` of the effect `key`, once."""
        armed_file(self.folder, point, key).touch()

    async def arm_fault(self, **fault: Any) -> None:
        """Arm a fault of the sandbox (see `sandbox/README.md`)."""
        answer = await self.sandbox.post("/_faults", json=fault)
        answer.raise_for_status()

    async def arm_held_answer(self, number: int, key: str = "", **which: Any) -> None:
        """The sandbox answers one write of `key`, or the request `which` says, never; meanwhile the worker
        is killed."""
        marker = self.folder / f"answer-{number}{_HELD}"
        meant = which or {"match": key, "only": "writes"}
        await self.arm_fault(kind="hold_after_apply", count=1, marker=str(marker), **meant)

    def hits(self) -> int:
        """Crash points that were reached, of both kinds."""
        return len(list(self.folder.glob(f"*{_HIT}")))

    def is_armed(self, point: str, key: str) -> bool:
        """Whether a crash point still waits to be reached."""
        return armed_file(self.folder, point, key).exists()

    async def faults_fired(self) -> dict[str, int]:
        """How often each kind of fault has struck."""
        fired: dict[str, int] = {}
        for fault in (await self.sandbox.get("/_faults")).json()["faults"]:
            fired[fault["kind"]] = fired.get(fault["kind"], 0) + fault["fired"]
        return fired

    # -- working ----------------------------------------------------------------------------------

    async def activate(self, deal: str, on_attention: DecisionAction = "retry") -> ActivationResult | None:
        """Activate `deal` with its staffing approved; what needs a person is decided by `on_attention`.

        None when it is stuck or was cancelled by Temporal.
        """
        started = await start_activation(
            self.client, self.settings, firm=self.firm, deal=deal, requested_by="drill"
        )
        helpers = [
            asyncio.create_task(self._approve(started.workflow_id)),
            asyncio.create_task(self._attend(started.workflow_id, on_attention)),
        ]
        handle = self.client.get_workflow_handle(started.workflow_id, result_type=ActivationResult)
        try:
            async with asyncio.timeout(PATIENCE):
                result: ActivationResult = await handle.result()
                return result
        except (TimeoutError, WorkflowFailureError):
            return None
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _approve(self, process_id: str) -> None:
        with contextlib.suppress(DecisionNotTaken):
            await decide(
                self.client,
                self.store.decisions,
                action="approve_staffing",
                process=process_id,
                actor=STAFFING,
                role="practice_lead",
            )

    async def _attend(self, process_id: str, action: DecisionAction) -> None:
        """A person who decides every open exception of the process the same way."""
        while True:
            await asyncio.sleep(0.2)
            for item in await self.store.attention.list(process=process_id):
                with contextlib.suppress(DecisionNotTaken):
                    await decide(
                        self.client,
                        self.store.decisions,
                        action=action,
                        process=process_id,
                        actor=OPERATOR,
                        role="controller",
                        target=item.id,
                        reason="drill",
                    )
                    self.decided += 1

    async def keep_worker_alive(self) -> None:
        """Kill the worker where an answer is held, and start it again whenever it is dead."""
        while True:
            await asyncio.sleep(0.03)
            for marker in self.folder.glob(f"*{_HELD}"):
                marker.rename(marker.with_suffix(_HIT))
                await asyncio.to_thread(process.stop, self._paths, 0)
            if process.running(self._paths) is None:
                await self._restart()

    async def _restart(self) -> None:
        code = process.exit_code(self._pid)
        if code is None or code == -signal.SIGKILL:
            self.kills += 1
        else:
            self.other_ends.append(f"worker ended with {code}: {process.log_tail(self._paths)}")
        started = await asyncio.to_thread(
            process.start, self._paths, self.launch.command("worker"), self.launch.environment("worker")
        )
        self._pid = started.pid


@asynccontextmanager
async def lane(
    *,
    services: Sequence[ServiceName] = ("temporal", "sandbox", "worker"),
    planted_bug: str = "",
    keep: bool = False,
    firm_values: Mapping[str, Mapping[str, str]] | None = None,
    tryton: bool = False,
    say: Callable[[str], None] = lambda line: None,
    **values: Any,
) -> AsyncIterator[Lane]:
    """A running lane; everything of it is gone afterwards, unless it is kept.

    `firm_values` are set in the firm's file beside `QUICK`; with `tryton` a Tryton of its own is the ERP.
    `values` are further `Settings`.
    Raises `NoTryton` where that is not prepared.
    """
    with tempfile.TemporaryDirectory(prefix="fairlead-drill-") as folder:
        async with ephemeral_firm(
            services,
            crash_dir=Path(folder),
            planted_bug=planted_bug,
            firm_values={**QUICK, **(firm_values or {})},
            tryton=tryton,
            keep=keep,
            say=say,
            **values,
        ) as settings:
            environ = {**os.environ, **secrets_setup.firm_variables(settings.home)}
            firm = load_firm(settings, environ)
            store = open_firm_store(firm, settings, environ)
            async with httpx.AsyncClient(
                base_url=settings.sandbox_url, timeout=30, trust_env=False
            ) as sandbox:
                attacked = Lane(
                    settings=settings,
                    client=await connect(settings, keys=firm.codec_keys(environ)),
                    store=store,
                    firm=firm.id,
                    sandbox=sandbox,
                    folder=Path(folder),
                    launch=Launch(settings, environ, in_memory=True),
                    setup=FirmSetup(firm, environ),
                )
                keeper = asyncio.create_task(attacked.keep_worker_alive())
                if keep:
                    write_environment(settings)
                try:
                    yield attacked
                finally:
                    keeper.cancel()
                    await asyncio.gather(keeper, return_exceptions=True)
                    await store.aclose()


def write_environment(settings: Settings) -> Path:
    """`env.sh` in the firm's home: with it, every command of `fairlead` works on this firm."""
    path = settings.home / "env.sh"
    kept = settings.model_copy(update={"crash_dir": None, "planted_bug": ""})
    lines = [f"export {name}={shlex.quote(value)}" for name, value in kept.environment().items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
