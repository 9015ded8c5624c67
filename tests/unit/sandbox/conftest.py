"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.sandbox.salesforce_org import Org


@pytest.fixture
async def org(tmp_path: Path) -> AsyncIterator[Org]:
    org = Org(tmp_path)
    await org.login()
    yield org
    await org.close()
