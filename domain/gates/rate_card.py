"""Gate "rate card": one version prices every time-and-materials role, in the currency, on all dates."""

from collections.abc import Iterator

from domain.deal_dates import line_dates
from domain.gates.case import Case
from domain.readiness import Evidence, Finding
from domain.selling import BillingMethod, ContractLine, Deal, RateCard, RateCardRole


def judge_rate_card(case: Case) -> Iterator[Finding]:
    lines = _priced_lines(case.deal)
    contract = case.deal.contract
    if not lines or contract is None:
        return
    if contract.rate_card is None:
        yield case.finding(
            "contract.rate_card",
            "rate_card.required",
            f"contract {contract.number} has time-and-materials lines but names no rate card: enter its code",
        )
    elif case.card is None:
        yield case.finding(
            "contract.rate_card",
            "rate_card.unknown",
            f"rate card {contract.rate_card} is not in the firm's file: add it, or correct the code",
            contract.rate_card,
        )
    else:
        yield from _judge_card(case, case.card)
        for line in lines:
            yield from _judge_line(case, line, case.card)


def rate_card_evidence(case: Case) -> Iterator[Evidence]:
    if case.card and _priced_lines(case.deal):
        valid = f"{case.card.currency}, valid {case.card.valid_from} to {case.card.valid_to}"
        yield Evidence(
            system="firm file",
            record=f"rate card {case.card.code}",
            version=case.card.version,
            as_of=case.as_of,
            detail=valid,
        )


def _priced_lines(deal: Deal) -> list[ContractLine]:
    return deal.lines_billed_by(BillingMethod.TIME_AND_MATERIALS)


def _judge_card(case: Case, card: RateCard) -> Iterator[Finding]:
    if case.deal.currency is not None and card.currency != case.deal.currency:
        yield case.finding(
            "contract.rate_card",
            "rate_card.currency",
            f"rate card {card.code} is in {card.currency}, the deal in {case.deal.currency}: "
            f"choose a card in {case.deal.currency}",
            card.code,
        )


def _judge_line(case: Case, line: ContractLine, card: RateCard) -> Iterator[Finding]:
    dates = line_dates(line, case.deal)
    if dates is not None and not card.covers(*dates):
        yield case.finding(
            "contract.rate_card",
            "rate_card.dates",
            f"rate card {card.code} is valid {card.valid_from} to {card.valid_to}, but line {line.number} "
            f"{line.name} runs {dates[0]} to {dates[1]}: extend the card, or correct the dates",
            card.code,
        )
    if line.role is None:
        yield case.finding(
            line.path("role"),
            "role.required",
            f"line {line.number} {line.name} is time and materials but names no role: "
            f"enter a role of {card.code}",
        )
        return
    entry = _price_of(card, line)
    if entry is None:
        grade = f" at grade {line.grade}" if line.grade else ""
        yield case.finding(
            line.path("role"),
            "rate_card.role",
            f"rate card {card.code} has no price for role {line.role}{grade} of line {line.number}: "
            "add the role to the card, or correct the line",
            line.role,
        )
    elif case.option("floor") == "checked":
        yield from _judge_floor(case, line, card, entry)


def _price_of(card: RateCard, line: ContractLine) -> RateCardRole | None:
    """The card's entry for role and grade; an entry without a grade prices all grades of its role.

    A line without a grade is priced by the role's entry with the lowest floor, the seller's choice.
    """
    entries = [entry for entry in card.roles if entry.role == line.role]
    if line.grade:
        exact = [entry for entry in entries if entry.grade == line.grade]
        entries = exact or [entry for entry in entries if not entry.grade]
    return min(entries, key=lambda entry: entry.floor_price or entry.price, default=None)


def _judge_floor(case: Case, line: ContractLine, card: RateCard, entry: RateCardRole) -> Iterator[Finding]:
    if line.unit_price is not None and entry.floor_price is not None and line.unit_price < entry.floor_price:
        yield case.finding(
            line.path("unit_price"),
            "rate_card.below_floor",
            f"line {line.number} sells {line.role} at {line.unit_price} {card.currency} an hour, below the "
            f"floor {entry.floor_price} of {card.code}: raise the price, or let the pricing lead approve it",
            line.unit_price,
        )
