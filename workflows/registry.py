"""Every workflow there is. A test asserts that none is missing and that each names its owner."""

from workflows.credit import InvoiceCredit
from workflows.intake_tick import WakeTimePosting
from workflows.invoice import Invoice
from workflows.project_activation import ProjectActivation
from workflows.project_billing import ProjectBilling
from workflows.resource_sync import ResourceSync
from workflows.resource_tick import WakeResourceSync
from workflows.subcontractor_procurement import SubcontractorProcurement
from workflows.tick import PollPurchaseOrders, PollReleasedInvoices, PollSignedDeals
from workflows.time_posting import TimePosting
from workflows.watch import Watch

WORKFLOWS = [
    ProjectActivation,
    ProjectBilling,
    Invoice,
    InvoiceCredit,
    SubcontractorProcurement,
    PollPurchaseOrders,
    PollReleasedInvoices,
    PollSignedDeals,
    TimePosting,
    WakeTimePosting,
    Watch,
    ResourceSync,
    WakeResourceSync,
]
