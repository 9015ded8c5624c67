"""Between Salesforce's records and the canonical objects: pure, both ways, never raising on bad data.

In: `to_deal`, `to_summary`. Out: `mark_body`, `billing_body`; `mark_record`, `billing_record` read them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from connectors.salesforce.fields import object_of
from connectors.salesforce.models import AccountRow, ContractRow, LineRow, OpportunityRow, Row
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.understanding import Cell, Reading
from domain.billing_commands import MarkBilling
from domain.commands import MarkDeal, Record
from domain.identity import canonical_id
from domain.money import Money, MoneyError
from domain.readiness import Finding, Gate
from domain.selling import (
    Address,
    BillingMethod,
    Contract,
    ContractLine,
    Customer,
    CustomerPO,
    Deal,
    DealSummary,
)


@dataclass(frozen=True, slots=True)
class Source:
    """One record as a giver of cells, by canonical path or by standard field name."""

    row: Row
    settings: SalesforceSettings
    prefix: str = ""
    """Configured fields of this record, such as `contract.` (empty for the opportunity)."""
    path: str = ""
    """Prefix of the paths in findings, such as `lines[2].`."""

    def cell(self, name: str) -> Cell:
        """The cell of a configured field; empty where the org has none."""
        column = self.settings.fields[self.prefix + name]
        return self.standard(column, name)

    def standard(self, column: str, name: str) -> Cell:
        thing = object_of(self.prefix) if self.prefix else "Opportunity"
        return Cell(self.path + name, f"{thing}.{column}", self.row.column(column))


def to_deal(system: str, settings: SalesforceSettings, row: OpportunityRow, lines: Sequence[LineRow]) -> Deal:
    """The deal with everything understood, and a finding for everything that was not."""
    reading = Reading()
    source = Source(row, settings)
    currency = _currency(reading, source.cell("currency"), settings)
    return Deal(
        id=canonical_id("deal", system, row.id),
        external_id=row.id,
        name=row.name,
        kind=_kind(reading, source, settings),
        stage=row.stage or "",
        won=row.won,
        currency=currency,
        region=reading.text(source.cell("region")),
        starts_on=reading.day(source.cell("starts_on")),
        ends_on=reading.day(source.cell("ends_on")),
        owner_email=row.owner.email if row.owner else None,
        project_manager_email=reading.text(source.cell("project_manager_email")),
        customer=_customer(system, settings, reading, row.account),
        contract=_contract(system, settings, reading, row.contract, lines, currency),
        version=newest(row, *lines),
        findings=tuple(reading.findings),
    )


def to_summary(settings: SalesforceSettings, row: OpportunityRow) -> DealSummary:
    """One row of a list of deals."""
    reading, source = Reading(), Source(row, settings)
    currency = _currency(reading, source.cell("currency"), settings)
    amount = reading.money(source.standard("Amount", "amount"), currency)
    contract = row.contract and Source(row.contract, settings, "contract.", "contract.")
    return DealSummary(
        external_id=row.id,
        name=row.name,
        customer=row.account.name if row.account else "",
        amount=str(amount.amount) if amount else "",
        currency=currency or "",
        billing_entity=reading.text(contract.cell("billing_entity")) if contract else None,
        signed_on=reading.day(contract.standard("CustomerSignedDate", "signed_on")) if contract else None,
        status=reading.text(Source(row, settings, "mark.").cell("status")) or "",
        version=newest(row),
    )


def newest(row: OpportunityRow, *lines: LineRow) -> datetime:
    """The version of a deal: the latest change of the opportunity, its account, contract and lines."""
    return max(part.changed_at for part in (row, row.account, row.contract, *lines) if part is not None)


def mark_body(settings: SalesforceSettings, command: MarkDeal, key: str) -> dict[str, Any]:
    """Fields of the opportunity that tell what has become of the deal, with the effect key."""
    names = settings.fields
    return {
        names["mark.status"]: command.status,
        names["mark.project_number"]: command.project_number or None,
        names["mark.key"]: key,
    }


def mark_record(
    settings: SalesforceSettings, columns: Mapping[str, Any], *, url: str = "", request_id: str = ""
) -> Record:
    """What the opportunity shows of the fields of `mark_body`."""
    names = settings.fields
    shown = {name: str(columns.get(names[f"mark.{name}"]) or "") for name in ("status", "project_number")}
    return Record(external_id=str(columns["Id"]), fields=shown, url=url, request_id=request_id)


def billing_body(settings: SalesforceSettings, command: MarkBilling, key: str) -> dict[str, Any]:
    """Fields of the opportunity that tell what has been billed, with the effect key."""
    names = settings.fields
    body: dict[str, Any] = {
        names["billing.last_invoice"]: command.last_invoice,
        names["billing.invoiced"]: command.invoiced.amount,
        names["billing.key"]: key,
    }
    if names["billing.invoiced_on"]:
        body[names["billing.invoiced_on"]] = command.invoiced_on.isoformat()
    return body


def billing_record(
    settings: SalesforceSettings, columns: Mapping[str, Any], *, url: str = "", request_id: str = ""
) -> Record:
    """What the opportunity shows of the fields of `billing_body`.

    An amount that is none of the currency shows as it is; in an unknown currency none is shown.
    """
    names = settings.fields
    amount = columns.get(names["billing.invoiced"])
    currency = deal_currency(settings, columns)
    try:
        invoiced = str(Money.of(amount, currency))
    except MoneyError:
        invoiced = "" if amount is None else f"{amount} {currency}".strip()
    fields = {"last_invoice": str(columns.get(names["billing.last_invoice"]) or "")}
    if currency:
        fields["invoiced"] = invoiced
    return Record(external_id=str(columns["Id"]), fields=fields, url=url, request_id=request_id)


def deal_currency(settings: SalesforceSettings, columns: Mapping[str, Any]) -> str:
    """The opportunity's currency; in an org without multi-currency the firm's one."""
    name = settings.fields["currency"]
    return str(columns.get(name) or "") if name else settings.currency


def _kind(
    reading: Reading, source: Source, settings: SalesforceSettings
) -> Literal["new", "change_order", "renewal"]:
    if reading.flag(source.cell("is_change_order"), unclear=True):
        return "change_order"
    return "renewal" if source.row.column("Type") in settings.renewal_types else "new"


def _customer(
    system: str, settings: SalesforceSettings, reading: Reading, row: AccountRow | None
) -> Customer:
    if row is None:
        reading.findings.append(
            Finding(
                gate=Gate.CUSTOMER_DATA,
                field="customer",
                rule="customer.missing",
                message="Opportunity.AccountId is empty; choose the account the deal is for",
            )
        )
        return Customer(id=canonical_id("customer", system, ""), external_id="", name="")
    source = Source(row, settings, "customer.", "customer.")
    return Customer(
        id=canonical_id("customer", system, row.id),
        external_id=row.id,
        name=row.name,
        legal_name=reading.text(source.cell("legal_name")),
        tax_id=reading.text(source.cell("tax_id")),
        address=_address(reading, source),
        currency=_currency(reading, source.cell("currency"), settings),
        payment_terms=reading.text(source.cell("payment_terms")),
        # Fail closed: a hold that cannot be read is a hold.
        credit_hold=reading.flag(source.cell("credit_hold"), unclear=True),
    )


def _address(reading: Reading, source: Source) -> Address:
    return Address(
        street=reading.text(source.standard("BillingStreet", "address.street")) or "",
        city=reading.text(source.standard("BillingCity", "address.city")) or "",
        postal_code=reading.text(source.standard("BillingPostalCode", "address.postal_code")) or "",
        state=reading.text(source.cell("address.state")) or "",
        country=reading.country(source.cell("address.country")),
    )


def _contract(
    system: str,
    settings: SalesforceSettings,
    reading: Reading,
    row: ContractRow | None,
    lines: Sequence[LineRow],
    deal_currency: str | None,
) -> Contract | None:
    if row is None:
        return None
    source = Source(row, settings, "contract.", "contract.")
    currency = _currency(reading, source.cell("currency"), settings) or deal_currency
    return Contract(
        id=canonical_id("contract", system, row.id),
        external_id=row.id,
        number=row.number,
        status=reading.text(source.standard("Status", "status")) or "",
        value=reading.money(source.cell("value"), currency),
        signed_on=reading.day(source.standard("CustomerSignedDate", "signed_on")),
        starts_on=reading.day(source.standard("StartDate", "starts_on")),
        ends_on=reading.day(source.standard("EndDate", "ends_on")),
        billing_entity=reading.text(source.cell("billing_entity")),
        rate_card=reading.text(source.cell("rate_card")),
        retention_percent=reading.percent(source.cell("retention_percent")),
        customer_po=_customer_po(reading, source, currency),
        lines=_lines(system, settings, reading, lines, deal_currency),
    )


def _customer_po(reading: Reading, source: Source, currency: str | None) -> CustomerPO | None:
    number = reading.text(source.cell("customer_po.number"))
    if number is None:
        return None
    return CustomerPO(
        number=number,
        amount=reading.money(source.cell("customer_po.amount"), currency),
        expires_on=reading.day(source.cell("customer_po.expires_on")),
    )


def _lines(
    system: str,
    settings: SalesforceSettings,
    reading: Reading,
    rows: Sequence[LineRow],
    currency: str | None,
) -> tuple[ContractLine, ...]:
    ordered = sorted(rows, key=lambda row: (_sort_order(row) or 0, row.id))
    given = [_sort_order(row) for row in ordered]
    # A line keeps its number when another is removed, as long as the org numbers its lines.
    numbered = all(given) and len(set(given)) == len(given)
    return tuple(
        _line(system, Source(row, settings, "lines.", f"lines[{number}]."), reading, currency, number)
        for index, row in enumerate(ordered)
        for number in [given[index] if numbered else index + 1]
        if number is not None
    )


def _line(system: str, source: Source, reading: Reading, currency: str | None, number: int) -> ContractLine:
    settings = source.settings
    method = reading.choice(source.cell("billing_method"), settings.billing_methods, "billing_method.unknown")
    due = reading.day(source.standard("ServiceDate", "due_on"))
    return ContractLine(
        id=canonical_id("line", system, source.row.id),
        number=number,
        name=reading.text(source.cell("name")) or reading.text(source.standard("Name", "name")) or "",
        billing_method=method,
        revenue_method=reading.choice(
            source.cell("revenue_method"), settings.revenue_methods, "revenue_method.unknown"
        ),
        quantity=reading.number(source.standard("Quantity", "quantity"), "quantity"),
        unit_price=reading.number(source.standard("UnitPrice", "unit_price"), "unit_price"),
        amount=reading.money(source.standard("TotalPrice", "amount"), currency),
        cap=reading.money(source.cell("cap"), currency),
        due_on=due if method is BillingMethod.MILESTONE else None,
        starts_on=reading.day(source.cell("starts_on")),
        ends_on=reading.day(source.cell("ends_on")),
        frequency=reading.choice(source.cell("frequency"), settings.frequencies, "frequency.unknown"),
        role=reading.text(source.cell("role")),
        grade=reading.text(source.cell("grade")),
        skills=_skills(reading.text(source.cell("skills"))),
        subcontracted=reading.flag(source.cell("subcontracted"), unclear=True),
        supplier=reading.text(source.cell("supplier")),
        billing_authority=settings.billing_authority,
        revenue_authority=settings.revenue_authority,
    )


def _skills(text: str | None) -> tuple[str, ...]:
    """A multi-select picklist or plain text, separated by semicolons."""
    return tuple(skill.strip() for skill in (text or "").split(";") if skill.strip())


def _sort_order(row: LineRow) -> int | None:
    value = row.column("SortOrder")
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _currency(reading: Reading, cell: Cell, settings: SalesforceSettings) -> str | None:
    """The record's currency; in an org without multi-currency the firm's one."""
    if not cell.place.partition(".")[2]:
        return settings.currency or None
    return reading.currency(cell)
