"""Running `fairlead` in a test: a home with firm, credentials and store, and nothing that listens."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from typer.testing import CliRunner, Result

from cli.main import build
from store.sql.address import sqlite_url
from store.sql.engine import SqlStore, open_store

T = TypeVar("T")
TOMAS = "tomas.lindqvist@fairlead.example"
"""Operator and billing lead of the example firm."""
CONTROLLER = "controller@fairlead.example"


@dataclass(frozen=True)
class LocalFirm:
    """A firm's home on disk; Temporal, gateway and systems are not there."""

    home: Path

    def fairlead(self, *arguments: str) -> Result:
        return CliRunner().invoke(build(), list(arguments))

    def json(self, *arguments: str) -> Any:
        """The one JSON document of a command; fails unless standard output is exactly that."""
        return json.loads(self.fairlead(*arguments, "--json").stdout)

    def with_store(self, work: Callable[[SqlStore], Awaitable[T]]) -> T:
        async def run() -> T:
            store = open_store(sqlite_url(self.home / "fairlead.db"))
            try:
                return await work(store)
            finally:
                await store.aclose()

        return asyncio.run(run())


def words(text: str) -> str:
    """What was printed, without the line breaks of the terminal's width."""
    return " ".join(text.split())
