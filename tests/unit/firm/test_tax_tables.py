"""Tax tables in a firm's files: every mistake is named with file, key and cure."""

import shutil
from pathlib import Path

import pytest

from domain.tax_regimes import EuVat
from firm.load import FirmFileError, load
from firm.problems import Problem

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"
DE, US, IN, DEFAULT = (f"regions/{name}.toml" for name in ("DE", "US", "IN", "default"))
FRANCE = '[tax.FR]\nsystem = "eu_vat"\nrates = [{ percent = "20", valid_from = 2014-01-01 }]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "firm"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"the example no longer holds {old!r}"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def mistakes(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(FirmFileError) as caught:
        load(folder)
    return caught.value.problems


def test_tables_are_read_from_every_region() -> None:
    taxes = load(EXAMPLE).taxes
    assert len(taxes.countries) == 29
    german = taxes.of("DE")
    assert isinstance(german, EuVat)
    assert [rate.percent for rate in german.rates] == [19, 16, 19]
    assert taxes.of("GB") is None


def test_a_firm_needs_no_tax_table(folder: Path) -> None:
    for file in (DE, US, IN, DEFAULT):
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.partition("[tax.")[0], encoding="utf-8")
    assert not load(folder).taxes.countries


MISTAKES = [
    (DE, "reverse_charge_words", "reverse_charge_word", "tax.DE.reverse_charge_word", "not a key", "words?"),
    (DE, 'system = "eu_vat"', 'system = "eu_vta"', "tax.DE.system", "eu_vta", "did you mean eu_vat?"),
    (DE, 'system = "eu_vat"', "", "tax.DE.system", "missing", "eu_vat"),
    (DE, "[tax.DE]", "[tax.DEU]", "tax.DEU", "not a country", "ISO 3166-1"),
    (DE, "[tax.DE]", '[tax.DE]\ncountry = "DE"', "tax.DE.country", "twice", "leave it out"),
    (DE, "[tax.DE]", "[tax]", "tax", "not a table of countries", "[tax.DE]"),
    (DE, "[tax.DE]", "[taxes]\n[tax.DE]", "taxes", "not a key", "tax"),
    (DE, "[tax.DE]", FRANCE + "[tax.DE]", "tax.FR", "stated in regions/DE.toml", "one place"),
    (DE, 'percent = "16"', 'percent = "160"', "tax.DE.rates[1].percent", "160", "correct"),
    (DE, "valid_to = 2020-12-31", "valid_to = 2020-01-31", "tax.DE.rates[1]", "before it begins", "dates"),
    (DE, ", valid_to = 2020-12-31", "", "tax.DE.rates", "both hold on 2021-01-01", "valid_to"),
    (IN, "rates = [{", "rates = [] # [{", "tax.IN.rates", "at least 1", "correct"),
    (IN, 'reference = "LUT AD290427000456B"', "", "tax.IN.undertakings[1].reference", "missing", "add"),
    (
        IN,
        'provision = "s. 393(1)',
        'provison = "s. 393(1)',
        "tax.IN.withholding[1].provison",
        "not a key",
        "?",
    ),
    (US, 'nexus = ["CT"', 'nexus = ["Texas"', "tax.US.nexus", "'Texas' is not a state", "two letters"),
    (US, "\nHI = ", "\nXX = ", "tax.US.states", "'XX' is not a state", "two letters"),
    (US, '["data_processing", "software"]', '["*"]', "tax.US.states", "both hold", "valid_to"),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "says", "cure"),
    MISTAKES,
    ids=[f"{row[3]}-{n}" for n, row in enumerate(MISTAKES)],
)
def test_a_mistake_in_a_tax_table_is_named(
    folder: Path, file: str, old: str, new: str, key: str, says: str, cure: str
) -> None:
    change(folder, file, old, new)
    found = mistakes(folder)
    problem = next((p for p in found if p.key == key and says in p.what), None)
    assert problem is not None, "\n".join(map(str, found))
    assert cure in problem.cure
    assert problem.line is not None
    assert "Error" not in str(problem)
