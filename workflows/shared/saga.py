"""Undo of a half-done process: registered before the act, idempotent, newest first.

An undo that fails is itself an exception with an owner: it is retried, or settled by hand, by a decision
of a person, and then the rest goes on. Nothing here has side effects outside Temporal commands, because
eviction of a workflow from the cache unwinds this code too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from temporalio.exceptions import ActivityError, ApplicationError

from domain.base import Value


class UndoneStep(Value):
    """What became of one step, for the result and the checklist."""

    step: str
    outcome: str


@dataclass
class Saga:
    """Steps done so far with their undo.

    `on_failure(step, error)` raises an exception for a person and returns True to try again, False when
    the person has settled the step by hand.
    """

    on_failure: Callable[[str, BaseException], Awaitable[bool]]
    _undos: list[tuple[str, Callable[[], Awaitable[object]]]] = field(default_factory=list)

    def undo_with(self, step: str, undo: Callable[[], Awaitable[object]]) -> None:
        """Register the undo of `step`; call this before the act. A repeat replaces the first."""
        self._undos = [(name, call) for name, call in self._undos if name != step]
        self._undos.append((step, undo))

    def forget(self) -> None:
        """The process has reached its point of no return."""
        self._undos.clear()

    async def compensate(self) -> list[UndoneStep]:
        """Undo everything, newest first, and say what became of each step."""
        outcomes = []
        while self._undos:
            step, undo = self._undos[-1]
            outcomes.append(UndoneStep(step=step, outcome=await self._undo(step, undo)))
            self._undos.pop()
        return outcomes

    async def _undo(self, step: str, undo: Callable[[], Awaitable[object]]) -> str:
        while True:
            try:
                result = await undo()
                return "undone" if result not in (None, 0) else "nothing to undo"
            except (ActivityError, ApplicationError) as error:
                # A local activity's failure arrives as ApplicationError: both must compensate.
                if not await self.on_failure(step, error):
                    return "settled by hand"
