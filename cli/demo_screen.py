"""The demo on a screen: its story as it goes, the process it is at, and the tables at its end."""

from typing import TYPE_CHECKING

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from cli.output import Output, plain, state, table
from domain.activation_process import ActivationView
from domain.billing_process import InvoiceView

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.books import TrialBalance
    from domain.money import Money
    from drill.demo_outcome import Line, Outcome
    from drill.demo_scenes import Shown


class Screen:
    """The story as it goes: lines that stay, and below them the live state of the process."""

    def __init__(self, out: Output) -> None:
        self._console = Console(stderr=out.as_json, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=True) if out.live else None

    def __enter__(self) -> "Screen":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self._live:
            self._live.stop()

    def tell(self, line: "Line") -> None:
        row = Table.grid(padding=(0, 1))
        row.add_column(width=6, justify="right", style="dim")
        row.add_column(width=11, style="bold cyan", no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(f"{line.at:.1f} s", line.who, plain(line.what))
        self._console.print(row)

    def service(self, line: str) -> None:
        self._console.print(plain(f"         {line}"), style="dim")

    def show(self, view: "Shown") -> None:
        if self._live:
            self._live.update(_picture(view))


def _picture(view: "Shown") -> "RenderableType":
    """Gates and steps of the process, as it stands."""
    parts: list[RenderableType] = []
    if isinstance(view, ActivationView):
        gates = table("Gate", "State")
        for gate in view.gates:
            gates.add_row(gate.gate.label, state(gate.state))
        parts.append(gates)
        name = view.deal_name or view.deal
    else:
        what = "invoice" if isinstance(view, InvoiceView) else "credit note"
        name = f"{what} of {view.project}{f', {view.gross} gross' if view.gross else ''}"
    steps = table("Step", "System", "State")
    for step in view.steps:
        steps.add_row(plain(step.label), plain(step.system), state(step.state))
    return Panel(Columns([*parts, steps]), title=f"{name}: {view.stage}", title_align="left")


def draw(console: Console, outcome: "Outcome", *, keep: bool) -> None:
    """What came of it."""
    console.print()
    title = f"Project {outcome.project}, from deal {outcome.deal} {outcome.deal_name}"
    console.print(plain(title), style="bold")
    console.print(Group(_made(outcome), _documents(outcome)))
    if outcome.trial_balance is not None:
        console.print(_books(outcome.trial_balance))
    console.print(plain("Living on: " + ", ".join(outcome.handed_over)), style="dim")
    console.print(
        f"{len(outcome.invoices)} invoices over {outcome.invoiced}, credited {outcome.credited}; "
        f"{outcome.entries_billed} entries billed, each once, {outcome.entries_above_cap} above the cap"
    )
    for difference in outcome.differences:
        console.print(plain(f"  {difference}"), style="red")
    console.print(_proof(outcome), style="bold green" if outcome.passed else "bold red")
    console.print(f"{outcome.seconds:.1f} s", style="dim")
    if keep:
        _draw_addresses(console, outcome)


def _made(outcome: "Outcome") -> Table:
    """Writes of one kind in one row: how many were meant, and how often each of them landed."""
    kinds: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for row in outcome.records:
        kinds.setdefault((row["system"], row["object"], row["operation"]), []).append(row)
    made = table(
        *("System", "Object", "Write", "Ids", "Effects", "Landed each"),
        fold=("Ids",),
        right=("Effects", "Landed each"),
    )
    for (system, what, operation), rows in kinds.items():
        ids = dict.fromkeys(row["id"] for row in rows)
        landed = "–".join(dict.fromkeys(sorted(row["count"] for row in rows)))
        made.add_row(system, what, operation, plain(", ".join(ids)), str(len(rows)), landed)
    return made


def _documents(outcome: "Outcome") -> Table:
    drawn = table(
        *("Document", "Number", "State", "Net", "Tax", "Gross", "Entries"),
        right=("Net", "Tax", "Gross", "Entries"),
        title=f"In {outcome.invoiced.currency}",
    )
    for one in outcome.documents:
        amounts = [_figure(amount) for amount in (one.net, one.tax, one.gross)]
        drawn.add_row(one.kind, plain(one.number), state(one.state), *amounts, str(one.entries or ""))
    return drawn


def _figure(amount: "Money") -> str:
    """Without its currency, which stands above the table: a line of 80 characters holds them all."""
    return str(amount).removesuffix(f" {amount.currency}")


def _books(balance: "TrialBalance") -> Table:
    drawn = table("Account", "Name", "Debit", "Credit", right=("Debit", "Credit"))
    drawn.title = f"Trial balance of {balance.entity} on {balance.as_of}, as Tryton adds it up"
    drawn.title_justify = "left"
    for line in balance.accounts:
        sides = (str(side) if side.amount else "" for side in (line.debit, line.credit))
        drawn.add_row(plain(line.account), plain(line.name), *sides)
    drawn.add_row("", "sum", str(balance.debit), str(balance.credit), style="bold")
    return drawn


def _draw_addresses(console: Console, outcome: "Outcome") -> None:
    console.print()
    for name, text in outcome.addresses.items():
        # Never broken by us: an address is copied or clicked.
        console.print(plain(f"{name.replace('_', ' '):<8} {text}"), soft_wrap=True)
    console.print(
        plain(f"Go on in this firm: source {outcome.addresses['home']}/env.sh; end it: fairlead down")
    )


def _proof(outcome: "Outcome") -> str:
    return (
        f"faults injected {outcome.faults_injected}, crash points hit {outcome.crash_points_hit}, "
        f"workers killed {outcome.worker_kills}, effects {outcome.effects}, "
        f"effects lost {outcome.effects_lost}, effects doubled {outcome.effects_doubled}"
    )
