"""Tax ids valid in form: German USt-IdNr., Indian GSTIN, US EIN. Invented, but the check digits hold.

Sources: Bundeszentralamt für Steuern (ISO 7064, MOD 11,10); GSTN (base-36 checksum with factors 1 and 2);
IRS (two-digit campus prefix, seven digits).
"""

from random import Random

_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_EIN_PREFIXES = ("20", "26", "27", "45", "46", "47", "81", "82", "83", "84", "85")


def ust_id_check_digit(digits: str) -> int:
    """The ninth digit of a USt-IdNr. from the first eight."""
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10


def ust_id(chance: Random) -> str:
    """`DE` and nine digits."""
    digits = str(chance.randint(1, 9)) + "".join(str(chance.randint(0, 9)) for _ in range(7))
    return f"DE{digits}{ust_id_check_digit(digits)}"


def gstin_check_char(first14: str) -> str:
    """The fifteenth character of a GSTIN from the first fourteen."""
    total = 0
    for place, char in enumerate(first14):
        product = _BASE36.index(char) * (place % 2 + 1)
        total += product // 36 + product % 36
    return _BASE36[(36 - total % 36) % 36]


def gstin(chance: Random, state_code: str) -> str:
    """State code, PAN of a company (fourth letter C), registration number, `Z`, check character."""
    letters = "".join(chance.choice(_LETTERS) for _ in range(5))
    pan = f"{letters[:3]}C{letters[4]}{chance.randint(1000, 9999)}{chance.choice(_LETTERS)}"
    first14 = f"{state_code}{pan}1Z"
    return first14 + gstin_check_char(first14)


def ein(chance: Random) -> str:
    """`NN-NNNNNNN`."""
    return f"{chance.choice(_EIN_PREFIXES)}-{chance.randint(1_000_000, 9_999_999)}"
