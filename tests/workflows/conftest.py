"""Fixtures of the workflow tests."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.activation_firm import Firm, running_firm
from tests.support.billing_firm import BillingFirm, eur, running_billing, terms


@pytest.fixture
async def firm(temporal_env: WorkflowEnvironment, store: Any) -> AsyncIterator[Firm]:
    """A firm on the shared dev server, with a task queue of its own."""
    async with running_firm(temporal_env.client, store) as firm:
        yield firm


@pytest.fixture
async def billing(temporal_env: WorkflowEnvironment, store: Any) -> AsyncIterator[BillingFirm]:
    """A firm that bills, on the shared dev server."""
    async with running_billing(temporal_env.client, store) as firm:
        yield firm


@pytest.fixture
async def large(billing: BillingFirm) -> BillingFirm:
    """A firm whose invoices are above the limit."""
    await billing.contract(terms=terms(approval_limit=eur(1000), prebill=True))
    await billing.work("1", 10)
    return billing
