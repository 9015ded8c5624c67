"""Fixtures of the workflow tests."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.activation_firm import Firm, running_firm


@pytest.fixture
async def firm(temporal_env: WorkflowEnvironment, store: Any) -> AsyncIterator[Firm]:
    """A firm on the shared dev server, with a task queue of its own."""
    async with running_firm(temporal_env.client, store) as firm:
        yield firm
