"""Facts for the gates, read from the emulated account."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import Rejected
from connectors.netsuite.client import NetSuiteClient, build
from connectors.netsuite.parties import spellings
from connectors.netsuite.settings import NetSuiteSettings
from domain.books import PartyQuery
from domain.commands import CreateCustomer
from domain.money import Money
from tests.unit.sandbox.netsuite_account import (
    BASE_URL,
    CERTIFICATE,
    CLIENT,
    TAX_ID,
    Account,
    private_pem,
)

NOW = datetime.now(UTC).replace(microsecond=0)
KEY = "activation/acme/0065g/erp.customer/1"


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path)
    yield account
    await account.close()


@pytest.fixture
async def client(account: Account) -> AsyncIterator[NetSuiteClient]:
    client = connect(account)
    yield client
    await client.aclose()


def connect(account: Account, **changes: Any) -> NetSuiteClient:
    settings = NetSuiteSettings(
        account="TSTDRV1",
        base_url=BASE_URL,
        client_id=CLIENT,
        certificate_id=CERTIFICATE,
        private_key=private_pem(),
        algorithm="ES256",
        **changes,
    )
    return build("netsuite", settings, account.transport, clock=lambda: NOW)


def asked(**changes: Any) -> PartyQuery:
    query = PartyQuery(
        entity="DE01",
        customer_external_id="001A",
        customer_key=KEY,
        customer_name="Alpha Werke",
        on=date(2026, 11, 23),
    )
    return query.with_changes(**changes)


async def test_the_entity_with_its_open_base_periods(client: NetSuiteClient) -> None:
    facts = await client.party_facts(asked())
    entity = facts.entity
    assert entity is not None
    assert (entity.code, entity.name, entity.active) == ("DE01", "Fairlead Beratung GmbH", True)
    assert (entity.currency, entity.country, entity.tax_registrations) == ("EUR", "DE", ("DE",))
    assert entity.open_periods[:2] == ("2026-11", "2026-12"), "October is closed, the rest is open"
    assert entity.version
    assert facts.as_of == NOW


async def test_nobody_is_matched_by_name(client: NetSuiteClient) -> None:
    assert (await client.party_facts(asked())).customers == ()


@pytest.mark.parametrize("tax_id", [TAX_ID, "de 136 695 976", " DE136695976 ", "DE-136.695/976"])
async def test_a_customer_is_matched_by_tax_id_however_it_is_spelt(
    client: NetSuiteClient, tax_id: str
) -> None:
    (customer,) = (await client.party_facts(asked(tax_id=tax_id))).customers
    assert (customer.name, customer.tax_ids, customer.active) == ("Alpha Werke", (TAX_ID,), True)
    assert (customer.entity, customer.currency, customer.terms) == ("DE01", "EUR", "Net 30")
    assert customer.credit_limit == Money.of(10_000_000, "EUR")
    assert customer.balance == Money.zero("EUR")
    assert not customer.on_credit_hold


async def test_two_customers_under_one_tax_id_are_both_shown(client: NetSuiteClient) -> None:
    customers = (await client.party_facts(asked(tax_id="DE811569869"))).customers
    assert [customer.name for customer in customers] == ["Beta Werke", "Beta Werke (old)"]


async def test_a_customer_of_ours_is_matched_by_key_and_by_crm_id(client: NetSuiteClient) -> None:
    made = await client.apply(CreateCustomer(name="Neu", crm_id="001N", entity="DE01"), KEY)
    by_key = (await client.party_facts(asked())).customers
    by_crm = (await client.party_facts(asked(customer_key=f"{KEY}2", customer_external_id="001N"))).customers
    assert [customer.external_id for customer in by_key] == [made.external_id]
    assert by_crm == by_key


@pytest.mark.parametrize(
    ("state", "held"), [({"id": "ON"}, True), ({"id": "OFF"}, False), ({"id": "AUTO"}, False)]
)
async def test_the_hold_is_the_customers_own(
    account: Account, client: NetSuiteClient, state: dict[str, str], held: bool
) -> None:
    account.by_hand("customer", "1001", {"creditHoldOverride": state})
    (customer,) = (await client.party_facts(asked(tax_id=TAX_ID))).customers
    assert customer.on_credit_hold is held


async def test_changes_show_at_once(account: Account, client: NetSuiteClient) -> None:
    await client.party_facts(asked(tax_id=TAX_ID))
    november = account.id_of("accountingPeriod", "periodName", "Nov 2026")
    account.by_hand("accountingPeriod", november, {"closed": True})
    account.by_hand("subsidiary", "eid:sub-DE01", {"isInactive": True})
    account.by_hand("customer", "1001", {"isInactive": True, "balance": 1250})
    facts = await client.party_facts(asked(tax_id=TAX_ID))
    assert facts.entity is not None
    assert (facts.entity.active, facts.entity.open_periods[0]) == (False, "2026-12")
    assert (facts.customers[0].active, facts.customers[0].balance) == (False, Money.of(1250, "EUR"))


async def test_an_unknown_entity_is_no_entity(client: NetSuiteClient) -> None:
    assert (await client.party_facts(asked(entity="FR01"))).entity is None


async def test_a_subsidiary_of_another_name(account: Account) -> None:
    client = connect(account, subsidiaries={"BERLIN": "sub-DE01"})
    facts = await client.party_facts(asked(entity="BERLIN", tax_id=TAX_ID))
    assert facts.entity is not None
    assert facts.entity.code == "BERLIN"
    assert facts.customers[0].entity == "BERLIN"
    await client.aclose()


async def test_an_amount_that_is_no_money_is_named(account: Account, client: NetSuiteClient) -> None:
    yen = {"id": account.id_of("currency", "symbol", "JPY")}
    account.by_hand("customer", "1001", {"balance": 1, "currency": yen})
    assert (await client.party_facts(asked(tax_id=TAX_ID))).customers[0].balance == Money.of(1, "JPY")
    account.by_hand("customer", "1001", {"balance": Decimal("0.5")})
    with pytest.raises(Rejected) as refused:
        await client.party_facts(asked(tax_id=TAX_ID))
    assert (refused.value.field, refused.value.rule) == ("customer.balance", "amount.not_money")


async def test_facts_take_three_calls(account: Account, client: NetSuiteClient) -> None:
    await client.party_facts(asked())
    before = len(account.requests())
    await client.party_facts(asked())
    assert len(account.requests()) - before == 3


@pytest.mark.parametrize("field", ["id", "companyname", "startdate"])
async def test_a_missing_column_is_named(account: Account, client: NetSuiteClient, field: str) -> None:
    account.faults.arm({"kind": "missing_field", "field": field, "path": "suiteql"})
    with pytest.raises(Rejected) as drift:
        await client.party_facts(asked(tax_id=TAX_ID))
    assert drift.value.rule == "schema.missing_field"
    assert field in drift.value.field


async def test_the_check_finds_a_wrong_column_and_a_wrong_name(account: Account) -> None:
    client = connect(
        account,
        tax_column="vatregnumber",
        subsidiaries={"FR01": "sub-FR01"},
        project_key_field="custentity_unknown",
        expense_type="Unheard",
    )
    red = {check.name: check.detail for check in await client.check() if not check.ok}
    assert set(red) == {
        "sign in and subsidiaries",
        "customer matching",
        "fields of job",
        "project expense type",
    }
    assert "vatregnumber" in red["customer matching"]
    assert "sub-FR01" in red["sign in and subsidiaries"]
    assert red["fields of job"] == "missing: custentity_unknown"
    await client.aclose()


def test_spellings() -> None:
    assert spellings(None) == []
    assert spellings("12-3456789") == ["12-3456789", "123456789"]
    assert spellings("DE1") == ["DE1"]
