"""The days a deal and its lines run, from the most specific source that states them. Ends are inclusive."""

from datetime import date

from domain.selling import ContractLine, Deal


def project_dates(deal: Deal) -> tuple[date, date] | None:
    """First and last day of the project: the deal's, else the contract's, else what its lines span.

    `None` when nobody states a start or an end. A start after the end is returned as it stands.
    """
    contract = deal.contract
    starts = [line.starts_on or line.due_on for line in deal.lines]
    ends = [line.due_on or line.ends_on for line in deal.lines]
    first = deal.starts_on or (contract.starts_on if contract else None)
    last = deal.ends_on or (contract.ends_on if contract else None)
    first = first or min((day for day in starts if day), default=None)
    last = last or max((day for day in ends if day), default=None)
    return (first, last) if first and last else None


def line_dates(line: ContractLine, deal: Deal) -> tuple[date, date] | None:
    """First and last day of a line: its own, else those of the project."""
    project = project_dates(deal)
    first = line.starts_on or (project[0] if project else None)
    last = line.ends_on or (project[1] if project else None)
    return (first, last) if first and last else None
