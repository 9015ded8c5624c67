"""Drawing pre-bills: the list of those that wait, and one with its entries by contract line."""

from typing import TYPE_CHECKING, Any

from cli.output import counted, fields, local_time, plain, state, table, until
from cli.views import spoken, title

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.console import Console, RenderableType

    from domain.quantity import Quantity


def draw_list(console: "Console", lines: list[dict[str, Any]], total: int) -> None:
    if not lines:
        console.print("No pre-bill waits for its project manager.")
        return
    rows = table("Project and invoice", "Customer", "Value", "Entries", "State", "Due", right=("Value",))
    rows.columns[0].no_wrap = True
    for line in lines:
        left_out = f"\n{line['entries_held']} held" if line["entries_held"] else ""
        rows.add_row(
            plain(f"{line['project']}\n{line['invoice'].rpartition('/')[2]}"),
            plain(f"{line['customer']}\n{line['project_manager'] or 'no project manager'}"),
            str(line["value"]),
            plain(f"{line['entries']}{left_out}"),
            state(line["state"]),
            plain(until(line["due"])),
        )
    console.print(rows)
    shown = f"{len(lines)} of {total}" if len(lines) < total else str(total)
    console.print(f"{shown} waiting. See one: fairlead prebill show PROJECT", style="dim")


def draw_sheet(console: "Console", document: dict[str, Any]) -> None:
    console.print(_head(document))
    for line in document["lines"]:
        console.print(title(f"Line {line['line']}  {line['name']}  {line['sum']}"))
        console.print(_entries(line["entries"]))
    fixed = [event for event in document["events"] if event["amount"] is not None]
    if fixed:
        console.print(title("Fixed amounts"))
        rows = table("Event", "What", "Amount", fold=("Event",), right=("Amount",))
        for event in fixed:
            what = f"{spoken(event['kind'])} {event['occasion']}"
            rows.add_row(plain(event["key"]), plain(what), str(event["amount"]))
        console.print(rows)
    if not document["lines"] and not document["events"]:
        console.print("\nNothing of this project waits to be billed.")
        return
    console.print(title("Sums, before caps, retention, advance and tax"))
    console.print(fields(_sums(document)))
    if document["price"] is not None:
        console.print(title("Priced" if document["price"]["kept"] else "If it were priced now"))
        console.print(fields(_price_rows(document["price"])))
    draw_findings(console, document["findings"])
    _draw_commands(console, document)


def draw_findings(console: "Console", found: list[dict[str, Any]]) -> None:
    from rich.text import Text

    if not found:
        return
    console.print(title("Findings"))
    for finding in found:
        mark = ("stops it  ", "bold red") if finding["blocking"] else ("to know  ", "yellow")
        console.print(Text.assemble(mark, f"{finding['field']}: {finding['problem']}"))


def _head(document: dict[str, Any]) -> "RenderableType":
    due = document["due"]
    until_day = document["service_to"]
    invoice = (document["invoice"] or "").rpartition("/")[2]
    return fields(
        [
            ("Project", plain(f"{document['project']} {document['title']}")),
            ("Customer", plain(f"{document['customer']}, contract {document['contract']}")),
            ("Reviewed by", plain(document["project_manager"])),
            ("Invoice", plain(invoice or f"none yet: this is what the next bill collects until {until_day}")),
            ("Work until", str(until_day)),
            ("Stage", state(document["standing"]) if document["standing"] else ""),
            ("Due", plain(f"{local_time(due)} ({until(due)})") if due else ""),
        ]
    )


def _entries(entries: list[dict[str, Any]]) -> "RenderableType":
    rows = table(
        "Date", "Person and role", "Quantity", "Price", "Value", "Entry", right=("Quantity", "Price", "Value")
    )
    rows.columns[0].no_wrap = True
    rows.columns[5].overflow = "fold"
    for entry in entries:
        who = "\n".join(part for part in (entry["person"], entry["role"]) if part)
        rows.add_row(
            str(entry["date"]),
            plain(who),
            time_text(entry["quantity"]) if entry["quantity"] else spoken(entry["kind"]),
            _price(entry),
            _value(entry),
            _entry_text(entry),
        )
    return rows


def _price(entry: dict[str, Any]) -> str:
    if entry["price"] is not None:
        return f"{entry['price']}/{entry['per'][0]}"
    return "" if entry["kind"] == "expense" else "no rate"


def _value(entry: dict[str, Any]) -> str:
    value, change = entry["value"], entry["adjustment"]
    if value is None:
        return "?"
    from domain.money import minor_units

    decimals = minor_units(value.currency)
    shown = f"{value.amount:,.{decimals}f}"
    return f"{shown}\n({change.amount.amount:+,.{decimals}f})" if change else shown


def _entry_text(entry: dict[str, Any]) -> "RenderableType":
    from rich.text import Text

    said = entry["state"] if entry["state"] != "parked" else "above the cap"
    if entry["hold_reason"]:
        said += f": {entry['hold_reason']}"
    style = "" if entry["state"] == "billed" else "yellow"
    return Text.assemble(entry["key"], ("\n" + said if said != "billed" else "", style))


def time_text(quantity: "Quantity") -> str:
    """`7:30 h` of minutes, exactly; hours and days as their source gave them."""
    if quantity.unit == "minutes" and quantity.amount == int(quantity.amount):
        hours, minutes = divmod(abs(int(quantity.amount)), 60)
        return f"{'-' if quantity.amount < 0 else ''}{hours}:{minutes:02} h"
    return f"{_short(quantity.amount)} {'d' if quantity.unit == 'days' else quantity.unit[0]}"


def _short(number: "Decimal") -> str:
    return f"{number.normalize():f}"


def _sums(document: dict[str, Any]) -> list[tuple[str, Any]]:
    sums, limits = document["sums"], document["limits"]
    rows: list[tuple[str, Any]] = [
        ("Work", f"{sums['work']} of {_entry_count(sums['entries'])}"),
        ("Fixed", str(sums["events"]) if sums["events"].amount else ""),
        ("In all", str(sums["total"])),
        ("Written down or up", str(sums["adjusted"]) if sums["adjusted"].amount else ""),
        ("Held", _left_out(sums, "held")),
        ("Above the cap", _left_out(sums, "parked")),
        (
            "Without a rate",
            _entry_count(sums["entries_without_rate"]) if sums["entries_without_rate"] else "",
        ),
    ]
    if limits["cap"] is not None:
        left = f"{limits['cap']} ({limits['cap_kind']}), {limits['billed_before']} billed before, "
        rows.append(("Cap", f"{left}{limits['cap_left']} left"))
    return rows


def _left_out(sums: dict[str, Any], state: str) -> str:
    number = sums[f"entries_{state}"]
    return f"{sums[state]} of {_entry_count(number)}" if number else ""


def _entry_count(number: int) -> str:
    return counted(number, "entry", "entries")


def _price_rows(price: dict[str, Any]) -> list[tuple[str, Any]]:
    held, drawn = price["retention"], price["advance_applied"]
    return [
        ("Retention held", str(held) if held.amount else ""),
        ("Advance applied", str(drawn) if drawn.amount else ""),
        ("Net", str(price["net"])),
        ("Tax", str(price["tax"])),
        ("Gross", str(price["gross"])),
    ]


def _draw_commands(console: "Console", document: dict[str, Any]) -> None:
    if document["invoice"] is None or document["stage"] not in ("collected", "priced", "approved"):
        return
    id = document["invoice"].rpartition("/")[2]
    console.print(title("What you can do"))
    lines = [
        "fairlead prebill hold ENTRY --reason TEXT",
        "fairlead prebill write-down ENTRY AMOUNT --code CODE --reason TEXT",
    ]
    if document["standing"] == "in review":
        lines.append(f"fairlead prebill release {id}")
    for line in lines:
        console.print(plain(f"  {line}"), soft_wrap=True)
