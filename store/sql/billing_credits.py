"""What credit notes may still take back of an invoice, whoever writes them at the same time. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from domain.invoice_state import InvoiceRow
from store.billing_ports import OverDrawn
from store.sql.billing_amounts import from_minor, to_minor


def check_left(credit: InvoiceRow, credited: InvoiceRow | None, others: Sequence[InvoiceRow]) -> None:
    """Raises `OverDrawn` when `credit`, beside the live credit notes `others`, takes back more of a line
    than it has, or an entry that one of them credits already."""
    named = set(credit.credited)
    for other in others:
        twice = sorted(named & set(other.credited))
        if twice:
            raise OverDrawn(f"credit note {credit.id} credits {twice[0]}, which {other.id} does already")
    whole, back = _nets([credited] if credited else []), _nets([*others, credit])
    for line, taken in back.items():
        billed = whole.get(line, 0)
        if abs(taken) > abs(billed) or taken * billed < 0:
            currency = credit.priced.currency if credit.priced else ""
            raise OverDrawn(
                f"credit note {credit.id} takes back too much of line {line} of invoice {credit.credits}:"
                f" with others {from_minor(taken, currency)} of {from_minor(billed, currency)}"
            )


def _nets(rows: Iterable[InvoiceRow]) -> dict[str, int]:
    """Net of each line, by its reference, in minor units."""
    nets: dict[str, int] = defaultdict(int)
    for row in rows:
        for priced in row.priced.lines if row.priced else ():
            nets[priced.line.ref] += to_minor(priced.line.net)
    return nets
