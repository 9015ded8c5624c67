"""Which Salesforce field holds which canonical field: data of the firm, with the sandbox tenant's names.

Every path is relative to the canonical `Deal`, as in `Finding.field`; `mark.*` and `billing.*` are the
fields Fairlead writes. A firm overrides single names in its file; an empty name means "this org has no such
field".
"""

import re
from collections.abc import Mapping

OBJECTS = {
    "customer": "Account",
    "contract": "Contract",
    "lines": "OpportunityLineItem",
    "mark": "Opportunity",
    "billing": "Opportunity",
}
"""Object by the first part of a path; every other path is on the Opportunity."""

TENANT_FIELDS: Mapping[str, str] = {
    "currency": "CurrencyIsoCode",
    "region": "Delivery_Region__c",
    "starts_on": "Start_Date__c",
    "ends_on": "End_Date__c",
    "project_manager_email": "Project_Manager__c",
    "is_change_order": "Is_Change_Request__c",
    "customer.legal_name": "Legal_Name__c",
    "customer.tax_id": "Tax_Id__c",
    "customer.payment_terms": "Payment_Terms__c",
    "customer.credit_hold": "Credit_Hold__c",
    "customer.currency": "CurrencyIsoCode",
    "customer.address.state": "BillingStateCode",
    "customer.address.country": "BillingCountryCode",
    "contract.currency": "CurrencyIsoCode",
    "contract.value": "Contract_Value__c",
    "contract.billing_entity": "Billing_Entity__c",
    "contract.rate_card": "Rate_Card__c",
    "contract.retention_percent": "Retention_Percent__c",
    "contract.customer_po.number": "Customer_PO__c",
    "contract.customer_po.amount": "Customer_PO_Amount__c",
    "contract.customer_po.expires_on": "Customer_PO_Expiry__c",
    "lines.name": "Description",
    "lines.billing_method": "Billing_Method__c",
    "lines.revenue_method": "Revenue_Method__c",
    "lines.starts_on": "Start_Date__c",
    "lines.ends_on": "End_Date__c",
    "lines.frequency": "Billing_Frequency__c",
    "lines.cap": "Cap__c",
    "lines.role": "Role__c",
    "lines.grade": "Grade__c",
    "lines.skills": "Skills__c",
    "lines.subcontracted": "Subcontracted__c",
    "lines.supplier": "Supplier__c",
    "mark.status": "Fairlead_Status__c",
    "mark.project_number": "Fairlead_Project__c",
    "mark.key": "Fairlead_Key__c",
    "billing.last_invoice": "Fairlead_Invoice__c",
    "billing.invoiced": "Fairlead_Invoiced__c",
    "billing.invoiced_on": "Fairlead_Invoiced_On__c",
    "billing.key": "Fairlead_Billing_Key__c",
}

REQUIRED = (
    "contract.billing_entity",
    "lines.billing_method",
    "mark.status",
    "mark.project_number",
    "mark.key",
)
"""Without these no deal can be activated, so their names may not be empty."""

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


def object_of(path: str) -> str:
    """The Salesforce object that holds a canonical path."""
    return OBJECTS.get(path.split(".", 1)[0], "Opportunity") if "." in path else "Opportunity"


def merged(overrides: Mapping[str, str]) -> dict[str, str]:
    """The tenant's names with a firm's overrides. Raises `ValueError` naming the wrong entry and the cure."""
    for path, name in overrides.items():
        if path not in TENANT_FIELDS:
            raise ValueError(
                f"fields: {path!r} is not a canonical field; known: {', '.join(sorted(TENANT_FIELDS))}"
            )
        if not name and path in REQUIRED:
            raise ValueError(
                f"fields: {path!r} may not be empty; give the field of {object_of(path)} that holds it"
            )
        if name and not _API_NAME.fullmatch(name):
            raise ValueError(
                f"fields: {path!r} = {name!r} is not a field API name, such as {TENANT_FIELDS[path]!r}"
            )
    return {**TENANT_FIELDS, **overrides}
