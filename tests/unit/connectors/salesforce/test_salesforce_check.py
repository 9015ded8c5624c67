"""`fairlead systems check`: what is wrong with an org is said per object and field."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.http import exact_json
from connectors.ports import Check
from connectors.salesforce import soql
from connectors.salesforce.client import build
from connectors.salesforce.fields import TENANT_FIELDS, object_of
from tests.unit.connectors.salesforce.salesforce_sample import settings

STATUSES = ["Not Started", "Activating", "Active", "Cancelled"]
STANDARD = {
    "Opportunity": soql.OPPORTUNITY,
    "Account": soql.ACCOUNT,
    "Contract": soql.CONTRACT,
    "OpportunityLineItem": soql.LINE,
}


def field(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "string", "updateable": True, "picklistValues": [], **more}


def picklist(name: str, *values: str) -> dict[str, Any]:
    entries = [{"value": value, "active": True} for value in values]
    return field(name, type="picklist", restrictedPicklist=True, picklistValues=entries)


def described(thing: str) -> dict[str, dict[str, Any]]:
    """Fields by name, as the tenant of the default settings has them."""
    own = [name for path, name in TENANT_FIELDS.items() if object_of(path) == thing]
    fields = {name: field(name) for name in (*STANDARD[thing], *own)}
    if thing == "Opportunity":
        fields["Fairlead_Status__c"] = picklist("Fairlead_Status__c", *STATUSES)
    if thing == "OpportunityLineItem":
        fields["Billing_Method__c"] = picklist("Billing_Method__c", "Time and Materials", "Milestone")
    return fields


class Org:
    def __init__(self) -> None:
        self.fields = {thing: described(thing) for thing in STANDARD}
        self.remaining = 4000
        self.versions = ["65.0", "66.0"]
        self.instance = "https://acme.my.salesforce.example"
        self.broken: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if any(part in path for part in self.broken):
            return httpx.Response(403, json=[{"message": "not you", "errorCode": "INSUFFICIENT_ACCESS"}])
        return httpx.Response(200, content=exact_json.encode(self._body(path)))

    def _body(self, path: str) -> Any:
        if path.endswith("/token"):
            return {"access_token": "canary-token-1234567890", "instance_url": self.instance}
        if path.endswith("/limits"):
            return {"DailyApiRequests": {"Max": 5000, "Remaining": self.remaining}}
        if path.endswith("/describe"):
            thing = path.split("/")[-2]
            return {"name": thing, "fields": list(self.fields[thing].values())}
        return [{"version": version, "label": "x", "url": "/x"} for version in self.versions]


async def checks_of(org: Org, **options: Any) -> dict[str, Check]:
    client = build("crm", settings(**options), transport=httpx.MockTransport(org))
    checks = {check.name: check for check in await client.check()}
    await client.aclose()
    return checks


async def test_a_whole_org_is_green() -> None:
    checks = await checks_of(Org())
    assert all(check.ok for check in checks.values())
    assert list(checks) == [
        "sign in and allowance",
        "API version",
        "address",
        "fields of Opportunity",
        "fields of Account",
        "fields of Contract",
        "fields of OpportunityLineItem",
    ]
    assert "1000 of 5000" in checks["sign in and allowance"].detail


DEFECTS: list[tuple[Callable[[Org], Any], str, str]] = [
    (lambda org: setattr(org, "remaining", 499), "sign in and allowance", "less than 10 % is left"),
    (lambda org: setattr(org, "versions", ["64.0"]), "API version", "v66.0 is not among v64.0"),
    (lambda org: setattr(org, "instance", "https://b.example"), "address", "set base_url to it"),
    (lambda org: org.broken.add("limits"), "sign in and allowance", "not you"),
    (lambda org: org.broken.add("token"), "fields of Account", "sign in"),
    (
        lambda org: org.fields["Contract"].pop("Billing_Entity__c"),
        "fields of Contract",
        "Contract.Billing_Entity__c (contract.billing_entity) is missing",
    ),
    (lambda org: org.fields["Account"].pop("BillingStreet"), "fields of Account", "Account.BillingStreet"),
    (
        lambda org: org.fields["Opportunity"].update(
            Fairlead_Key__c=field("Fairlead_Key__c", updateable=False)
        ),
        "fields of Opportunity",
        "Fairlead_Key__c (mark.key) is read-only",
    ),
    (
        lambda org: org.fields["Opportunity"].update(
            Fairlead_Status__c=picklist("Fairlead_Status__c", *STATUSES[:3])
        ),
        "fields of Opportunity",
        "Fairlead_Status__c lacks the value 'Cancelled'",
    ),
    (
        lambda org: org.fields["OpportunityLineItem"].update(
            Billing_Method__c=picklist("Billing_Method__c", "Milestone", "Barter")
        ),
        "fields of OpportunityLineItem",
        "offers 'Barter', which `billing_methods` does not translate",
    ),
]


@pytest.mark.parametrize(("spoil", "name", "words"), DEFECTS)
async def test_a_defect_is_one_red_line_that_names_it(
    spoil: Callable[[Org], Any], name: str, words: str
) -> None:
    org = Org()
    spoil(org)
    checks = await checks_of(org)
    assert not checks[name].ok
    assert words in checks[name].detail


async def test_an_empty_field_name_is_not_looked_for() -> None:
    org = Org()
    del org.fields["Account"]["CurrencyIsoCode"]
    assert not (await checks_of(org))["fields of Account"].ok
    assert (await checks_of(org, fields={"customer.currency": ""}))["fields of Account"].ok
