"""The firm's systems as the API may ask them: reading only, few at a time, never longer than the request.

Which connector plays a system is decided where the process is put together (`composition`); nothing of a
vendor is known here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import structlog

from connectors.errors import ConnectorError, NotFound
from connectors.ports import SystemPort
from firm.problems import FirmFileError
from gateway.deadline import RETRY_AFTER, Deadline
from gateway.problems import Refusal

AT_ONCE = 4
"""Calls of the API to one system at once."""
AT_ONCE_LIMITED = 1
"""The same for an account that is limited by concurrency: its slots are the worker's, but for one."""

T = TypeVar("T")
_log = structlog.get_logger("fairlead.gateway.api")


class Systems:
    """Opens each system when it is first asked; `at_once` by system. `open_system` raises `FirmFileError`."""

    def __init__(
        self, open_system: Callable[[str], SystemPort], at_once: Mapping[str, int] | None = None
    ) -> None:
        self._open = open_system
        self._at_once = at_once or {}
        self._ports: dict[str, SystemPort] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}

    async def ask(self, deadline: Deadline, system: str, question: Callable[[SystemPort], Awaitable[T]]) -> T:
        """The answer of `system`. Raises `NotFound`, and `Refusal` (503) naming the system for all else."""
        slots = self._slots.setdefault(system, asyncio.Semaphore(self._at_once.get(system, AT_ONCE)))
        try:
            async with deadline.waiting_for(system), slots:
                return await question(self._port(system))
        except NotFound:
            raise
        except ConnectorError as error:
            _log.warning("system_refused", system=system, kind=error.kind, reason=str(error))
            raise _unanswered(system, error) from None
        except FirmFileError as error:
            _log.error("system_not_set_up", system=system, reason=str(error))
            detail = f"{system} cannot be asked: it is not set up rightly; Fairlead's log says why."
            raise Refusal(503, detail, headers={"Retry-After": "60"}) from None

    async def aclose(self) -> None:
        for port in self._ports.values():
            await port.aclose()

    def _port(self, system: str) -> SystemPort:
        if system not in self._ports:
            self._ports[system] = self._open(system)
        return self._ports[system]


def _unanswered(system: str, error: ConnectorError) -> Refusal:
    wait = min(max(int(error.retry_after or 0), RETRY_AFTER), 3600)
    return Refusal(
        503,
        f"{system} gave no answer that can be used; Fairlead's log says why. Nothing was changed; ask again.",
        reason=str(error),
        headers={"Retry-After": str(wait)},
    )
