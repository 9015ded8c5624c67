"""The objects of the emulated org: standard fields that matter for a signed deal, and the tenant's own.

Sources: Salesforce object reference (Account, Contact, Opportunity, OpportunityLineItem, Contract, Product2,
User, Organization). Multi-currency and state and country picklists are on. Fields ending in `__c` are those
the tenant installed.
"""

from sandbox.salesforce.schema import (
    Field,
    Org,
    SObject,
    choice,
    computed,
    day,
    flag,
    lookup,
    number,
    standard_fields,
    text,
)

CURRENCIES = ("USD", "EUR", "INR", "GBP")
WON, LOST = "Closed Won", "Closed Lost"
STAGES = {
    "Prospecting": 10,
    "Qualification": 20,
    "Proposal/Price Quote": 60,
    "Negotiation/Review": 80,
    WON: 100,
    LOST: 0,
}
"""Stage name -> probability in percent."""
CONTRACT_STATUS = {"Draft": "Draft", "In Approval Process": "InApproval", "Activated": "Activated"}
"""Status -> StatusCode, its category."""


def _owner() -> Field:
    return lookup("OwnerId", "User", "Owner")


def _currency() -> Field:
    return choice("CurrencyIsoCode", *CURRENCIES, restricted=True, default="USD")


def _address(kind: str) -> tuple[Field, ...]:
    return (
        text(f"{kind}Street", 255),
        text(f"{kind}City", 40),
        text(f"{kind}State", 80),
        text(f"{kind}StateCode", 10),
        text(f"{kind}PostalCode", 20),
        text(f"{kind}Country", 80),
        text(f"{kind}CountryCode", 10),
        computed(f"{kind}Address", "address"),
    )


ACCOUNT = SObject(
    "Account",
    "001",
    (
        *standard_fields(),
        text("Name", 255, required=True),
        text("AccountNumber", 40),
        lookup("ParentId", "Account", "Parent"),
        _owner(),
        choice("Type", "Prospect", "Customer - Direct", "Customer - Channel", "Partner", "Other"),
        choice("Industry", "Consulting", "Government", "Technology", "Energy", "Healthcare", "Other"),
        *_address("Billing"),
        Field("Phone", "phone", 40),
        Field("Website", "url", 255),
        _currency(),
        number("AnnualRevenue", scale=0),
        text("Legal_Name__c", 255),
        text("Tax_Id__c", 40, external_id=True),
        choice("Payment_Terms__c", "Due on receipt", "Net 14", "Net 30", "Net 45", "Net 60"),
        flag("Credit_Hold__c"),
    ),
    {
        "Contacts": ("Contact", "AccountId"),
        "Opportunities": ("Opportunity", "AccountId"),
        "Contracts": ("Contract", "AccountId"),
    },
)

CONTACT = SObject(
    "Contact",
    "003",
    (
        *standard_fields(),
        text("FirstName", 40),
        text("LastName", 80, required=True),
        computed("Name", "string", length=121),
        lookup("AccountId", "Account", "Account"),
        _owner(),
        Field("Email", "email", 80),
        Field("Phone", "phone", 40),
        text("Title", 128),
        _currency(),
    ),
    {},
)

OPPORTUNITY = SObject(
    "Opportunity",
    "006",
    (
        *standard_fields(),
        text("Name", 120, required=True),
        lookup("AccountId", "Account", "Account"),
        number("Amount"),
        choice("StageName", *STAGES, restricted=True, required=True),
        computed("IsWon", "boolean"),
        computed("IsClosed", "boolean"),
        computed("Probability", "percent"),
        computed("HasOpportunityLineItem", "boolean"),
        day("CloseDate", required=True),
        lookup("ContractId", "Contract", "Contract"),
        _owner(),
        _currency(),
        choice("Type", "New Business", "Existing Business", "Renewal"),
        choice("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Other"),
        text("Description", 32000),
        day("Start_Date__c"),
        day("End_Date__c"),
        choice("Delivery_Region__c", "US", "DE", "IN", restricted=True),
        Field("Project_Manager__c", "email", 80),
        choice(
            *("Fairlead_Status__c", "Not Started", "Activating", "Active", "Cancelled"),
            restricted=True,
            default="Not Started",
        ),
        text("Fairlead_Project__c", 80),
        text("Fairlead_Key__c", 255, external_id=True),
        text("Fairlead_Invoice__c", 80),
        number("Fairlead_Invoiced__c", scale=3),
        day("Fairlead_Invoiced_On__c"),
        text("Fairlead_Billing_Key__c", 255, external_id=True),
        flag("Is_Change_Request__c"),
    ),
    {"OpportunityLineItems": ("OpportunityLineItem", "OpportunityId")},
)

LINE_ITEM = SObject(
    "OpportunityLineItem",
    "00k",
    (
        *standard_fields(),
        lookup("OpportunityId", "Opportunity", "Opportunity", required=True, updateable=False),
        lookup("Product2Id", "Product2", "Product2", updateable=False),
        computed("ProductCode", "string", length=255),
        computed("Name", "string", length=376),
        text("Description", 255),
        number("Quantity", "double", 2, required=True),
        number("UnitPrice", scale=4),
        number("TotalPrice", scale=2),
        day("ServiceDate"),
        number("SortOrder", "int", 0),
        computed("CurrencyIsoCode", "picklist", length=255),
        choice(
            *("Billing_Method__c", "Time and Materials", "Milestone", "Subscription", "Percent Complete"),
            restricted=True,
        ),
        choice(
            *("Revenue_Method__c", "Right to Invoice", "Cost to Cost", "Milestone", "Straight Line"),
            restricted=True,
        ),
        day("Start_Date__c"),
        day("End_Date__c"),
        text("Role__c", 80),
        text("Grade__c", 40),
        text("Skills__c", 255),
        number("Hours__c", "double", 2),
        number("Cap__c"),
        choice("Billing_Frequency__c", "Monthly", "Quarterly", restricted=True),
        flag("Subcontracted__c"),
        text("Supplier__c", 120),
    ),
    {},
)

CONTRACT = SObject(
    "Contract",
    "800",
    (
        *standard_fields(),
        computed("ContractNumber", "string", length=30),
        lookup("AccountId", "Account", "Account", required=True),
        choice("Status", *CONTRACT_STATUS, restricted=True, default="Draft"),
        computed("StatusCode", "picklist", length=255),
        day("StartDate"),
        computed("EndDate", "date"),
        number("ContractTerm", "int", 0),
        day("CustomerSignedDate"),
        lookup("CustomerSignedId", "Contact", "CustomerSigned"),
        day("CompanySignedDate"),
        _owner(),
        _currency(),
        text("SpecialTerms", 4000),
        number("Contract_Value__c"),
        text("Rate_Card__c", 80),
        number("Retention_Percent__c", "percent", 2),
        text("Billing_Entity__c", 20),
        text("Customer_PO__c", 80),
        number("Customer_PO_Amount__c"),
        day("Customer_PO_Expiry__c"),
    ),
    {"Opportunities": ("Opportunity", "ContractId")},
    name_field="ContractNumber",
)

PRODUCT = SObject(
    "Product2",
    "01t",
    (
        *standard_fields(),
        text("Name", 255, required=True),
        text("ProductCode", 255),
        text("Description", 4000),
        flag("IsActive"),
        choice("Family", "Delivery", "Managed Services", "Advisory"),
        _currency(),
    ),
    {},
)

USER = SObject(
    "User",
    "005",
    (
        *standard_fields(),
        text("Username", 80, required=True),
        text("FirstName", 40),
        text("LastName", 80, required=True),
        computed("Name", "string", length=121),
        Field("Email", "email", 128, required=True),
        flag("IsActive"),
        text("Title", 80),
    ),
    {},
    writable=False,
)

ORGANIZATION = SObject(
    "Organization",
    "00D",
    (
        *standard_fields(),
        text("Name", 80, required=True),
        flag("IsSandbox"),
        text("InstanceName", 20),
        choice("OrganizationType", "Enterprise Edition", "Developer Edition"),
    ),
    {},
    writable=False,
)

ORG = Org((ACCOUNT, CONTACT, OPPORTUNITY, LINE_ITEM, CONTRACT, PRODUCT, USER, ORGANIZATION))
COUNTRIES = frozenset(
    "AD AE AF AG AI AL AM AO AQ AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT"
    " BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG"
    " EH ER ES ET FI FJ FK FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GW GY HM HN HR HT HU"
    " ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS"
    " LT LU LV LY MA MC MD ME MF MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL"
    " NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PS PT PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI"
    " SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US"
    " UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW".split()
)
"""Country codes of the org's country picklist (ISO 3166-1 alpha-2)."""
COUNTRY_NAMES = {"US": "United States", "DE": "Germany", "IN": "India", "GB": "United Kingdom"}
