"""From a signed deal to the contract its project is billed by. Pure, so that a repeat gives the same."""

from collections.abc import Iterator
from decimal import Decimal

from domain.base import Value
from domain.deal_dates import project_dates
from domain.project_contract import BillingTerms, ProjectContract, RetentionTerms, RetentionTier
from domain.selling import BillingMethod, Contract, Deal


class SystemRefs(Value):
    """Where the project lives in each system, as the activation made it."""

    psa_project: str = ""
    erp_customer: str = ""
    erp_project: str = ""
    erp_project_key: str = ""
    """Effect key of the ERP project."""
    erp_schedule: str = ""


def contract_of(deal: Deal, number: str, refs: SystemRefs, *, revision: int = 1) -> ProjectContract:
    """The contract of project `number` as `deal` was signed, without the firm's own terms.

    A deal whose missing signature two persons have skipped counts as signed when its project starts.
    Raises `ValueError` naming what the deal lacks; the gates before creation refuse such a deal.
    """
    contract, dates = deal.contract, project_dates(deal)
    if contract is None or dates is None or deal.currency is None or not contract.billing_entity:
        raise ValueError(
            f"deal {deal.external_id} cannot be billed: it needs a contract with its billing entity, a "
            "currency, and a start and end date"
        )
    return ProjectContract(
        project=number,
        revision=revision,
        deal=deal.external_id,
        number=contract.number,
        title=deal.name,
        entity=contract.billing_entity,
        region=deal.region or "",
        currency=deal.currency,
        value=contract.value,
        signed_on=contract.signed_on or dates[0],
        starts_on=dates[0],
        ends_on=dates[1],
        customer=deal.customer.external_id,
        customer_name=deal.customer.legal_name or deal.customer.name,
        customer_tax_id=deal.customer.tax_id,
        customer_address=deal.customer.address,
        customer_po=contract.customer_po,
        rate_card=contract.rate_card,
        lines=contract.lines,
        terms=_signed_terms(deal, contract),
        **dict(refs),
    )


def with_terms(contract: ProjectContract, terms: BillingTerms) -> ProjectContract:
    """`contract` under the firm's `terms`; what was signed stands where both speak."""
    signed = contract.terms
    return contract.with_changes(
        terms=terms.with_changes(
            retention=signed.retention if signed.retention.tiers else terms.retention,
            payment_terms=signed.payment_terms or terms.payment_terms,
            project_manager=signed.project_manager or terms.project_manager,
        )
    )


def contract_problems(contract: ProjectContract) -> Iterator[str]:
    """What keeps a contract from being billed, each naming the line and the cure.

    Each line has one number and one authority: two lines under one number could be billed by two.
    """
    authorities: dict[int, str] = {}
    for line in contract.lines:
        what = f"line {line.number} {line.name}"
        if line.number in authorities:
            yield (
                f"{what} has the number of another line, billed by {authorities[line.number]}, and is "
                f"billed by {line.billing_authority}: give each line a number of its own"
            )
        authorities.setdefault(line.number, line.billing_authority)
        if line.billing_method is None:
            yield f"{what} has no billing method: enter it in the CRM"
        fixed = line.billing_method in (BillingMethod.MILESTONE, BillingMethod.PERCENT_COMPLETE)
        if fixed and line.amount is None:
            yield f"{what} has no amount: enter it in the CRM"
        if line.amount is not None and line.amount.currency != contract.currency:
            yield f"{what} is {line.amount}, not in the contract's {contract.currency}: correct it"
        if line.billing_method is BillingMethod.SUBSCRIPTION and line.frequency is None:
            yield f"{what} has no frequency: enter monthly or quarterly"
    if contract.terms.advance and contract.terms.advance.currency != contract.currency:
        yield f"the advance of {contract.terms.advance} is not in the contract's {contract.currency}"


def _signed_terms(deal: Deal, contract: Contract) -> BillingTerms:
    percent = contract.retention_percent
    held = (RetentionTier(percent=percent),) if percent > Decimal(0) else ()
    return BillingTerms(
        retention=RetentionTerms(tiers=held),
        payment_terms=deal.customer.payment_terms or "",
        project_manager=deal.project_manager_email or "",
    )
