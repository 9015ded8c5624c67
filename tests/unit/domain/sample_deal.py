"""One clean deal of a small firm, and what the systems say about it, to be bent by each test."""

from datetime import UTC, date, datetime

from domain.billing_schedule import scheduled_lines
from domain.books import BillingScheduleFacts, EntityFacts, ErpCustomer, PartyFacts
from domain.delivery import StaffingAnswer, StaffingDemand, StaffingState
from domain.money import Money, total
from domain.policy import EntityPolicy, Person, PolicySnapshot, Route
from domain.readiness import Gate, GateProfile, GateRule, OwnerGroup
from domain.selling import (
    Address,
    BillingMethod,
    Contract,
    ContractLine,
    Customer,
    CustomerPO,
    Deal,
    RateCard,
    RateCardRole,
    RevenueMethod,
)

AS_OF = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


LINES = (
    ContractLine(
        id="line-1",
        number=1,
        name="Architecture",
        billing_method=BillingMethod.TIME_AND_MATERIALS,
        revenue_method=RevenueMethod.RIGHT_TO_INVOICE,
        quantity="100",
        unit_price="150",
        amount=eur(15000),
        cap=eur(18000),
        role="Architect",
        grade="Senior",
        skills=("cloud",),
    ),
    ContractLine(
        id="line-2",
        number=2,
        name="Design accepted",
        billing_method=BillingMethod.MILESTONE,
        quantity="1",
        unit_price="40000",
        amount=eur(40000),
        due_on=date(2027, 1, 31),
    ),
    ContractLine(
        id="line-3",
        number=3,
        name="Run",
        billing_method=BillingMethod.SUBSCRIPTION,
        quantity="3",
        unit_price="1000",
        amount=eur(3000),
        starts_on=date(2026, 12, 31),
        ends_on=date(2027, 3, 30),
        frequency="monthly",
    ),
    ContractLine(
        id="line-4",
        number=4,
        name="Night shift",
        billing_method=BillingMethod.TIME_AND_MATERIALS,
        quantity="50",
        unit_price="90",
        amount=eur(4500),
        role="Operator",
        subcontracted=True,
        supplier="Telemarc Concepts, Inc",
    ),
)

CUSTOMER = Customer(
    id="customer:salesforce:001A",
    external_id="001A",
    name="Alpenglow GmbH",
    tax_id="DE136695976",
    address=Address(country="DE", city="Bonn", postal_code="53113", state="NW"),
    payment_terms="Net 30",
)

CONTRACT = Contract(
    id="contract:salesforce:800A",
    external_id="800A",
    number="C-100",
    value=eur(62500),
    signed_on=date(2026, 11, 10),
    starts_on=date(2026, 12, 1),
    ends_on=date(2027, 11, 30),
    billing_entity="DE01",
    rate_card="RC-DE-2026",
    customer_po=CustomerPO(number="PO-77", amount=eur(62500), expires_on=date(2027, 12, 31)),
    lines=LINES,
)

DEAL = Deal(
    id="deal:salesforce:006A",
    external_id="006A",
    name="Alpenglow managed services",
    stage="Closed Won",
    won=True,
    currency="EUR",
    region="DE",
    starts_on=date(2026, 12, 1),
    ends_on=date(2027, 11, 30),
    project_manager_email="pm@example.com",
    customer=CUSTOMER,
    contract=CONTRACT,
    version=AS_OF,
)

ERP_CUSTOMER = ErpCustomer(
    external_id="501",
    number="CUST501",
    name="Alpenglow GmbH",
    tax_ids=("DE 136 695 976",),
    credit_limit=eur(100000),
    balance=eur(10000),
    terms="Net 30",
)

ENTITY = EntityFacts(
    code="DE01",
    external_id="2",
    name="Fairlead Beratung GmbH",
    active=True,
    currency="EUR",
    country="DE",
    tax_registrations=("DE",),
    open_periods=("2026-11", "2026-12"),
)

FACTS = PartyFacts(entity=ENTITY, customers=(ERP_CUSTOMER,), as_of=AS_OF)

CARD = RateCard(
    code="RC-DE-2026",
    version="1",
    currency="EUR",
    valid_from=date(2026, 1, 1),
    valid_to=date(2027, 12, 31),
    roles=(
        RateCardRole(role="Architect", grade="Senior", price="160", floor_price="140"),
        RateCardRole(role="Operator", price="95", floor_price="80"),
    ),
)

DEMAND = StaffingDemand(
    ref="1",
    role="Architect",
    starts_on=date(2026, 12, 1),
    ends_on=date(2027, 11, 30),
    request_external_id="900",
)
ANSWER = StaffingAnswer(request_external_id="900", role="Architect", state="approved", resource="77")
STAFFING = StaffingState(demands=(DEMAND,), answers=(ANSWER,), requested_by="pm@example.com")

SCHEDULE = BillingScheduleFacts(
    external_id="700",
    total=total([line.amount for line in scheduled_lines(DEAL) if line.amount], "EUR"),
    line_count=4,
)

POLICY = PolicySnapshot(
    firm="acme",
    file_hash="0" * 64,
    routes=(
        Route(role="crm", system="salesforce", task_queue="fairlead.salesforce"),
        Route(role="erp", system="netsuite", task_queue="fairlead.netsuite"),
        Route(role="psa", system="kantata", task_queue="fairlead.kantata"),
    ),
    profiles=(),
    entities=(
        EntityPolicy(
            code="DE01",
            name="Fairlead Beratung GmbH",
            country="DE",
            currency="EUR",
            region="DE",
            currencies=("EUR", "CHF"),
            time_zone="Europe/Berlin",
        ),
    ),
    owners=tuple(
        Person(group=group, name=group.value, email=f"{group}@example.com", escalates_to="cfo@example.com")
        for group in OwnerGroup
    ),
)

OPTIONS: dict[Gate, dict[str, str]] = {
    Gate.CUSTOMER_DATA: {"tax_id": "required"},
    Gate.BILLING_STRUCTURE: {"customer_po": "required"},
}


def profile(options: dict[Gate, dict[str, str]] | None = None) -> GateProfile:
    """All gates before creation but staffing; staffing and billing structure before opening."""
    chosen = OPTIONS if options is None else options
    before = [gate for gate in Gate if gate is not Gate.STAFFING]
    rows = [(gate, "before_creation") for gate in before]
    rows += [(Gate.STAFFING, "before_opening"), (Gate.BILLING_STRUCTURE, "before_opening")]
    return GateProfile(
        region="DE",
        rules=tuple(
            GateRule.model_validate(
                {
                    "gate": gate,
                    "phase": phase,
                    "owner": OwnerGroup.FINANCE_SYSTEMS,
                    "skip_role": None if gate is Gate.TAX_RULES else "controller",
                    "options": chosen.get(gate, {}),
                }
            )
            for gate, phase in rows
        ),
    )


def with_contract(**changes: object) -> Deal:
    return DEAL.with_changes(contract=CONTRACT.with_changes(**changes))


def with_customer(**changes: object) -> Deal:
    return DEAL.with_changes(customer=CUSTOMER.with_changes(**changes))


def with_line(number: int, **changes: object) -> Deal:
    """The deal with one line changed; the other lines stand."""
    lines = tuple(line.with_changes(**changes) if line.number == number else line for line in LINES)
    return with_contract(lines=lines)


def with_erp_customer(**changes: object) -> PartyFacts:
    return FACTS.with_changes(customers=(ERP_CUSTOMER.with_changes(**changes),))


def with_entity(**changes: object) -> PartyFacts:
    return FACTS.with_changes(entity=ENTITY.with_changes(**changes))
