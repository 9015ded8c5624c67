"""Salesforce record ids: 15 case-sensitive characters, or 18 with a checksum that survives lost case.

Source: Salesforce object reference, "ID field type". The three last characters encode which of each five
characters are capitals.
"""

import re

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_POD = "5g00000"
"""Characters 4 to 10 of every id of this org: the pod and reserved digits."""


def checksum(id15: str) -> str:
    """The three characters that make a 15-character id case-safe."""
    chunks = (id15[at : at + 5] for at in (0, 5, 10))
    return "".join(_SUFFIX[sum(1 << i for i, char in enumerate(chunk) if char.isupper())] for chunk in chunks)


def record_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`th record of the object with this key prefix."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    id15 = f"{prefix}{_POD}{digits.rjust(5, '0')}"
    return id15 + checksum(id15)


def normal(text: str) -> str | None:
    """The 18-character form of an id, or None where the text is no id (wrong shape or checksum)."""
    if not _SHAPE.fullmatch(text):
        return None
    if len(text) == 18 and checksum(text[:15]) != text[15:].upper():
        return None
    return text[:15] + checksum(text[:15])
