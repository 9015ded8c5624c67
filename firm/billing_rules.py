"""What a firm's files say of prices: rate cards, expected tax by its tables, limits by exchange rate."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from domain.money import Money
from domain.project_contract import ProjectContract
from domain.rules.approval import ApprovalNeed, approval_need
from domain.rules.expected_tax import expected_tax
from domain.rules.fx import FxPolicy, NoRate, RateTable
from domain.rules.tax import ExpectedTax
from domain.selling import RateCard
from domain.supply import Supply, TaxParty
from firm.ecb_rates import ecb_rates
from firm.model import Firm

_LOOK_BACK = timedelta(days=60)
"""Older rates than this are refused by any policy."""


class FirmBillingRules:
    """Prices and expected tax of one firm."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm

    def rate_cards(self) -> Sequence[RateCard]:
        return list(self._firm.cards.values())

    def expected_tax(self, contract: ProjectContract, net: Money, on: date) -> ExpectedTax:
        """Tax of what the contract's entity sells to its customer, with `on` as tax point.

        Raises `KeyError` for an entity that the firm's file does not know.
        """
        return expected_tax(
            Supply(
                id=contract.project,
                supplier=self._supplier(contract.entity),
                customer=_customer(contract),
                net=net,
                on=on,
            ),
            self._firm.taxes,
        )

    def approval_need(self, total: Money, contract: ProjectContract, on: date) -> ApprovalNeed:
        """Whether a second person has to approve `total`, by the limit of the contract's terms.

        A limit in the entity's currency is compared at the spot rate of `on`; without one, approval is
        needed, and the reason says which rate is missing: nothing is assumed.
        """
        limit = contract.terms.approval_limit
        if limit is None:
            return ApprovalNeed(needed=True, reason="no limit is set: every invoice is approved")
        limits = {limit.currency: limit.amount}
        if limit.currency == total.currency:
            return approval_need(total, limits, limit.currency, RateTable([]), on)
        try:
            rates = self._rates(frozenset((total.currency, limit.currency)), on)
            return approval_need(total, limits, limit.currency, rates, on)
        except (NoRate, ValueError) as error:
            return ApprovalNeed(
                needed=True,
                reason=f"{total} cannot be held against the limit of {limit}: {error}",
                limit=limit,
            )

    def _rates(self, currencies: frozenset[str], on: date) -> RateTable:
        history = self._firm.parts.fx.history
        return _table(
            currencies - {"EUR"},
            on,
            self._firm.folder / history if history else None,
            self._firm.fx_policy("spot"),
        )

    def _supplier(self, code: str) -> TaxParty:
        entity = next((entity for entity in self._firm.entities if entity.code == code), None)
        if entity is None:
            raise KeyError(f"{self._firm.file.name} has no [[entities]] with the code {code!r}; add it")
        return TaxParty(
            name=entity.name,
            country=entity.country,
            state=entity.state,
            tax_id=entity.tax_id,
            registrations=entity.tax_registrations,
        )


def _customer(contract: ProjectContract) -> TaxParty:
    address = contract.customer_address
    return TaxParty(
        name=contract.customer_name,
        country=address.country,
        state=address.state,
        tax_id=contract.customer_tax_id or "",
    )


@cache
def _table(currencies: frozenset[str], on: date, history: Path | None, policy: FxPolicy) -> RateTable:
    return RateTable(ecb_rates(currencies, since=on - _LOOK_BACK, file=history), policy)
