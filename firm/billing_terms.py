"""The billing terms of one contract, gathered from contract, entity and firm."""

from typing import Any

from domain.money import Money
from domain.project_contract import BillingTerms, RetentionTerms, RetentionTier
from domain.rules.fx import FxPolicy
from firm.billing_sections import BillingSection, ContractTermsSection, RatedBy, TermsSection
from firm.problems import written
from firm.sections import Entity, FirmFile, Limits

_RETENTION = ("retention_percent", "retention_release")


def billing_terms(parts: FirmFile, entity: Entity, contract_number: str, currency: str) -> BillingTerms:
    """What the firm says of a contract in `currency`; what it does not say is the default of the domain.

    Raises `ValueError` when the file states the contract's amounts in another currency.
    """
    own = parts.billing.contracts.get(contract_number, ContractTermsSection())
    if own.currency not in (None, currency):
        raise ValueError(
            f"{written(('billing', 'contracts', contract_number, 'currency'))} is {own.currency},"
            f" but the contract is in {currency}: correct the firm's file, or the contract"
        )
    stated = _stated(parts.billing, entity.code, own)
    amounts: dict[str, Any] = {
        name: _money(getattr(own, name), currency)
        for name in ("cap", "advance", "expense_cap")
        if getattr(own, name) is not None
    }
    return BillingTerms(
        **{name: value for name, value in stated.items() if name not in _RETENTION},
        **amounts,
        retention=_retention(stated, own, currency),
        approval_limit=_limit(parts.limits, "approval", currency, entity),
        write_down_limit=_limit(parts.limits, "write_down", currency, entity),
    )


def fx_policy(parts: FirmFile, rated_by: RatedBy) -> FxPolicy:
    """How old a rate of this type may be."""
    days = parts.fx.max_age_days.get(rated_by)
    return FxPolicy() if days is None else FxPolicy(max_age_days=days)


def _stated(firm: BillingSection, entity: str, own: ContractTermsSection) -> dict[str, Any]:
    """Each term from the innermost level that states it."""
    levels: list[TermsSection | None] = [firm, firm.entities.get(entity), own]
    names = TermsSection.model_fields
    return {
        name: value
        for level in levels
        if level is not None
        for name in names
        if (value := getattr(level, name)) is not None
    }


def _retention(stated: dict[str, Any], own: ContractTermsSection, currency: str) -> RetentionTerms:
    percent = stated.get("retention_percent")
    tiers: tuple[RetentionTier, ...] = (RetentionTier(percent=percent),) if percent else ()
    if own.retention_tiers is not None:
        tiers = tuple(
            RetentionTier(up_to=_money(tier.up_to, currency), percent=tier.percent)
            for tier in own.retention_tiers
        )
    return RetentionTerms(
        tiers=tiers,
        most_held=_money(own.retention_most, currency),
        release=stated.get("retention_release", "final_account"),
        release_on=own.retention_release_on,
    )


def _limit(limits: Limits, name: str, currency: str, entity: Entity) -> Money | None:
    """The limit in the contract's currency, else in the entity's own: it is compared by exchange rate."""
    stated = getattr(limits, name)
    within = currency if currency in stated else entity.currency
    return _money(stated.get(within), within)


def _money(amount: Any, currency: str) -> Money | None:
    return None if amount is None else Money.of(amount, currency)
