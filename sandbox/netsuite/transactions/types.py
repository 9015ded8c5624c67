"""Record types of transactions: what is sold, billed, credited, paid and posted.

Source: SuiteTalk REST record browser 2026.1 (invoice, salesOrder, creditMemo, customerPayment, journalEntry).
Custom body and column fields are this tenant's. A number counts in a series of its own per subsidiary and is
given when the transaction posts.
"""

from sandbox.netsuite.schema import COMMON, Field, RecordType, Sublist, by_name, dates, numbers, texts

APPROVALS = {"1": "Pending Approval", "2": "Approved", "3": "Rejected", "11": "Open"}
INVOICE_STATES = {
    "A": "Open",
    "B": "Paid In Full",
    "D": "Pending Approval",
    "E": "Rejected",
    "V": "Voided",
}
ORDER_STATES = {"A": "Pending Approval", "F": "Pending Billing", "G": "Billed", "H": "Closed"}
CREDIT_STATES = {"A": "Open", "B": "Fully Applied", "V": "Voided"}
PAYMENT_STATES = {"A": "Unapproved", "R": "Rejected", "B": "Not Deposited", "C": "Deposited"}

_KEY = Field("custbody_fairlead_key", max_length=300)
_HEAD = COMMON | by_name(
    Field("tranId", read_only=True, max_length=45),
    Field("transactionNumber", read_only=True),
    Field("currency", "ref", "Currency", target="currency"),
    *numbers("exchangeRate"),
    *dates("tranDate"),
    Field("postingPeriod", "ref", target="accountingPeriod", read_only=True),
    Field("memo", max_length=999),
    Field("createdDate", "datetime", read_only=True),
    _KEY,
)
_SUBSIDIARY = Field("subsidiary", "ref", "Subsidiary", target="subsidiary")
_SALE = by_name(
    Field("entity", "ref", "Customer", target="customer", required=True),
    Field("job", "ref", "Project", target="job"),
    _SUBSIDIARY,
    Field("otherRefNum", max_length=45),
    *numbers("subtotal total taxTotal", read_only=True),
)
_ITEMS = Sublist(
    "item",
    "line",
    by_name(
        Field("line", "integer"),
        Field("item", "ref", "Item", target="serviceSaleItem"),
        *numbers("quantity rate amount"),
        Field("description", max_length=999),
        Field("taxCode", "ref", target="salesTaxItem"),
        *numbers("taxRate1 tax1Amt grossAmt quantityBilled", read_only=True),
        Field("custcol_fairlead_line", max_length=80),
    ),
)
_APPLY = Sublist(
    "apply",
    "line",
    by_name(
        Field("line", "integer"),
        Field("doc", "ref", target="invoice"),
        Field("apply", "boolean"),
        *numbers("amount"),
        *numbers("due total", read_only=True),
        *texts("refNum type"),
    ),
)
_APPROVAL = by_name(
    Field("approvalStatus", "enum", values=APPROVALS),
    Field("custbody_fairlead_approval", max_length=300),
    Field("custbody_fairlead_approver", max_length=300),
    Field("custbody_fairlead_post_key", max_length=300),
    Field("custbody_fairlead_reason", max_length=999),
)
KEYS = ("custbody_fairlead_post_key", "custbody_fairlead_key")

INVOICE = RecordType(
    "invoice",
    _HEAD
    | _SALE
    | _APPROVAL
    | by_name(
        Field("terms", "ref", target="term"),
        *dates("dueDate startDate endDate"),
        Field("status", "enum", values=INVOICE_STATES, read_only=True),
        Field("account", "ref", target="account"),
        *numbers("amountPaid amountRemaining", read_only=True),
        Field("createdFrom", "ref", target="salesOrder", read_only=True),
        Field("billingSchedule", "ref", target="billingSchedule", read_only=True),
    ),
    {"item": _ITEMS},
    display=("tranId", "transactionNumber"),
    key_fields=KEYS,
    sequence="transaction",
)
SALES_ORDER = RecordType(
    "salesOrder",
    _HEAD
    | _SALE
    | by_name(
        Field("orderStatus", "enum", values=ORDER_STATES),
        Field("billingSchedule", "ref", target="billingSchedule"),
        *dates("startDate endDate"),
    ),
    {"item": _ITEMS},
    display=("tranId", "transactionNumber"),
    key_fields=KEYS,
    sequence="transaction",
)
CREDIT_MEMO = RecordType(
    "creditMemo",
    _HEAD
    | _SALE
    | by_name(
        Field("status", "enum", values=CREDIT_STATES, read_only=True),
        Field("account", "ref", target="account"),
        *numbers("applied unapplied amountRemaining", read_only=True),
        Field("createdFrom", "ref", target="invoice", read_only=True),
        Field("custbody_fairlead_reason", max_length=999),
    ),
    {"item": _ITEMS, "apply": _APPLY},
    display=("tranId", "transactionNumber"),
    key_fields=KEYS,
    sequence="transaction",
)
CUSTOMER_PAYMENT = RecordType(
    "customerPayment",
    _HEAD
    | by_name(
        Field("customer", "ref", "Customer", target="customer", required=True),
        _SUBSIDIARY,
        Field("payment", "number", "Payment Amount", required=True),
        Field("account", "ref", target="account"),
        Field("arAcct", "ref", target="account"),
        Field("checkNum", max_length=45),
        Field("status", "enum", values=PAYMENT_STATES, read_only=True),
        *numbers("applied unapplied total", read_only=True),
    ),
    {"apply": _APPLY},
    display=("tranId", "transactionNumber"),
    key_fields=KEYS,
    sequence="transaction",
)
JOURNAL_ENTRY = RecordType(
    "journalEntry",
    _HEAD
    | by_name(
        Field("subsidiary", "ref", "Subsidiary", target="subsidiary", required=True),
        Field("approvalStatus", "enum", values={key: APPROVALS[key] for key in ("1", "2", "3")}),
        *dates("reversalDate"),
        Field("reversalDefer", "boolean"),
        Field("reversalEntry", read_only=True),
        Field("isReversal", "boolean", read_only=True),
    ),
    {
        "line": Sublist(
            "line",
            "line",
            by_name(
                Field("line", "integer"),
                Field("account", "ref", "Account", target="account"),
                *numbers("debit credit"),
                Field("memo", max_length=999),
                Field("entity", "ref"),
                Field("department", "ref"),
                Field("class", "ref"),
            ),
        )
    },
    display=("tranId", "transactionNumber"),
    key_fields=KEYS,
    sequence="transaction",
)
TRANSACTION_TYPES = (INVOICE, SALES_ORDER, CREDIT_MEMO, CUSTOMER_PAYMENT, JOURNAL_ENTRY)
CODES = {
    "invoice": "CustInvc",
    "salesOrder": "SalesOrd",
    "creditMemo": "CustCred",
    "customerPayment": "CustPymt",
    "journalEntry": "Journal",
}
"""Record type -> type code of a transaction in queries."""
PREFIXES = {
    "invoice": "INV",
    "salesOrder": "SO",
    "creditMemo": "CM",
    "customerPayment": "PAY",
    "journalEntry": "JE",
}
