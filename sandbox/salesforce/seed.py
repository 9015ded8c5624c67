"""The firm in Salesforce: users, products, accounts with a contact, contracts, opportunities with lines."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox.core.records import RecordStore
from sandbox.salesforce import ids, rows
from sandbox.salesforce.login import INTEGRATION_USER_ID, ORGANIZATION_ID
from sandbox.salesforce.objects import COUNTRY_NAMES, ORG
from sandbox.seed.firm import Customer, Deal, DealLine, Firm
from sandbox.settings import SandboxSettings

_FAMILIES = {"DLV": "Delivery", "OPS": "Managed Services", "ADV": "Advisory"}


def seed(plan: Firm, store: RecordStore, settings: SandboxSettings) -> None:
    """Fill the empty org."""
    _Seeding(plan, store, settings).run()


class _Seeding:
    def __init__(self, plan: Firm, store: RecordStore, settings: SandboxSettings) -> None:
        self._plan = plan
        self._store = store
        self._settings = settings
        self._founded = _stamp(plan.today - timedelta(days=312))
        self._users: dict[str, str] = {}
        self._products: dict[str, str] = {}
        self._accounts: dict[str, str] = {}

    def run(self) -> None:
        self._organization()
        self._add_users()
        for product in self._plan.products:
            fields = {"Name": product.name, "ProductCode": product.code, "IsActive": True}
            fields["Family"] = _FAMILIES[product.practice]
            self._products[product.code] = self._create("Product2", fields, self._founded)
        for customer in self._plan.customers:
            self._add_account(customer)
        for number, deal in enumerate(self._plan.deals):
            self._add_deal(deal, number)

    def _create(self, object_name: str, fields: dict[str, Any], at: float, owner: str = "") -> str:
        body = {name: value for name, value in fields.items() if value is not None}
        owner = owner or INTEGRATION_USER_ID
        return rows.create(self._store, ORG.objects[object_name], body, owner=owner, at=at).id

    def _organization(self) -> None:
        fields: dict[str, Any] = {"Name": self._plan.name, "IsSandbox": True, "InstanceName": "SANDBOX"}
        fields["OrganizationType"] = "Enterprise Edition"
        self._store.next_number("Organization")
        self._store.create("Organization", fields, id=ORGANIZATION_ID, at=self._founded)

    def _add_users(self) -> None:
        emails = dict.fromkeys([self._settings.salesforce_username])
        emails |= dict.fromkeys(deal.owner_email for deal in self._plan.deals)
        for email in emails:
            first, _, last = email.partition("@")[0].replace(".", " ").title().rpartition(" ")
            user_id = ids.record_id("005", self._store.next_number("User"))
            fields: dict[str, Any] = {
                "Username": email,
                "Email": email,
                "FirstName": first or None,
                "LastName": last,
            }
            fields |= {"Name": f"{first} {last}".strip(), "IsActive": True, "Title": None}
            self._users[email] = self._store.create("User", fields, id=user_id, at=self._founded).id

    def _add_account(self, customer: Customer) -> None:
        address = customer.address
        fields = {
            "Name": customer.name,
            "AccountNumber": customer.key,
            "Type": "Customer - Direct" if customer.in_erp else "Prospect",
            "Industry": customer.industry,
            "BillingStreet": address.street,
            "BillingCity": address.city,
            "BillingStateCode": address.state,
            "BillingPostalCode": address.postal_code,
            "BillingCountry": COUNTRY_NAMES[address.country],
            "BillingCountryCode": address.country,
            "CurrencyIsoCode": customer.currency,
            "Legal_Name__c": customer.legal_name,
            "Tax_Id__c": customer.tax_id,
            "Payment_Terms__c": customer.payment_terms,
            "Credit_Hold__c": customer.credit_hold,
        }
        account_id = self._accounts[customer.key] = self._create("Account", fields, self._founded)
        contact = {"FirstName": customer.contact_first, "LastName": customer.contact_last}
        contact |= {"AccountId": account_id, "Email": customer.email, "Title": "Accounts Payable"}
        self._create("Contact", contact, self._founded)

    def _add_deal(self, deal: Deal, number: int) -> None:
        at = _stamp(deal.signed_on or self._plan.today - timedelta(days=39), number)
        owner = self._users[deal.owner_email]
        contract_id = None
        if deal.stage in ("Closed Won", "Negotiation/Review"):
            contract_id = self._create("Contract", self._contract(deal), at, owner)
        fields = {
            "Name": deal.name,
            "AccountId": self._accounts[deal.customer],
            "StageName": deal.stage,
            "CloseDate": deal.close_date.isoformat(),
            "ContractId": contract_id,
            "CurrencyIsoCode": deal.currency,
            "Type": "Existing Business" if self._plan.customer(deal.customer).in_erp else "New Business",
            "Start_Date__c": deal.start.isoformat(),
            "End_Date__c": deal.end.isoformat(),
            "Delivery_Region__c": deal.region,
            "Project_Manager__c": deal.project_manager_email,
            "Is_Change_Request__c": deal.is_change_request,
        }
        opportunity_id = self._create("Opportunity", fields, at, owner)
        for place, line in enumerate(deal.lines, 1):
            self._create("OpportunityLineItem", self._line(opportunity_id, place, line), at)

    def _contract(self, deal: Deal) -> dict[str, Any]:
        months = (deal.end.year - deal.start.year) * 12 + deal.end.month - deal.start.month + 1
        return {
            "AccountId": self._accounts[deal.customer],
            "Status": "Activated" if deal.contract_activated else "In Approval Process",
            "StartDate": deal.start.isoformat(),
            "ContractTerm": months,
            "CustomerSignedDate": deal.signed_on.isoformat() if deal.signed_on else None,
            "CompanySignedDate": deal.signed_on.isoformat() if deal.signed_on else None,
            "CurrencyIsoCode": deal.currency,
            "Contract_Value__c": deal.contract_value,
            "Rate_Card__c": deal.rate_card,
            "Retention_Percent__c": deal.retention_percent,
            "Billing_Entity__c": deal.entity,
            "Customer_PO__c": deal.customer_po,
            "Customer_PO_Amount__c": deal.customer_po_amount,
            "Customer_PO_Expiry__c": deal.customer_po_expiry.isoformat() if deal.customer_po_expiry else None,
        }

    def _line(self, opportunity_id: str, place: int, line: DealLine) -> dict[str, Any]:
        return {
            "OpportunityId": opportunity_id,
            "Product2Id": self._products[line.product],
            "Description": line.name,
            "Quantity": line.quantity,
            "UnitPrice": Decimal(line.unit_price),
            "ServiceDate": line.service_date.isoformat() if line.service_date else None,
            "SortOrder": place,
            "Billing_Method__c": line.billing_method,
            "Revenue_Method__c": line.revenue_method,
            "Start_Date__c": line.start.isoformat(),
            "End_Date__c": line.end.isoformat(),
            "Role__c": line.role,
            "Grade__c": line.grade,
            "Skills__c": ";".join(line.skills) or None,
            "Hours__c": line.hours,
            "Cap__c": line.cap,
            "Billing_Frequency__c": line.frequency,
            "Subcontracted__c": line.subcontracted,
            "Supplier__c": self._plan.supplier(line.supplier).name if line.supplier else None,
        }


def _stamp(day: date, minutes: int = 0) -> float:
    """A moment of that day, minutes after nine o'clock UTC, as epoch seconds."""
    return datetime.combine(day, time(9), UTC).timestamp() + minutes % 600 * 60
