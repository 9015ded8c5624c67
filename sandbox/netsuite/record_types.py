"""The record types this tenant's role can see, with the tenant's custom fields.

Enumeration ids of billing types and schedule types are this tenant's own; a client must not know them by
heart but read them with select-options.
"""

from sandbox.netsuite.ledger_types import LEDGER_TYPES
from sandbox.netsuite.schema import (
    COMMON,
    Field,
    RecordType,
    Sublist,
    booleans,
    by_name,
    dates,
    numbers,
    same,
    texts,
)
from sandbox.netsuite.transactions.types import TRANSACTION_TYPES

BILLING_TYPES = {"1": "Charge-Based", "2": "Fixed Bid, Interval", "3": "Fixed Bid, Milestone"}
BILLING_TYPES |= {"4": "Time and Materials"}
SCHEDULE_TYPES = {
    "1": "Standard",
    "2": "Charge-Based",
    "3": "Fixed Bid, Milestone",
    "4": "Fixed Bid, Interval",
}
SCHEDULE_TYPES |= {"5": "Time and Materials"}
FREQUENCIES = same(
    "SEMIMONTHLY STARTOFPERIOD WEEKLY QUADWEEKLY BIENNIALLY DAILY NEVER ONETIME SEMIANNUALLY ENDOFPERIOD"
    " MONTHLY AUTOREFILL TRIENNIALLY HOURLY QUARTERLY ANNUALLY CUSTOM BIMONTHLY BIWEEKLY"
)

_COUNTRY = Field("country", max_length=2)
_ADDRESS = Field(
    "addressBookAddress",
    "record",
    fields=by_name(*texts("addr1 addr2 addr3 addressee attention city state zip"), _COUNTRY),
)
_ADDRESS_BOOK = Sublist(
    "addressBook",
    "id",
    by_name(Field("id", "integer"), *texts("label"), *booleans("defaultBilling defaultShipping"), _ADDRESS),
)
_TAX_REGISTRATION = Sublist(
    "taxRegistration",
    "id",
    by_name(
        Field("id", "integer"),
        *texts("nexusCountry taxRegistrationNumber taxAgency"),
        *dates("effectiveFrom validUntil"),
        Field("isTaxExempt", "boolean"),
    ),
)
_SUBSIDIARY = Field("subsidiary", "ref", "Subsidiary", target="subsidiary", required=True)
_CURRENCY = Field("currency", "ref", "Currency", target="currency")
_CRM_ID = Field("custentity_crm_id", max_length=80)
_KEY = Field("custentity_fairlead_key", max_length=300)

CUSTOMER = RecordType(
    "customer",
    COMMON
    | by_name(
        Field("companyName", "string", "Company Name", required=True, max_length=83),
        Field("entityId", max_length=83),
        *texts("altName email phone comments"),
        Field("searchStage", read_only=True),
        Field("isInactive", "boolean"),
        Field("isPerson", "boolean"),
        _SUBSIDIARY,
        _CURRENCY,
        Field("terms", "ref", target="term"),
        Field("creditHoldOverride", "enum", values={"AUTO": "Auto", "ON": "On", "OFF": "Off"}),
        *numbers("creditLimit"),
        *numbers("balance overdueBalance aging aging1 aging2 aging3 aging4", read_only=True),
        Field("daysOverdue", "integer", read_only=True),
        Field("defaultTaxReg", max_length=60),
        Field("dateCreated", "datetime", read_only=True),
        _KEY,
        _CRM_ID,
    ),
    {"addressBook": _ADDRESS_BOOK, "taxRegistration": _TAX_REGISTRATION},
    table="customer",
    display=("entityId", "companyName"),
    key_fields=("custentity_fairlead_key",),
    number_prefix="CUS",
)

JOB = RecordType(
    "job",
    COMMON
    | by_name(
        Field("companyName", "string", "Project Name", required=True, max_length=83),
        Field("entityId", max_length=83),
        *texts("altName comments accountNumber"),
        Field("parent", "ref", "Customer", target="customer", required=True),
        _SUBSIDIARY,
        _CURRENCY,
        *dates("startDate projectedEndDate endDate"),
        Field("jobBillingType", "enum", values=BILLING_TYPES),
        Field("projectExpenseType", "enum", values={"-2": "Regular", "-3": "Administrative"}),
        Field("billingSchedule", "ref", target="billingSchedule"),
        *booleans("allowTime allowExpenses isInactive limitTimeToAssignees isUtilizedTime isProductiveTime"),
        *numbers("jobPrice estimatedRevenue estimatedCost"),
        *numbers("chargeAmountBilled chargeAmountReadyForBilling", read_only=True),
        Field("dateCreated", "datetime", read_only=True),
        _KEY,
        _CRM_ID,
    ),
    table="job",
    display=("entityId", "companyName"),
    key_fields=("custentity_fairlead_key",),
    number_prefix="PRJ",
)

PROJECT_TASK = RecordType(
    "projectTask",
    COMMON
    | by_name(
        Field("title", "string", "Name", required=True),
        Field("project", "ref", "Project", target="job", required=True),
        *numbers("estimatedWork"),
        Field("startDateTime", "datetime"),
        Field("constraintType", "enum", values=same("ASAP ALAP FIXEDSTART")),
        Field(
            "status",
            "enum",
            values={"NOTSTART": "Not Started", "PROGRESS": "In Progress", "COMPLETE": "Completed"},
        ),
        *booleans("nonBillableTask isMilestone"),
    ),
    table="projecttask",
    display=("title",),
)

# The one record of these without a change stamp in the API.
_WITHOUT_STAMP = {name: known for name, known in COMMON.items() if name != "lastModifiedDate"}
BILLING_SCHEDULE = RecordType(
    "billingSchedule",
    _WITHOUT_STAMP
    | by_name(
        Field("name", "string", "Name", required=True),
        Field("scheduleType", "enum", "Type", values=SCHEDULE_TYPES, required=True),
        Field("job", "ref", "Project", target="job"),
        Field("transaction", "ref", read_only=True),
        *booleans("isInactive isPublic inArrears applyToSubtotal billForActuals"),
        Field("frequency", "enum", values=FREQUENCIES),
        Field("repeatEvery", "enum", values=same("1 2 3 4 6")),
        Field("recurrencePattern", "enum", values=same("FIXED_BILL_DATE ANNIVERSARY_BILL_DATE")),
        Field("numberRemaining", "integer"),
        *numbers("initialAmount"),
        *dates("seriesStartDate"),
        Field("custrecord_fairlead_key", max_length=300),
    ),
    {
        "milestone": Sublist(
            "milestone",
            "milestoneId",
            by_name(
                Field("milestoneId", "integer"),
                Field("comments", max_length=999),
                *numbers("milestoneAmount"),
                *dates("milestoneDate milestoneActualCompletionDate"),
                Field("milestoneTerms", "ref", target="term"),
                Field("milestoneCompleted", "boolean"),
                Field("projectTask", "ref", target="projectTask"),
            ),
        ),
        "recurrence": Sublist(
            "recurrence",
            "recurrenceId",
            by_name(
                Field("recurrenceId", "integer"),
                *numbers("amount"),
                Field("count", "integer"),
                *dates("recurrenceDate"),
                Field("relativeToPrevious", "boolean"),
                Field("units", "enum", values=same("DAY WEEK MONTH")),
                Field("paymentTerms", "ref", target="term"),
            ),
        ),
    },
    table="billingschedule",
    key_fields=("custrecord_fairlead_key",),
)

SUBSIDIARY = RecordType(
    "subsidiary",
    COMMON
    | by_name(
        *texts("name fullName legalName federalIdNumber email state url tranPrefix"),
        Field(
            "country",
            "enum",
            values={"US": "United States", "DE": "Germany", "IN": "India", "GB": "United Kingdom"},
        ),
        _CURRENCY,
        Field("parent", "ref", target="subsidiary"),
        *booleans("isInactive isElimination"),
    ),
    {"taxRegistration": _TAX_REGISTRATION},
    table="subsidiary",
    writable=False,
)

CURRENCY = RecordType(
    "currency",
    COMMON
    | by_name(
        *texts("name symbol displaySymbol"),
        Field("currencyPrecision", "integer"),
        *numbers("exchangeRate"),
        *booleans("isInactive isBaseCurrency isAnchorCurrency includeInFxRateUpdates"),
    ),
    table="currency",
    writable=False,
)

TERM = RecordType(
    "term",
    COMMON
    | by_name(
        *texts("name"),
        Field("daysUntilNetDue", "integer"),
        Field("daysUntilExpiry", "integer"),
        *numbers("discountPercent"),
        *booleans("isInactive preferred installment"),
    ),
    table="term",
    writable=False,
)

ACCOUNTING_PERIOD = RecordType(
    "accountingPeriod",
    COMMON
    | by_name(
        *texts("periodName"),
        *dates("startDate endDate"),
        Field("closedOnDate", "datetime"),
        *booleans("isYear isQuarter isPosting isAdjust isInactive closed"),
        *booleans("allLocked arLocked apLocked payrollLocked allowNonGLChanges"),
        Field("parent", "ref", target="accountingPeriod"),
    ),
    table="accountingperiod",
    display=("periodName",),
    writable=False,
)

SERVICE_SALE_ITEM = RecordType(
    "serviceSaleItem",
    COMMON
    | by_name(
        Field("itemId", "string", "Item Name/Number", required=True),
        *texts("displayName salesDescription description"),
        *numbers("rate"),
        Field("incomeAccount", "ref", target="account"),
        *booleans("isInactive isFulfillable"),
    ),
    table="item",
    display=("itemId",),
)

RECORD_TYPES: dict[str, RecordType] = {
    each.name: each
    for each in (
        *(CUSTOMER, JOB, PROJECT_TASK, BILLING_SCHEDULE),
        *(SUBSIDIARY, CURRENCY, TERM, ACCOUNTING_PERIOD, SERVICE_SALE_ITEM),
        *LEDGER_TYPES,
        *TRANSACTION_TYPES,
    )
}
