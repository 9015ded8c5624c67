"""The tax engine a firm has without buying one: its own tables of rates and lists."""

from connectors.errors import Rejected
from domain.books import TaxDecision
from domain.rules.expected_tax import expected_tax
from domain.supply import Supply
from domain.tax_regimes import TaxRegimes


class RegimeTaxEngine:
    """Implements `connectors.ports.TaxEngine` by `domain.rules.expected_tax`."""

    def __init__(self, regimes: TaxRegimes) -> None:
        self._regimes = regimes

    async def decide(self, supply: Supply) -> TaxDecision:
        """Raises `Rejected` naming field, rule and cure of the first thing that is missing."""
        found = expected_tax(supply, self._regimes)
        if found.missing:
            first = found.missing[0]
            raise Rejected(
                "; ".join(finding.problem for finding in found.missing),
                operation="tax decision",
                field=first.field,
                rule=first.rule,
            )
        assert found.decision is not None  # noqa: S101  without a decision something is missing
        return found.decision
