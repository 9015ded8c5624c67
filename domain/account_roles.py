"""Account roles: what an account is for. Which account plays a role is said per entity and book elsewhere."""

from enum import StrEnum


class AccountRole(StrEnum):
    RECEIVABLE = "receivable"
    PAYABLE = "payable"
    BANK = "bank"
    PAYROLL = "payroll"
    CONTRACT_ACCOUNT = "contract_account"
    """Earned less billed, per contract: an asset above zero, a liability below."""
    CONTRACT_LIABILITY = "contract_liability"
    """Advances: owed in work."""
    RETENTION = "retention"
    """Billed and held by the customer until it is released."""
    OUTPUT_TAX = "output_tax"
    INPUT_TAX = "input_tax"
    WITHHOLDING_RECEIVABLE = "withholding_receivable"
    """Withheld by customers, until their certificate is there."""
    REVENUE = "revenue"
    PAYMENT_TOLERANCE = "payment_tolerance"
    FX_REALISED = "fx_realised"
    PROJECT_LABOUR = "project_labour"
    BENCH_LABOUR = "bench_labour"
    LABOUR_ABSORBED = "labour_absorbed"
    SUBCONTRACT_COST = "subcontract_cost"
    RECEIVED_NOT_INVOICED = "received_not_invoiced"
    PROJECT_EXPENSE = "project_expense"
    EMPLOYEE_PAYABLE = "employee_payable"
    CARD_CLEARING = "card_clearing"
    CONTRACT_LOSS = "contract_loss"
    LOSS_PROVISION = "loss_provision"
    CREDIT_LOSS = "credit_loss"
    CREDIT_LOSS_ALLOWANCE = "credit_loss_allowance"


CONTROL = frozenset({AccountRole.RECEIVABLE, AccountRole.PAYABLE, AccountRole.BANK, AccountRole.PAYROLL})
"""Moved by documents of their subledger alone, never by a journal of ours."""

BY_PROJECT = frozenset(
    {
        AccountRole.CONTRACT_ACCOUNT,
        AccountRole.CONTRACT_LIABILITY,
        AccountRole.RETENTION,
        AccountRole.REVENUE,
        AccountRole.PROJECT_LABOUR,
        AccountRole.SUBCONTRACT_COST,
        AccountRole.PROJECT_EXPENSE,
        AccountRole.CONTRACT_LOSS,
    }
)
"""Posted with their project: without it the cost or revenue of no project is known."""
