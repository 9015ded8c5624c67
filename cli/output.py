"""What a command shows: one JSON document, or tables and sentences for people.

A command hands over its data together with the way to draw it, so that both forms say the same.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.exit_codes import Stop

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

Draw = Callable[["Console"], None]

STATE_STYLES = {
    **dict.fromkeys(
        ("green", "done", "active", "ok", "running", "confirmed", "applied", "resolved"), "green"
    ),
    **dict.fromkeys(("red", "blocked", "failed", "rejected", "poison", "not ready", "broken"), "bold red"),
    **dict.fromkeys(
        ("pending", "waiting", "ambiguous", "awaiting second person", "needs attention", "intent"), "yellow"
    ),
    **dict.fromkeys(("skipped", "undone", "cancelled", "stopped", "external", "not required"), "dim"),
}
"""One colour per meaning on every screen; the word is always there too."""


class Output:
    """Standard output for data, standard error for progress and errors."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @property
    def console(self) -> "Console":
        from rich.console import Console

        return Console(highlight=False, soft_wrap=False)

    @property
    def live(self) -> bool:
        """Whether a moving picture makes sense: a person looks at a terminal."""
        return not self.as_json and sys.stdout.isatty()

    def show(self, document: object, draw: Draw) -> None:
        """The data, as one JSON document or drawn for people."""
        if self.as_json:
            print(as_json_text(document), flush=True)
        else:
            draw(self.console)

    def note(self, line: str) -> None:
        """Progress for people, on standard error: never part of the data."""
        if not self.as_json:
            from rich.console import Console

            Console(stderr=True, highlight=False).print(line, style="dim", markup=False)

    def error(self, stop: Stop) -> None:
        """Why a command ended: a sentence and its cure, or the JSON document in place of the data."""
        if self.as_json:
            error = {"code": stop.code.name.lower(), "exit": int(stop.code), "message": stop.message}
            print(as_json_text({"error": error | ({"cure": stop.cure} if stop.cure else {})}), flush=True)
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(stderr=True, highlight=False)
        console.print(Text.assemble(("Error  ", "bold red"), stop.message))
        if stop.cure:
            console.print(Text.assemble(("Do     ", "bold"), stop.cure))


def as_json_text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """Money and other decimals stay exact as text; times are ISO 8601."""
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no JSON form")


def table(*columns: str, fold: Iterable[str] = (), right: Iterable[str] = (), title: str = "") -> "Table":
    """An open table. Columns of `fold` break anywhere (ids, addresses), those of `right` hold figures."""
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=title or None, title_justify="left", header_style="bold"
    )
    folding, figures = set(fold), set(right)
    for name in columns:
        made.add_column(
            name,
            overflow="fold",
            justify="right" if name in figures else "left",
            no_wrap=name in figures,
            min_width=None if name in folding else min(len(name), 12),
        )
    return made


def fields(rows: Sequence[tuple[str, "RenderableType"]]) -> "Table":
    """Label and value, one per line; empty values are left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in rows:
        if str(value):
            grid.add_row(label, value)
    return grid


def address(console: "Console", label: str, url: str) -> None:
    """One address on one line, however long, so that it can be clicked and copied whole."""
    from rich.text import Text

    if url:
        console.print(Text.assemble((f"{label}  ", "dim"), url), soft_wrap=True)


def state(word: str) -> "RenderableType":
    """A state as a coloured word."""
    from rich.text import Text

    spoken = word.replace("_", " ")
    return Text(spoken, style=STATE_STYLES.get(spoken, ""))


def plain(text: str) -> "RenderableType":
    """Text that may hold square brackets, such as `lines[2].amount`, which are no markup."""
    from rich.text import Text

    return Text(text, overflow="fold")


def local_time(moment: datetime | None, *, seconds: bool = False) -> str:
    if moment is None:
        return ""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if seconds else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 process`, `3 processes`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def until(moment: datetime | None, now: datetime | None = None) -> str:
    """How long until `moment`, or how long it is overdue: `in 23 h`, `2 d overdue`."""
    if moment is None:
        return ""
    left = (moment - (now or datetime.now(UTC))).total_seconds()
    amount = abs(left)
    for size, unit in ((86400 * 2, "d"), (3600, "h"), (60, "min")):
        if amount >= size:
            spoken = f"{amount // (86400 if unit == 'd' else size):.0f} {unit}"
            break
    else:
        spoken = f"{amount:.0f} s"
    return f"in {spoken}" if left >= 0 else f"{spoken} overdue"
