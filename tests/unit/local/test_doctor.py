"""Each check says what it found, and how to mend it."""

import asyncio
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from firm.load import load
from local import doctor, secrets_setup
from local.firm_files import copy_example, with_values
from local.ports import free_ports
from runtime.settings import Settings
from store.sql.address import address
from store.sql.migrate import head, upgrade


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    temporal, web, gateway, sandbox = free_ports(4)
    return Settings(
        home=tmp_path / "home",
        firm_file=tmp_path / "fairlead.toml",
        store_url=f"sqlite:///{tmp_path / 'fairlead.db'}",
        temporal_port=temporal,
        ui_port=web,
        gateway_port=gateway,
        sandbox_port=sandbox,
    )


async def test_bare_machine_gets_a_cure_for_each_fault(settings: Settings) -> None:
    checks = {check.name: check for check in await doctor.examine(settings)}
    assert list(checks) == [
        "Python",
        "Temporal program",
        "disk space",
        "Temporal",
        "search attributes",
        "firm file",
        "store",
        "gateway",
    ]
    assert [name for name, check in checks.items() if check.ok] == [
        "Python",
        "Temporal program",
        "disk space",
    ]
    for check in checks.values():
        assert check.detail
        assert bool(check.cure) is not check.ok, check
    assert "fairlead up" in checks["Temporal"].cure
    assert str(settings.firm_file) in checks["firm file"].cure


def test_old_python_is_named() -> None:
    check = doctor.python_version((3, 10))
    assert not check.ok
    assert "3.11" in check.cure


def test_store_without_schema_and_with_it(settings: Settings) -> None:
    missing = doctor.store(settings.store_url)
    assert (missing.ok, missing.cure) == (False, "run `fairlead up` to create it")
    upgrade(settings.store_url)
    there = doctor.store(settings.store_url)
    assert there.ok
    assert there.detail == f"{address(settings.store_url)}, schema {head()}"


def test_store_out_of_reach_has_the_cure_of_its_own(settings: Settings) -> None:
    check = doctor.store("postgresql://kim:s3cret@127.0.0.1:1/fairlead")
    assert not check.ok
    assert check.cure == "start the database, then run `fairlead doctor`"
    assert "cannot be reached" in check.detail
    assert "s3cret" not in check.detail


async def test_registered_attributes_are_seen(temporal_env: WorkflowEnvironment) -> None:
    assert (await doctor.search_attributes(temporal_env.client)).ok


async def test_host_of_a_system(temporal_env: WorkflowEnvironment) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reached = await doctor.host("erp", f"http://127.0.0.1:{port}/netsuite")
    refused = await doctor.host("erp", f"http://127.0.0.1:{free_ports(1)[0]}")
    assert reached.ok
    assert not refused.ok
    assert "[systems.erp]" in refused.cure


def test_example_firm_lacks_only_its_credentials_until_they_are_made(settings: Settings) -> None:
    firm = load(copy_example(settings.home, settings.sandbox_url))
    before = doctor.credentials(firm, {})
    assert not before.ok
    assert "FAIRLEAD_KANTATA_TOKEN is not set" in before.detail

    secrets_setup.create(settings.home)
    stored = secrets_setup.firm_variables(settings.home, {})
    after = doctor.credentials(firm, stored)
    assert after.ok, after.detail
    assert doctor.connectors(firm, stored).ok
    assert not [secret for secret in stored.values() if secret in after.detail]


def test_setting_that_a_connector_refuses_is_named(settings: Settings) -> None:
    file = copy_example(settings.home, settings.sandbox_url)
    file.write_text(with_values(file.read_text(), "systems.salesforce.settings", {"page_sise": "7"}))
    secrets_setup.create(settings.home)
    check = doctor.connectors(load(file), secrets_setup.firm_variables(settings.home, {}))
    assert not check.ok
    assert "page_sise" in check.detail
    assert str(file) in check.cure
