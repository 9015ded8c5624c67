"""From what changed to what is told of it: one function per occasion. Pure."""

from domain.activation_process import ActivationResult
from domain.attention import AttentionItem
from domain.commands import RequestStaffing
from domain.invoice_state import InvoiceRow
from domain.outbound import OutboxNote
from domain.outbound_events import (
    ACTIVATION_CANCELLED,
    DEMAND_PUBLISHED,
    DEMAND_WITHDRAWN,
    EXCEPTION_RAISED,
    EXCEPTION_RESOLVED,
    INVOICE_CREDITED,
    INVOICE_POSTED,
    PROJECT_ACTIVATED,
    ActivationCancelled,
    DemandPublished,
    DemandWithdrawn,
    ExceptionRaised,
    ExceptionResolved,
    InvoiceCredited,
    InvoicePosted,
    ProjectActivated,
    SystemObject,
)


def demand_published(key: str, project: str, asked: RequestStaffing, request: str) -> OutboxNote:
    """The PSA has the resource request, as `request`; `key` is the effect key of the write."""
    seat = asked.seat
    data = DemandPublished(
        project=project,
        request=request,
        ref=seat.ref,
        role=seat.role,
        grade=seat.grade,
        skills=seat.skills,
        hours=seat.hours,
        starts_on=seat.starts_on,
        ends_on=seat.ends_on,
        revision=asked.revision,
    )
    return DEMAND_PUBLISHED.note(key, data)


def demand_withdrawn(key: str, project: str, asked: RequestStaffing, request: str) -> OutboxNote:
    """The resource request that was made under `key` was taken back."""
    data = DemandWithdrawn(
        project=project,
        request=request,
        ref=asked.seat.ref,
        role=asked.seat.role,
        revision=asked.revision,
    )
    return DEMAND_WITHDRAWN.note(key, data)


def activation_ended(process: str, result: ActivationResult) -> OutboxNote:
    """The activation with this key has ended, one way or the other."""
    key = f"{process}/{result.generation}"
    if result.state == "cancelled":
        cancelled = ActivationCancelled(
            deal=result.deal, project=result.project, generation=result.generation
        )
        return ACTIVATION_CANCELLED.note(key, cancelled)
    records = tuple(
        SystemObject(system=one.system, object=one.noun, id=one.external_id, number=one.number)
        for one in result.records
    )
    activated = ProjectActivated(
        project=result.project, deal=result.deal, generation=result.generation, records=records
    )
    return PROJECT_ACTIVATED.note(key, activated)


def invoice_posted(row: InvoiceRow) -> tuple[OutboxNote, ...]:
    """The invoice as the ERP posted it; nothing while the ERP's amounts are not known."""
    if row.erp_net is None or row.erp_tax is None:
        return ()
    data = InvoicePosted(
        invoice=row.id,
        number=row.number,
        project=row.project,
        entity=row.entity,
        customer=row.customer,
        currency=row.erp_net.currency,
        net=row.erp_net.amount,
        tax=row.erp_tax.amount,
        gross=(row.erp_net + row.erp_tax).amount,
        dated=row.dated,
        due_on=row.due_on,
        service_from=row.service_from,
        service_to=row.service_to,
    )
    return (INVOICE_POSTED.note(row.id, data),)


def invoice_credited(row: InvoiceRow) -> tuple[OutboxNote, ...]:
    """The credit note `row` as the ERP posted it. It bears its invoice's sign."""
    if row.erp_net is None or row.erp_tax is None:
        return ()
    data = InvoiceCredited(
        invoice=row.credits,
        credit_note=row.id,
        number=row.number,
        project=row.project,
        entity=row.entity,
        customer=row.customer,
        currency=row.erp_net.currency,
        net=row.erp_net.amount,
        tax=row.erp_tax.amount,
        gross=(row.erp_net + row.erp_tax).amount,
        dated=row.dated,
        reason=row.credit_reason or "",
    )
    return (INVOICE_CREDITED.note(row.id, data),)


def exception_told(item: AttentionItem) -> OutboxNote:
    """That a process waits for a person, once; and once that it does so no longer."""
    whose = {"exception": item.id, "process": item.process, "step": item.step, "owner": item.owner.value}
    if item.state == "resolved":
        return EXCEPTION_RESOLVED.note(item.id, ExceptionResolved.model_validate(whose))
    times = {"raised_at": item.raised_at, "due_at": item.due_at}
    return EXCEPTION_RAISED.note(item.id, ExceptionRaised.model_validate(whose | times))
