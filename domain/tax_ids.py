"""Tax registration numbers: is what a customer gave us a number its tax office could have issued?

Sources: USt-IdNr. (ISO 7064 MOD 11,10 check digit, as published for DE), GSTIN (GSTN, 15 characters with
a base-36 check character), EIN (IRS form SS-4, format only: an EIN has no check digit), VAT numbers of
other EU members (prefix and length of the Union's VIES register). A number that
passes is well formed, not proven.
"""

import re

EU_MEMBERS = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)

_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GSTIN = re.compile(r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]")


def normalised(tax_id: str) -> str:
    """`tax_id` in capitals without spaces, dots, dashes and slashes, for comparing."""
    return re.sub(r"[^0-9A-Z]", "", tax_id.upper())


def problem_with(tax_id: str, country: str) -> str | None:
    """What is wrong with `tax_id` as a number of `country` (ISO 3166-1), or `None` when it is well formed.

    Countries without a rule here accept any number that has a digit.
    """
    number = normalised(tax_id)
    if country == "DE":
        return _problem_with_ust_id(number)
    if country == "IN":
        return _problem_with_gstin(number)
    if country == "US":
        return None if re.fullmatch(r"\d{9}", number) else "an EIN has nine digits, such as 12-3456789"
    if country in EU_MEMBERS:
        return _problem_with_eu_vat(number, country)
    return None if any(c.isdigit() for c in number) else "a tax registration number holds digits"


def gst_state(tax_id: str | None) -> str | None:
    """The two-digit state code a GSTIN begins with, or `None` when it is not a valid GSTIN."""
    number = normalised(tax_id or "")
    return number[:2] if _problem_with_gstin(number) is None else None


def _problem_with_ust_id(number: str) -> str | None:
    if not re.fullmatch(r"DE\d{9}", number):
        return "a USt-IdNr. is DE and nine digits, such as DE136695976"
    product = 10
    for digit in number[2:10]:
        total = (int(digit) + product) % 10 or 10
        product = (2 * total) % 11
    expected = (11 - product) % 10
    return None if expected == int(number[10]) else "its check digit is wrong: a digit was mistyped"


def _problem_with_gstin(number: str) -> str | None:
    if not _GSTIN.fullmatch(number):
        return "a GSTIN has 15 characters: state code, PAN, entity, Z, check, such as 27AAPFU0939F1ZV"
    total = 0
    for position, character in enumerate(number[:14]):
        product = _BASE36.index(character) * (position % 2 + 1)
        total += product // 36 + product % 36
    expected = _BASE36[-total % 36]
    return None if expected == number[14] else "its check character is wrong: a character was mistyped"


def _problem_with_eu_vat(number: str, country: str) -> str | None:
    prefix = "EL" if country == "GR" else country
    if re.fullmatch(rf"{prefix}[0-9A-Z]{{8,12}}", number):
        return None
    return f"a VAT number of {country} is {prefix} and 8 to 12 letters or digits"
