"""What Fairlead writes on a deal: its status (`MarkDeal`) and what has been billed of it (`MarkBilling`).

Each is one PATCH of the opportunity, with the effect key in a field of its own, so that a look-up of the deal
tells whether this very mark landed. The two have different key fields: one never hides the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import Ambiguous, Rejected
from connectors.http.landed import landed
from connectors.salesforce import mapping
from connectors.salesforce.api import SalesforceApi
from connectors.salesforce.models import require
from connectors.salesforce.settings import SalesforceSettings
from domain.billing_commands import MarkBilling
from domain.commands import Command, MarkDeal, Record

Mark = MarkDeal | MarkBilling


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of mark stands on an opportunity."""

    prefix: str
    """Of its fields in the settings."""
    needs: tuple[str, ...]
    """Fields that the org must have for it."""
    body: Callable[[SalesforceSettings, Any, str], dict[str, Any]]
    record: Callable[..., Record]


FORMS: Mapping[type[Command], Form] = {
    MarkDeal: Form("mark.", ("key", "status", "project_number"), mapping.mark_body, mapping.mark_record),
    MarkBilling: Form(
        "billing.",
        ("key", "last_invoice", "invoiced"),
        mapping.billing_body,
        mapping.billing_record,
    ),
}


class Marks:
    """Marks of one org."""

    def __init__(self, name: str, settings: SalesforceSettings, api: SalesforceApi) -> None:
        self._name = name
        self._settings = settings
        self._api = api

    def known(self, command: Command) -> Mark:
        """The command, if it is one of these. Raises `TypeError`."""
        if isinstance(command, MarkDeal | MarkBilling):
            return command
        names = " and ".join(kind.__name__ for kind in FORMS)
        raise TypeError(f"{type(command).__name__} is not a command of a CRM; {self._name} writes {names}")

    async def find(self, mark: Mark, key: str) -> Record | None:
        """The mark that landed under `key`, as the opportunity shows it now; None when it did not."""
        operation = f"look up {mark.noun} of deal {mark.deal_external_id}"
        columns, request_id = await self._columns(mark, operation, missing_ok=True)
        return self._record(mark, columns, key, request_id)

    async def apply(self, mark: Mark, key: str) -> Record:
        """Write the mark with its key, and read both back.

        Raises `NotFound` for an unknown deal, `Rejected` for an amount in another currency than the deal's,
        `Ambiguous` when the read-back does not show our key.
        """
        operation = f"write {mark.noun} of deal {mark.deal_external_id}"
        if isinstance(mark, MarkBilling):
            await self._check_currency(mark, operation)
        body = FORMS[type(mark)].body(self._settings, mark, key)
        await self._api.update("Opportunity", mark.deal_external_id, body, operation=operation)
        with landed(f"{self._name}: {operation}"):
            columns, request_id = await self._columns(mark, operation)
            record = self._record(mark, columns, key, request_id)
            if record is None:
                raise Ambiguous(
                    f"{self._name}: {operation}: accepted, but the deal does not show our key (yet)",
                    system=self._name,
                    operation=operation,
                )
            return record

    async def _check_currency(self, mark: MarkBilling, operation: str) -> None:
        """A currency field holds a number only: in another currency it would be another amount."""
        columns, _ = await self._columns(mark, operation)
        held = mapping.deal_currency(self._settings, columns or {})
        if held and held != mark.invoiced.currency:
            raise Rejected(
                f"{self._name}: {operation}: {mark.invoiced} was invoiced, but the deal is in {held}",
                system=self._name,
                operation=operation,
                field=f"Opportunity.{self._settings.fields['billing.invoiced']}",
                rule="currency.other",
            )

    async def _columns(
        self, mark: Mark, operation: str, *, missing_ok: bool = False
    ) -> tuple[Mapping[str, Any] | None, str]:
        names = self._names(mark, operation)
        answer = await self._api.retrieve(
            "Opportunity", mark.deal_external_id, names, operation=operation, missing_ok=missing_ok
        )
        if answer is None:
            return None, ""
        columns = answer.body if isinstance(answer.body, Mapping) else {}
        require(columns, names, thing="Opportunity", system=self._name, operation=operation)
        return columns, answer.request_id

    def _names(self, mark: Mark, operation: str) -> list[str]:
        """Columns of the mark. Raises `Rejected` where the org has no field for a needed one."""
        form, fields = FORMS[type(mark)], self._settings.fields
        for name in form.needs:
            if not fields[form.prefix + name]:
                raise Rejected(
                    f"{self._name}: {operation}: the firm's file names no field for {form.prefix}{name}; "
                    "give one under `fields` of this system",
                    system=self._name,
                    operation=operation,
                    field=form.prefix + name,
                    rule="settings.field",
                )
        own = [name for path, name in fields.items() if path.startswith(form.prefix) and name]
        money = [fields["currency"]] if isinstance(mark, MarkBilling) and fields["currency"] else []
        return ["Id", *own, *money]

    def _record(
        self, mark: Mark, columns: Mapping[str, Any] | None, key: str, request_id: str
    ) -> Record | None:
        """The mark as the deal shows it, when it shows `key`; None otherwise."""
        form = FORMS[type(mark)]
        if columns is None or columns[self._settings.fields[f"{form.prefix}key"]] != key:
            return None
        url = f"{self._api.http.base_url}/{columns['Id']}"
        return form.record(self._settings, columns, url=url, request_id=request_id)
