"""What a firm's files say of prices: its rate cards, and the tax expected of a supply by its tables."""

from collections.abc import Sequence
from datetime import date

from domain.money import Money
from domain.project_contract import ProjectContract
from domain.rules.expected_tax import expected_tax
from domain.rules.tax import ExpectedTax
from domain.selling import RateCard
from domain.supply import Supply, TaxParty
from firm.model import Firm


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
