"""Gate "customer data": one known, active, creditworthy customer in the ERP for the CRM's account."""

from collections.abc import Iterator

from domain.books import ErpCustomer, PartyFacts
from domain.gates.case import Case
from domain.money import Money
from domain.readiness import Evidence, Finding
from domain.selling import Customer, Deal
from domain.tax_ids import normalised, problem_with


def matched_customer(deal: Deal, facts: PartyFacts | None) -> ErpCustomer | None:
    """The ERP customer of the deal: the one a person chose, else the only candidate.

    Inactive records do not compete with active ones, so that deactivating a duplicate cures the doubt.
    `None` means there is none to use (create one) or there are several (a person decides).
    """
    candidates = _candidates(deal, facts)
    return candidates[0] if len(candidates) == 1 else None


def judge_customer_data(case: Case) -> Iterator[Finding]:
    customer = case.deal.customer
    yield from _judge_tax_id(case, customer)
    if customer.credit_hold:
        yield case.finding(
            "customer.credit_hold",
            "credit_hold.crm",
            f"{customer.name} is on credit hold in the CRM: have it released, or let the gate be skipped",
            "true",
        )
    if case.facts is None:
        yield case.finding(
            "erp.customer", "erp.not_read", "the ERP was not read: the customer cannot be checked; retry"
        )
        return
    yield from _judge_match(case, case.facts)
    erp = matched_customer(case.deal, case.facts)
    if case.option("payment_terms") == "required" and not (customer.payment_terms or (erp and erp.terms)):
        yield case.finding(
            "customer.payment_terms",
            "payment_terms.required",
            f'no payment terms are known for {customer.name}: set them on the CRM account, such as "Net 30"',
        )
    if erp is not None:
        yield from _judge_standing(case, erp)
    elif case.option("credit_limit") == "required":
        yield case.finding(
            "erp.customer",
            "credit_limit.required",
            f"{customer.name} has no credit limit in the ERP: set one there, or let the gate be skipped",
        )


def customer_data_evidence(case: Case) -> Iterator[Evidence]:
    yield case.evidence("crm", case.deal.customer.id, case.deal.version.isoformat())
    erp = matched_customer(case.deal, case.facts)
    if case.facts and erp:
        label = f"{erp.number} {erp.name}".strip()
        yield case.evidence(
            "erp", f"customer {erp.external_id}", erp.version, f"matched {label}", case.facts.as_of
        )
    elif case.facts and not case.facts.customers:
        yield case.evidence("erp", "customer", "", "not there yet: will be created", case.facts.as_of)


def _candidates(deal: Deal, facts: PartyFacts | None) -> tuple[ErpCustomer, ...]:
    customers = facts.customers if facts else ()
    if deal.customer.erp_id:
        return tuple(c for c in customers if c.external_id == deal.customer.erp_id)
    return tuple(c for c in customers if c.active) or customers


def _judge_tax_id(case: Case, customer: Customer) -> Iterator[Finding]:
    if not customer.tax_id:
        if case.option("tax_id") == "required":
            yield case.finding(
                "customer.tax_id",
                "tax_id.required",
                f"{customer.name} has no tax registration number: enter it on the CRM account",
            )
        return
    problem = problem_with(customer.tax_id, customer.address.country)
    if problem:
        yield case.finding(
            "customer.tax_id",
            "tax_id.invalid",
            f"tax registration number {customer.tax_id} of {customer.name} is not valid: {problem}",
            customer.tax_id,
        )


def _judge_match(case: Case, facts: PartyFacts) -> Iterator[Finding]:
    candidates, chosen = _candidates(case.deal, facts), case.deal.customer.erp_id
    if chosen and not candidates:
        offered = ", ".join(_described(c) for c in facts.customers) or "none"
        yield case.finding(
            "erp.customer",
            "customer.not_a_candidate",
            f"ERP customer {chosen} is not a candidate for this account; candidates: {offered}",
            chosen,
        )
    elif len(candidates) > 1:
        yield case.finding(
            "erp.customer",
            "customer.two_candidates",
            f"the ERP holds {len(candidates)} customers for {case.deal.customer.name}: "
            f"{' and '.join(_described(c) for c in candidates)}; "
            "choose one by its id, or deactivate the duplicate",
            ", ".join(c.external_id for c in candidates),
        )


def _described(customer: ErpCustomer) -> str:
    label = f"{customer.number} {customer.name}".strip()
    return f"{label} (id {customer.external_id}{'' if customer.active else ', inactive'})"


def _judge_standing(case: Case, erp: ErpCustomer) -> Iterator[Finding]:
    if not erp.active:
        yield case.finding(
            "erp.customer",
            "customer.inactive",
            f"ERP customer {_described(erp)} is inactive: reactivate it in the ERP",
            erp.external_id,
        )
    if erp.on_credit_hold:
        yield case.finding(
            "erp.customer",
            "credit_hold.erp",
            f"ERP customer {_described(erp)} is on credit hold: have it released in the ERP",
            erp.external_id,
        )
    yield from _judge_same_tax_id(case, erp)
    yield from _judge_credit(case, erp)


def _judge_same_tax_id(case: Case, erp: ErpCustomer) -> Iterator[Finding]:
    ours = normalised(case.deal.customer.tax_id or "")
    theirs = {normalised(number) for number in erp.tax_ids if number}
    if ours and theirs and ours not in theirs:
        yield case.finding(
            "customer.tax_id",
            "tax_id.differs",
            f"the CRM says {case.deal.customer.tax_id}, ERP customer {_described(erp)} says "
            f"{', '.join(erp.tax_ids)}: correct the wrong one",
            case.deal.customer.tax_id,
        )


def _judge_credit(case: Case, erp: ErpCustomer) -> Iterator[Finding]:
    limit = erp.credit_limit
    value = case.deal.contract.value if case.deal.contract else None
    if limit is None:
        if case.option("credit_limit") == "required":
            yield case.finding(
                "erp.customer",
                "credit_limit.required",
                f"ERP customer {_described(erp)} has no credit limit: set one in the ERP",
                erp.external_id,
            )
        return
    if value is None:
        return
    exposure = erp.balance or Money.zero(limit.currency)
    if {value.currency, exposure.currency} != {limit.currency}:
        yield case.finding(
            "erp.customer",
            "credit_limit.other_currency",
            f"credit limit {limit}, balance {exposure} and contract {value} are in different currencies and "
            "cannot be compared without a rate: the credit manager decides",
            limit,
        )
    elif exposure + value > limit:
        yield case.finding(
            "erp.customer",
            "credit_limit.exceeded",
            f"open balance {exposure} and contract {value} exceed the credit limit {limit} "
            f"by {exposure + value - limit}: raise the limit in the ERP, or let the gate be skipped",
            limit,
        )
