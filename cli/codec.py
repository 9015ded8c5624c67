"""`fairlead codec`: the key by which what Temporal stores is sealed."""

from typing import TYPE_CHECKING

import typer

from cli.command import command, new_group
from cli.context import Session
from cli.output import plain

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("What Temporal stores, sealed.")
    command(group, "keygen", example="fairlead codec keygen")(keygen)
    app.add_typer(group, name="codec", rich_help_panel="Run a firm")


async def keygen(session: Session) -> None:
    """Print a new key, and keep it nowhere.

    Put it where a reference under [codec.keys] of the firm's file points to, on every machine; then name it
    in `active`. Keep the older keys as long as a history holds what they sealed.
    """
    from runtime.codec import new_key

    key = new_key()

    def draw(console: "Console") -> None:
        console.print(plain(key), soft_wrap=True)

    session.out.show({"key": key}, draw)
