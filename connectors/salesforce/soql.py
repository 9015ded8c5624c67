"""SOQL text: literals and the statements this connector sends (SOQL and SOSL reference)."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")

OPPORTUNITY = ("Id", "Name", "StageName", "IsWon", "Type", "SystemModstamp")
ACCOUNT = ("Id", "Name", "BillingStreet", "BillingCity", "BillingPostalCode", "SystemModstamp")
CONTRACT = ("Id", "ContractNumber", "Status", "StartDate", "EndDate", "CustomerSignedDate", "SystemModstamp")
LINE = (
    *("Id", "Name", "SortOrder", "Quantity", "UnitPrice", "TotalPrice", "ServiceDate"),
    "SystemModstamp",
)


def is_id(text: str) -> bool:
    """Whether `text` has the form of a record id: 15 or 18 letters and digits."""
    return _ID.fullmatch(text) is not None


def text(value: str) -> str:
    """A quoted string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def moment(value: datetime) -> str:
    """An unquoted UTC datetime literal, with milliseconds only where there are some."""
    utc = value.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=precision).replace("+00:00", "Z")


def columns(fields: Mapping[str, str], prefix: str, standard: Sequence[str]) -> list[str]:
    """The standard columns of one object and the configured ones below the canonical `prefix`."""
    if prefix:
        named = [name for path, name in fields.items() if path.startswith(prefix + ".")]
    else:
        named = [name for path, name in fields.items() if "." not in path]
    return list(dict.fromkeys([*standard, *(name for name in named if name)]))


def deal(fields: Mapping[str, str], deal_id: str) -> str:
    """One opportunity with its account, contract, owner and lines."""
    lines = ", ".join(columns(fields, "lines", LINE))
    child = f"SELECT {lines} FROM OpportunityLineItems ORDER BY SortOrder, Id"  # noqa: S608
    selected = [
        *deal_columns(fields)["Opportunity"],
        *(f"Account.{name}" for name in deal_columns(fields)["Account"]),
        *(f"Contract.{name}" for name in deal_columns(fields)["Contract"]),
        "Owner.Email",
        f"({child})",
    ]
    return f"SELECT {', '.join(selected)} FROM Opportunity WHERE Id = {text(deal_id)}"  # noqa: S608


def signed_deals(
    fields: Mapping[str, str], since: datetime | None, after: tuple[datetime, str] | None, size: int
) -> str:
    """Signed deals of which the opportunity, its contract or its account changed at or after `since`.

    Ordered by the opportunity's (SystemModstamp, Id), behind `after` in that order, at most `size`.
    """
    conditions = ["IsWon = true", "Contract.CustomerSignedDate != null"]
    if since is not None:
        stamps = ("SystemModstamp", "Contract.SystemModstamp", "Account.SystemModstamp")
        conditions.append("(" + " OR ".join(f"{name} >= {moment(since)}" for name in stamps) + ")")
    if after is not None:
        stamp, last = moment(after[0]), text(after[1])
        conditions.append(f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > {last}))")
    selected = [
        *summary_columns(fields)["Opportunity"],
        *(f"Account.{name}" for name in summary_columns(fields)["Account"]),
        *(f"Contract.{name}" for name in summary_columns(fields)["Contract"]),
    ]
    return (
        f"SELECT {', '.join(selected)} FROM Opportunity WHERE {' AND '.join(conditions)}"  # noqa: S608
        f" ORDER BY SystemModstamp, Id LIMIT {size}"
    )


def deal_columns(fields: Mapping[str, str]) -> dict[str, list[str]]:
    """Columns of a full deal by object."""
    return {
        "Opportunity": columns(fields, "", OPPORTUNITY),
        "Account": columns(fields, "customer", ACCOUNT),
        "Contract": columns(fields, "contract", CONTRACT),
    }


def summary_columns(fields: Mapping[str, str]) -> dict[str, list[str]]:
    """Columns of one row in a list of deals by object."""
    opportunity = ("Id", "Name", "Amount", "StageName", "IsWon", "SystemModstamp")
    named = [name for name in (fields["currency"], fields["mark.status"]) if name]
    contract = ("Id", "ContractNumber", "CustomerSignedDate", "SystemModstamp")
    return {
        "Opportunity": [*opportunity, *named],
        "Account": ["Id", "Name", "SystemModstamp"],
        "Contract": [*contract, fields["contract.billing_entity"]],
    }
