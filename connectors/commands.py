"""The commands a connector writes: for each, how it is found by its key and how it is applied."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.commands import Command, Record

Find = Callable[[Any, str], Awaitable[Record | None]]
Apply = Callable[[Any, str], Awaitable[Record]]
Effects = Mapping[type[Command], tuple[Find, Apply]]


class Commands:
    """`find` and `apply` of a `SystemPort`, each handed to what knows the command.

    Both raise `TypeError` for a command the connector does not know.
    """

    def __init__(self, system: str, effects: Effects) -> None:
        self._system = system
        self._effects = effects

    async def find(self, command: Command, key: str) -> Record | None:
        return await self._of(command)[0](command, key)

    async def apply(self, command: Command, key: str) -> Record:
        return await self._of(command)[1](command, key)

    def _of(self, command: Command) -> tuple[Find, Apply]:
        effect = self._effects.get(type(command))
        if effect is None:
            known = ", ".join(sorted(kind.__name__ for kind in self._effects))
            raise TypeError(f"{type(command).__name__} is no command of {self._system}, which writes {known}")
        return effect
