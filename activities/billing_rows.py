"""Rows of billing as activities need them: present, approved, and with their ids in the systems."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError

from domain.invoice_state import InvoiceRow
from domain.project_contract import ProjectContract
from store.ports import StaleReference, Store, StoreError

APPROVAL_VOID = "ApprovalVoid"


@contextmanager
def store_refusals() -> Iterator[None]:
    """What the store refuses for good fails at once and has an owner; a store out of reach is repeated."""
    try:
        yield
    except StoreError as error:
        if error.__cause__ is not None:
            raise
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error


class BillingRows:
    """Reads of the billing store that fail in the classes workflows know."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def invoice(self, id: str) -> InvoiceRow:
        """Fails with `StaleReference` when the row is gone."""
        row = await self._store.billing.invoice(id)
        if row is None:
            raise ApplicationError(
                f"invoice {id} is not in the store (restored backup?)",
                type=StaleReference.__name__,
                non_retryable=True,
            )
        return row

    async def approved(self, id: str) -> InvoiceRow:
        """The row, if it may be written: `ApprovalVoid` when it lacks an approval of these very lines."""
        row = await self.invoice(id)
        if row.approval and (row.priced is None or row.priced.content_hash != row.approved_hash):
            raise _void(f"invoice {id} was changed after {row.approved_by} approved it: it is approved again")
        if row.approval_needed and not row.approval:
            raise _void(f"invoice {id} was not approved by a second person")
        return row

    async def contract(self, project: str, erp: str = "") -> ProjectContract:
        """The newest contract, its ids in `erp` and the PSA filled in from the cross-references.

        Fails with `Rejected` for a project whose billing has not begun.
        """
        contract = await self._store.billing.contract(project)
        if contract is None:
            raise ApplicationError(
                f"project {project} has no contract in the store: it was not activated by Fairlead, or its "
                "billing has not begun",
                type="Rejected",
                non_retryable=True,
            )
        if erp and not contract.erp_project:
            known = {
                system: id
                for system, kind, id in await self._store.references.of(f"project:{project}")
                if kind == "project"
            }
            contract = contract.with_changes(erp_project=known.get(erp, ""))
        return contract


def _void(text: str) -> ApplicationError:
    return ApplicationError(text, type=APPROVAL_VOID, non_retryable=True)
