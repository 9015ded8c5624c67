"""States of India: the two digits a GSTIN begins with, and their ISO 3166-2 codes.

Source: GSTN's list of state codes; ISO 3166-2:IN with its changes of 2023 (old and new code mean the same).
"""

_CODES = (
    "01 JK|02 HP|03 PB|04 CH|05 UK UT|06 HR|07 DL|08 RJ|09 UP|10 BR|11 SK|12 AR|13 NL|14 MN|15 MZ|16 TR|17 ML"
    "|18 AS|19 WB|20 JH|21 OD OR|22 CG CT|23 MP|24 GJ|26 DH DN DD|27 MH|29 KA|30 GA|31 LD|32 KL|33 TN|34 PY"
    "|35 AN|36 TS TG|37 AP|38 LA"
)
_ROWS = [row.split() for row in _CODES.split("|")]
_DIGITS = {iso: digits for digits, *codes in _ROWS for iso in codes}
_ISO = {digits: codes[0] for digits, *codes in _ROWS}

UNION_TERRITORIES = frozenset({"CH", "DH", "LD", "AN", "LA"})
"""Without a legislature of their own: UTGST stands for SGST there (UTGST Act 2017)."""


def state_of(code: str) -> str | None:
    """The current ISO code of a state given by GST digits or by any ISO code of it; None if there is none."""
    text = code.strip().upper().removeprefix("IN-")
    return _ISO.get(_DIGITS.get(text, text))
