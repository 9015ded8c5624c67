"""Single values of a firm's file: what each may be, with a message written as `what is wrong; what to do`."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pycountry
from pydantic import AfterValidator, BeforeValidator, Field

from domain.money import MoneyError, minor_units


def _duration(value: object) -> object:
    """Seconds as a whole number, or text such as "2s", "15m", "1h", "1d"."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", str(value)) if isinstance(value, int | str) else None
    if match is None or isinstance(value, bool):
        raise ValueError('is not a duration; write seconds, or text such as "15m" (s, m, h or d)')
    return timedelta(seconds=int(match[1]) * units[match[2] or "s"])


def _currency(value: str) -> str:
    try:
        minor_units(value)
    except MoneyError as error:
        raise ValueError(f"is wrong: {error}; write an ISO 4217 code such as EUR") from None
    return value


def _country(value: str) -> str:
    if pycountry.countries.get(alpha_2=value) is None:
        raise ValueError(f"{value!r} is not a country; write an ISO 3166-1 code such as DE")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a time zone; write an IANA name such as Europe/Berlin") from None
    return value


def _mail(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError(f"{value!r} is not a mail address; write one such as anna@example.com")
    return value


def _web_address(value: str) -> str:
    address = urlsplit(value)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("is not a web address; write one such as https://acme.my.salesforce.com")
    if address.username or address.password:
        raise ValueError("holds credentials; take them out and refer to them under auth")
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "localhost", "::1", "sandbox"):
        raise ValueError(f"is not encrypted; use https for {address.hostname}")
    return value.rstrip("/")


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Currency = Annotated[str, AfterValidator(_currency)]
Country = Annotated[str, AfterValidator(_country)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Mail = Annotated[str, AfterValidator(_mail)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")]
