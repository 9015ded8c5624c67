"""Every workflow there is. A test asserts that none is missing and that each names its owner."""

from workflows.project_activation import ProjectActivation
from workflows.project_billing import ProjectBilling
from workflows.subcontractor_procurement import SubcontractorProcurement
from workflows.tick import PollSignedDeals

WORKFLOWS = [ProjectActivation, ProjectBilling, SubcontractorProcurement, PollSignedDeals]
