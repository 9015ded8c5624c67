"""What the firm is made of whatever its size: entities, practices, products, terms, accounting periods."""

from calendar import monthrange
from datetime import date

from sandbox.seed.dates import in_month
from sandbox.seed.firm import (
    AccountingPeriod,
    Address,
    BillingMethod,
    Entity,
    PaymentTerm,
    Practice,
    Product,
)

FIRM_NAME = "Fairlead Consulting"

ENTITIES = (
    Entity(
        *("US01", "Fairlead Consulting Inc.", "US", "US", "USD", "sales_tax_destination", "47-3318204"),
        Address("350 Bush Street", "San Francisco", "CA", "94104", "US"),
        *("America/Los_Angeles", "RC-US-2026"),
    ),
    Entity(
        *("DE01", "Fairlead Beratung GmbH", "DE", "DE", "EUR", "vat", "DE318204755"),
        Address("Unter den Linden 21", "Berlin", "BE", "10117", "DE"),
        *("Europe/Berlin", "RC-DE-2026"),
    ),
    Entity(
        *("IN01", "Fairlead Services Pvt. Ltd.", "IN", "IN", "INR", "gst", "29AAFCF3182R1ZW"),
        Address("14 Residency Road", "Bengaluru", "KA", "560025", "IN"),
        *("Asia/Kolkata", "RC-IN-2026"),
    ),
)

PRACTICES = (
    Practice(
        *("DLV", "Application Delivery", "Template: application delivery"),
        (
            ("Discover", ("Kick-off", "Requirements")),
            ("Design", ("Architecture", "Experience design")),
            ("Build", ("Implementation", "Integration")),
            ("Release", ("Acceptance test", "Go-live")),
        ),
    ),
    Practice(
        *("OPS", "Managed Services", "Template: managed services"),
        (
            ("Transition", ("Knowledge transfer", "Tooling")),
            ("Stabilise", ("Parallel run", "Service acceptance")),
            ("Operate", ("Service desk", "Service reviews")),
        ),
    ),
    Practice(
        *("ADV", "Advisory", "Template: advisory"),
        (("Assess", ("Interviews", "Analysis")), ("Recommend", ("Options", "Report"))),
    ),
)

_METHODS: tuple[tuple[str, str, BillingMethod], ...] = (
    ("TM", "time and materials", "Time and Materials"),
    ("FP", "fixed price by milestone", "Milestone"),
    ("SUB", "subscription", "Subscription"),
    ("PC", "fixed price by percent complete", "Percent Complete"),
)
PRODUCTS = tuple(
    Product(f"{practice.code}-{code}", f"{practice.name}, {words}", practice.code, method)
    for practice in PRACTICES
    for code, words, method in _METHODS
)

PAYMENT_TERMS = (
    PaymentTerm("Due on receipt", 0),
    PaymentTerm("Net 14", 14),
    PaymentTerm("Net 30", 30),
    PaymentTerm("Net 45", 45),
    PaymentTerm("Net 60", 60),
)


def periods(as_of: date) -> tuple[AccountingPeriod, ...]:
    """The months of the years that ten months back and thirteen ahead are in, closed up to the last one."""
    found = []
    for year in range(in_month(as_of, -10).year, in_month(as_of, 13).year + 1):
        for month in range(1, 13):
            start, end = date(year, month, 1), date(year, month, monthrange(year, month)[1])
            found.append(AccountingPeriod(f"{start:%b %Y}", start, end, end < as_of.replace(day=1)))
    return tuple(found)
