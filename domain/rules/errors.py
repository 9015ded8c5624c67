"""What a pricing rule refuses: input that has no right answer. A finding is for what a person decides."""

from decimal import Decimal

from domain.money import Money


class RuleError(ValueError):
    """Names the field, the rule and, where there is one, the amount; the text says what to do."""

    def __init__(self, field: str, rule: str, problem: str, amount: Money | Decimal | None = None) -> None:
        of = "" if amount is None else f" [{amount}]"
        super().__init__(f"{field}: {problem}{of} (rule {rule})")
        self.field = field
        self.rule = rule
        self.amount = amount
