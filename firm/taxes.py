"""Tax tables of a firm: `[tax.<country>]` in the files of its regions.

    [tax.FR]
    system = "eu_vat"
    rates = [{ percent = "20", valid_from = 2014-01-01 }]

Which keys a table has follows from its `system`; see the models in `domain/tax_regimes.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from domain.tax_regimes import SYSTEMS, TaxRegime
from firm.lines import Lines
from firm.problems import Key, Problem, did_you_mean, problems_from, written


@dataclass(frozen=True)
class TaxTables:
    """The tables of one file as read."""

    file: str
    countries: Mapping[str, Mapping[str, Any]]
    lines: Lines


def read_tax_tables(files: Iterable[TaxTables]) -> tuple[tuple[TaxRegime, ...], list[Problem]]:
    """Every country's regime, and what is wrong with its table."""
    regimes: dict[str, TaxRegime] = {}
    stated_in: dict[str, str] = {}
    problems: list[Problem] = []
    for tables in files:
        for country, table in tables.countries.items():
            if country in stated_in:
                what = f"is stated in {stated_in[country]} already"
                problems.append(_problem(tables, ("tax", country), what, "say it in one place"))
                continue
            stated_in[country] = tables.file
            regime = _regime(tables, country, table)
            problems += regime if isinstance(regime, list) else []
            regimes |= {country: regime} if isinstance(regime, TaxRegime) else {}
    return tuple(regimes.values()), problems


def _regime(tables: TaxTables, country: str, table: Mapping[str, Any]) -> TaxRegime | list[Problem]:
    key: Key = ("tax", country)
    if "country" in table:
        return [
            _problem(tables, (*key, "country"), "is said twice", f"leave it out: [tax.{country}] says it")
        ]
    system = str(table.get("system", ""))
    model = SYSTEMS.get(system)
    if model is None:
        what = f"= {system[:60]!r} is not allowed" if system else "is missing"
        cure = did_you_mean(system, SYSTEMS) if system else f"add it: {', '.join(SYSTEMS)}"
        return [_problem(tables, (*key, "system"), what, cure)]
    try:
        return model.model_validate({**table, "country": country})
    except ValidationError as error:
        return problems_from(
            error,
            tables.file,
            key,
            model=model,
            locate=tables.lines.of,
            place=lambda path: () if path == ("country",) else path,
        )


def _problem(tables: TaxTables, key: Key, what: str, cure: str) -> Problem:
    return Problem(tables.file, written(key), what, cure, tables.lines.of(key))
