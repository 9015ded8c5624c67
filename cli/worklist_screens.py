"""Drawing the work lists: one short table per kind of work; what is empty is said."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli.output import counted, local_time, plain, table, until
from cli.views import spoken, title

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Rows = list[dict[str, Any]]


def draw_manager(console: "Console", document: dict[str, Any]) -> None:
    whose = f"of {document['for']}" if document["for"] else "of everybody"
    console.print(
        plain(f"{counted(document['projects'], 'project')} {whose}, {local_time(document['as_of'])}"),
        style="dim",
    )
    if not document["projects"]:
        console.print("No project has this project manager: --for takes the address in the contract.")
        return
    _part(console, document, "prebills", "Pre-bills to review", "None waits.", _prebills)
    _part(console, document, "held", "Held", "No entry is held.", _held)
    _part(console, document, "purchases", "Waiting for suppliers", "None is waited for.", _purchases)
    _part(console, document, "burn", "Burn", "No project.", _burn)
    _part(console, document, "refused", "Refused at intake", "No entry is refused.", _refused)


def draw_billing(console: "Console", document: dict[str, Any]) -> None:
    console.print(local_time(document["as_of"]), style="dim")
    _part(console, document, "unbilled", "Approved, not billed", "Everything is billed.", _unbilled)
    _part(console, document, "blocked", "Blocked invoices", "None is blocked.", _blocked)
    _part(console, document, "approvals", "Awaiting approval", "None waits.", _approvals)
    _part(console, document, "exceptions", "Exceptions", "Nothing waits for a person.", _exceptions)
    _part(console, document, "orders", "Purchase orders", "No order has an amount.", _orders)
    _part(console, document, "intake", "Intake", "No entry is refused.", _intake)


def _part(
    console: "Console",
    document: dict[str, Any],
    name: str,
    heading: str,
    empty: str,
    drawn: Callable[[Rows], "Table"],
) -> None:
    rows, number = document[name], document["totals"][name]
    count = f"  {len(rows)} of {number}" if len(rows) < number else f"  {number}" if number else ""
    console.print(title(heading + count))
    if rows:
        console.print(drawn(rows))
    else:
        console.print(empty, style="dim")


def _prebills(rows: Rows) -> "Table":
    drawn = table("Project", "Customer", "Value", "Entries", "Since", "Due", right=("Value", "Entries"))
    for row in rows:
        drawn.add_row(
            plain(row["project"]),
            plain(row["customer"]),
            str(row["value"]),
            str(row["entries"]),
            local_time(row["since"])[:10],
            plain(until(row["due"])),
        )
    return drawn


def _held(rows: Rows) -> "Table":
    drawn = table("Entry", "Date and person", "Value", "Reason", fold=("Entry",), right=("Value",))
    for row in rows:
        drawn.add_row(
            plain(f"{row['entry']}\n{row['project']}"),
            plain(f"{row['date']}\n{row['person']}"),
            str(row["value"] or "no rate"),
            plain(row["reason"]),
        )
    return drawn


def _purchases(rows: Rows) -> "Table":
    drawn = table("Project", "Stage", "Purchases", "Since", fold=("Purchases",))
    for row in rows:
        since = local_time(row["since"])[:10]
        drawn.add_row(plain(row["project"]), plain(row["stage"]), plain(row["what"]), since)
    return drawn


def _burn(rows: Rows) -> "Table":
    drawn = table("Project", "Limit", "Billed", "Unbilled", "Left", "Used", right=("Used",))
    for column in drawn.columns[1:5]:
        column.justify = "right"
    for row in rows:
        drawn.add_row(
            plain(row["project"]),
            plain(f"{row['limit']}\n{row['limit_is']}" if row["limit"] else "no limit"),
            str(row["billed"]),
            str(row["unbilled"]),
            str(row["left"] if row["left"] is not None else ""),
            percent(row["used_percent"]),
        )
    return drawn


def _refused(rows: Rows) -> "Table":
    drawn = table("Entry", "Problem", "Worth", fold=("Entry",))
    for row in rows:
        drawn.add_row(
            plain(f"{row['entry']}\n{row['project'] or 'project unknown'}"),
            plain(f"{row['field']}: {row['problem']}"),
            plain(row["amount"]),
        )
    return drawn


def _unbilled(rows: Rows) -> "Table":
    drawn = table("Project", "Customer", "Cause", "Entries", "Value", "Oldest", right=("Entries", "Value"))
    for row in rows:
        without = f"\n{row['without_rate']} no rate" if row["without_rate"] else ""
        drawn.add_row(
            plain(row["project"]),
            plain(row["customer"]),
            plain(row["cause"] + without),
            str(row["entries"]),
            str(row["value"]),
            str(row["oldest"]),
        )
    return drawn


def _blocked(rows: Rows) -> "Table":
    drawn = table("Invoice", "Gross", "Cause and owner", "Problem", fold=("Invoice",), right=("Gross",))
    for row in rows:
        drawn.add_row(
            plain(f"{row['invoice'].rpartition('/')[2]}"),
            str(row["gross"]),
            plain(f"{row['cause']}\n{spoken(row['owner'])}"),
            plain(row["problem"] + (f" (and {row['findings'] - 1} more)" if row["findings"] > 1 else "")),
        )
    return drawn


def _approvals(rows: Rows) -> "Table":
    drawn = table("Invoice", "Project", "Net", "Gross", "Since", fold=("Invoice",), right=("Net", "Gross"))
    for row in rows:
        drawn.add_row(
            plain(row["invoice"].rpartition("/")[2]),
            plain(row["project"]),
            str(row["net"]),
            str(row["gross"]),
            local_time(row["since"])[:10],
        )
    return drawn


def _exceptions(rows: Rows) -> "Table":
    drawn = table("What and id", "Amount", "Owner", "Due", fold=("What and id",), right=("Amount",))
    for row in rows:
        drawn.add_row(
            plain(f"{row['headline']}\n{row['id']}"),
            plain(row["amount"]),
            plain(spoken(row["owner"])),
            plain(until(row["due"])),
        )
    return drawn


def _orders(rows: Rows) -> "Table":
    drawn = table("Order", "Project and customer", "Left", "Of", "Expires", right=("Left", "Of", "Expires"))
    for row in rows:
        drawn.add_row(
            plain(row["order"]),
            plain(f"{row['project']}\n{row['customer']}"),
            f"{row['left']}\n{row['left_percent']}%",
            str(row["amount"]),
            str(row["expires_on"] or "never"),
        )
    return drawn


def _intake(rows: Rows) -> "Table":
    drawn = table("Rule", "Owner", "Entries", "Oldest", right=("Entries",))
    for row in rows:
        drawn.add_row(
            plain(row["rule"]),
            plain(spoken(row["owner"])),
            str(row["count"]),
            plain(f"{row['oldest']} since {local_time(row['since'])[:10]}: {row['problem']}"),
        )
    return drawn


def percent(value: object) -> str:
    return "" if value is None else f"{value}%"
