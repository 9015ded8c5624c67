"""What the demo tells and shows: a line of the story, the documents it made, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.books import InvoiceFacts, TrialBalance
from domain.invoice_state import InvoiceRow
from domain.money import Money, total


class DemoFailed(RuntimeError):
    """The story did not go as it should; the text says where it stood."""


@dataclass(frozen=True)
class Line:
    """One line of the story: who, what, and seconds since the start."""

    at: float
    who: str
    what: str


@dataclass(frozen=True)
class Document:
    """An invoice or credit note as the ERP shows it at the end; a credit note is below zero."""

    kind: str
    process: str
    project: str
    number: str
    state: str
    net: Money
    tax: Money
    gross: Money
    entries: int
    """Entries of time it bills, or takes back."""

    @classmethod
    def of(cls, row: InvoiceRow, facts: InvoiceFacts, entries: int) -> "Document":
        kind = "credit note" if row.credits else "rebill" if row.rebills else "invoice"
        amounts = (facts.net, facts.tax, facts.gross)
        return cls(kind, row.id, row.project, facts.number, facts.state, *amounts, entries)

    @property
    def is_invoice(self) -> bool:
        return self.kind != "credit note"

    def as_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "process": self.process,
            "project": self.project,
            "number": self.number,
            "state": self.state,
            "net": str(self.net),
            "tax": str(self.tax),
            "gross": str(self.gross),
            "entries": self.entries,
        }


@dataclass
class Outcome:
    """What the demo shows at its end."""

    project: str = ""
    deal: str = ""
    deal_name: str = ""
    currency: str = ""
    records: list[dict[str, str]] = field(default_factory=list)
    handed_over: list[str] = field(default_factory=list)
    documents: Sequence[Document] = ()
    entries_billed: int = 0
    """Each is on exactly one invoice that stands."""
    entries_above_cap: int = 0
    effects: int = 0
    effects_lost: int = 0
    effects_doubled: int = 0
    faults_injected: int = 0
    worker_kills: int = 0
    crash_points_hit: int = 0
    webhook_deliveries: int = 0
    differences: list[str] = field(default_factory=list)
    """Where the books do not say what Fairlead says: sums, entries billed twice or not at all."""
    trial_balance: TrialBalance | None = None
    paid: str = ""
    """Number of the invoice that the customer has paid."""
    seconds: float = 0.0
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        wrong = self.effects_lost or self.effects_doubled or self.differences
        balanced = self.trial_balance is None or self.trial_balance.balanced
        return bool(self.project) and bool(self.documents) and balanced and not wrong

    @property
    def invoices(self) -> list[Document]:
        return [document for document in self.documents if document.is_invoice]

    @property
    def invoiced(self) -> Money:
        """Gross of all invoices, those included that were credited later."""
        return total([document.gross for document in self.invoices], self.currency)

    @property
    def credited(self) -> Money:
        """Gross of all credit notes, above zero."""
        notes = [-document.gross for document in self.documents if not document.is_invoice]
        return total(notes, self.currency)

    def as_json(self) -> dict[str, object]:
        return {
            "project": self.project,
            "deal": self.deal,
            "deal_name": self.deal_name,
            "systems": self.records,
            "handed_over": self.handed_over,
            "invoice_count": len(self.invoices),
            "invoiced_total": str(self.invoiced),
            "credited_total": str(self.credited),
            "entries_billed": self.entries_billed,
            "entries_above_cap": self.entries_above_cap,
            "invoices": [document.as_json() for document in self.documents],
            "effects": self.effects,
            "effects_lost": self.effects_lost,
            "effects_doubled": self.effects_doubled,
            "faults_injected": self.faults_injected,
            "worker_kills": self.worker_kills,
            "crash_points_hit": self.crash_points_hit,
            "webhook_deliveries": self.webhook_deliveries,
            "differences": self.differences,
            "seconds": round(self.seconds, 1),
            "addresses": self.addresses,
            "passed": self.passed,
            **self._books_as_json(),
        }

    def _books_as_json(self) -> dict[str, object]:
        """As read from the ERP; empty where its ledger is not a real one."""
        if self.trial_balance is None:
            return {}
        return {
            "trial_balance_debit": str(self.trial_balance.debit),
            "trial_balance_credit": str(self.trial_balance.credit),
            "paid": self.paid,
        }
