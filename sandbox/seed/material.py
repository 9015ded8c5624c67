"""The seed's data files: real company names, places, given and family names, the rate cards.

`companies.csv`: names and contract numbers of United States General Services Administration contract
holders (public domain). `rate-cards.csv`: roles and prices derived from labour categories published there.
Everything else said about those companies in the seed is invented.
"""

import csv
import re
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from sandbox.seed.firm import RateRole

DATA = Path(__file__).with_name("data")
_FORM = re.compile(
    r"[,\s]+(?:INC(?:ORPORATED)?|L\.?L\.?C|L\.?L\.?P|LP|LTD|CORP(?:ORATION)?|CO(?:MPANY)?|PLLC|P\.?C|PLC)\.?,?$",
    re.IGNORECASE,
)
_SMALL = {"and", "of", "for", "the", "in", "to", "by", "at", "on"}


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def companies() -> tuple[tuple[str, str], ...]:
    """(contract number, company name in readable capitals), in order of the contracts."""
    return tuple((row["contract_number"], readable(row["company"])) for row in _rows("companies.csv"))


@cache
def places() -> tuple[dict[str, str], ...]:
    """country, state, city, postal_code and, for India, gst_code."""
    return tuple(_rows("places.csv"))


@cache
def names(country: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Given names and family names usual in a country."""
    row = next(row for row in _rows("people.csv") if row["country"] == country)
    return tuple(row["first_names"].split()), tuple(row["last_names"].split())


@cache
def rate_roles() -> tuple[RateRole, ...]:
    """Every line of every rate card."""
    return tuple(
        RateRole(
            *(row["card"], row["currency"]),
            *(date.fromisoformat(row["valid_from"]), date.fromisoformat(row["valid_to"])),
            *(row["role"], row["grade"], row["unit"]),
            *(Decimal(row["price"]), Decimal(row["floor_price"]), Decimal(row["cost_rate"])),
        )
        for row in _rows("rate-cards.csv")
    )


@cache
def rate_card(card: str) -> tuple[RateRole, ...]:
    """The lines of one rate card."""
    return tuple(line for line in rate_roles() if line.card == card)


def readable(company: str) -> str:
    """A register's capitals as one writes a name: `ICF MACRO, INC.` -> `ICF Macro, Inc.`."""
    if company != company.upper():
        return company
    words = re.sub(r"\s+", " ", company).split(" ")
    return " ".join(_word(word, first=number == 0) for number, word in enumerate(words))


def short(company: str) -> str:
    """A company name without its legal form."""
    before = ""
    while before != company:
        before, company = company, _FORM.sub("", company)
    return company.strip(" ,")


def _word(word: str, first: bool) -> str:
    plain = re.sub(r"[^A-Z]", "", word)
    if plain in ("LLC", "LLP", "PLLC", "LP", "PC", "USA", "IT", "II", "III", "HR") or re.search(
        r"[0-9.&]", word
    ):
        return (
            word.replace("INC.", "Inc.")
            .replace("CO.", "Co.")
            .replace("CORP.", "Corp.")
            .replace("LTD.", "Ltd.")
        )
    if plain and not re.search(r"[AEIOUY]", plain) and plain not in ("LTD",):
        return word
    if not first and word.lower() in _SMALL:
        return word.lower()
    return "-".join(part[:1] + part[1:].lower() for part in word.split("-"))
