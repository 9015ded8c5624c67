"""What alerts ask of Fairlead's own database: to be kept once, and what is so across all projects.

As in `store.ports`, every method is idempotent under repetition with the same arguments, and writes its
audit entries in its own transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from domain.alert_facts import StuckEvents
from domain.alert_state import Alert, AlertChanges, AlertRule, Condition
from domain.invoice_state import BillingEventRow, InvoiceRow, InvoiceStage
from store.ports import ProcessRow


class Alerts(Protocol):
    """One open alert for each condition; cleared ones are kept."""

    # -- keeping

    async def keep(
        self, rule: AlertRule, found: Sequence[Condition], *, at: datetime, escalate_after: timedelta
    ) -> AlertChanges:
        """What `rule` found at `at`, and that it found nothing else: alerts are raised, moved on, cleared.

        A look earlier than the last one of the rule changes nothing (a worker that came back late). Each
        raising, escalation and clearing is audited once, in the chain `alert:<id>`. Raises `StoreError`
        for conditions of another rule, and for two of one object.
        """

    async def get(self, id: str) -> Alert | None: ...

    async def list(
        self,
        *,
        open_only: bool = True,
        rule: AlertRule | None = None,
        owner: str | None = None,
        limit: int = 200,
    ) -> Sequence[Alert]:
        """Open ones before cleared ones, then the one that has lasted longest first."""

    async def looked(self) -> dict[AlertRule, datetime]:
        """When each rule was looked at last; one that never was is left out."""

    # -- looking

    async def open_events(self, due_by: date) -> Sequence[BillingEventRow]:
        """Billing events of all projects that are due by then, not void and on no live invoice."""

    async def quiet_invoices(self, stages: Sequence[InvoiceStage], since: datetime) -> Sequence[InvoiceRow]:
        """Invoices in these stages that have not changed since, the one longest unchanged first."""

    async def quiet_processes(self, kind: str, since: datetime) -> Sequence[ProcessRow]:
        """Running processes of a kind that have not changed since, the one longest unchanged first."""

    async def stuck_events(self, since: datetime) -> Sequence[StuckEvents]:
        """Events that are poison, and those received before `since` and not applied, in groups."""
