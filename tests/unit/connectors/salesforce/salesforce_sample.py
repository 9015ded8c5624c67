"""Answers in Salesforce's shape, for mapping and client tests: JSON text as the vendor writes it."""

from typing import Any

from connectors.http import exact_json
from connectors.salesforce.settings import SalesforceSettings

DEAL_ID = "0065g00000AbCdEAAV"

QUERY_ANSWER = """
{"totalSize": 1, "done": true, "records": [{
  "attributes": {"type": "Opportunity", "url": "/services/data/v66.0/sobjects/Opportunity/0065g"},
  "Id": "0065g00000AbCdEAAV", "Name": "Rheinland managed services", "StageName": "Closed Won", "IsWon": true,
  "Type": "New Business", "Amount": 120000.30, "SystemModstamp": "2026-11-20T09:30:00.000+0000",
  "CurrencyIsoCode": "EUR", "Delivery_Region__c": "DE",
  "Start_Date__c": "2026-12-01", "End_Date__c": "2027-11-30", "Project_Manager__c": "pm@fairlead.example",
  "Is_Change_Request__c": false, "Fairlead_Status__c": "Not Started",
  "Account": {
    "attributes": {"type": "Account", "url": "/services/data/v66.0/sobjects/Account/0015g00000XyZaBAAV"},
    "Id": "0015g00000XyZaBAAV", "Name": "Rheinland Energie", "Legal_Name__c": "Rheinland Energie AG",
    "Tax_Id__c": "DE136695976", "Payment_Terms__c": "Net 30", "Credit_Hold__c": false,
    "BillingStreet": "Domplatz 1", "BillingCity": "Köln", "BillingPostalCode": "50667",
    "BillingStateCode": "NW", "BillingCountryCode": "DE", "CurrencyIsoCode": "EUR",
    "SystemModstamp": "2026-11-21T10:00:00.000+0000"},
  "Contract": {
    "attributes": {"type": "Contract", "url": "/services/data/v66.0/sobjects/Contract/8005g00000QrStUAAV"},
    "Id": "8005g00000QrStUAAV", "ContractNumber": "00000142", "Status": "Activated",
    "StartDate": "2026-12-01", "EndDate": "2027-11-30", "CustomerSignedDate": "2026-11-18",
    "CurrencyIsoCode": "EUR", "Contract_Value__c": 120000.30, "Billing_Entity__c": "DE01",
    "Rate_Card__c": "RC-DE-2026", "Retention_Percent__c": 5.0, "Customer_PO__c": "PO-4711",
    "Customer_PO_Amount__c": 130000.00, "Customer_PO_Expiry__c": "2027-12-31",
    "SystemModstamp": "2026-11-22T11:00:00.000+0000"},
  "Owner": {"attributes": {"type": "User", "url": "/x"}, "Email": "seller@fairlead.example"},
  "OpportunityLineItems": {"totalSize": 3, "done": true, "records": [
    {"attributes": {"type": "OpportunityLineItem", "url": "/a"},
     "Id": "00k5g000001AAAAAA1", "Name": "Rheinland Advisory", "Description": "Architecture advice",
     "SortOrder": 3, "Quantity": 400.00, "UnitPrice": 150.0000, "TotalPrice": 60000.00, "ServiceDate": null,
     "Billing_Method__c": "Time and Materials", "Revenue_Method__c": "Right to Invoice",
     "Start_Date__c": "2026-12-01", "End_Date__c": "2027-05-31", "Billing_Frequency__c": "Monthly",
     "Cap__c": 66000.00, "Role__c": "Architect", "Grade__c": "Senior", "Skills__c": "Cloud; Networks ;",
     "Subcontracted__c": true, "Supplier__c": "Acme Partners",
     "SystemModstamp": "2026-11-19T08:00:00.000+0000"},
    {"attributes": {"type": "OpportunityLineItem", "url": "/b"},
     "Id": "00k5g000001AAAAAA2", "Name": "Rheinland Design", "Description": "Design accepted",
     "SortOrder": 1, "Quantity": 1.00, "UnitPrice": 48000.0000, "TotalPrice": 48000.10,
     "ServiceDate": "2027-02-28", "Billing_Method__c": "Milestone", "Revenue_Method__c": "Milestone",
     "Start_Date__c": "2026-12-01", "End_Date__c": "2027-02-28", "Billing_Frequency__c": null,
     "Cap__c": null, "Role__c": null, "Grade__c": null, "Skills__c": null,
     "Subcontracted__c": false, "Supplier__c": null, "SystemModstamp": "2026-11-19T08:00:00.000+0000"},
    {"attributes": {"type": "OpportunityLineItem", "url": "/c"},
     "Id": "00k5g000001AAAAAA3", "Name": "Rheinland Run", "Description": null,
     "SortOrder": 2, "Quantity": 12.00, "UnitPrice": 1000.0166, "TotalPrice": 12000.20, "ServiceDate": null,
     "Billing_Method__c": "Subscription", "Revenue_Method__c": "Straight Line",
     "Start_Date__c": "2026-12-01", "End_Date__c": "2027-11-30", "Billing_Frequency__c": "Quarterly",
     "Cap__c": null, "Role__c": null, "Grade__c": null, "Skills__c": null,
     "Subcontracted__c": false, "Supplier__c": null, "SystemModstamp": "2026-11-19T08:00:00.000+0000"}]}
}]}
"""


def query_answer(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer with values replaced at dotted paths of its record: `Contract.Status`, `Lines.0.Cap__c`."""
    answer: dict[str, Any] = exact_json.decode(QUERY_ANSWER)
    for path, value in (changes or {}).items():
        *parents, last = path.replace("Lines.", "OpportunityLineItems.records.").split(".")
        target: Any = answer["records"][0]
        for name in parents:
            target = target[int(name)] if name.isdigit() else target[name]
        target[last] = value
    return answer


def settings(**options: Any) -> SalesforceSettings:
    """The sandbox tenant's settings."""
    given = {
        "base_url": "https://acme.my.salesforce.example",
        "client_id": "fairlead",
        "client_secret": "a-client-secret-0123456789",
        **options,
    }
    return SalesforceSettings.model_validate(given)
