"""Drawing invoices: the list, and one with its lines, taxes, totals, approval and standing in the ERP."""

from typing import TYPE_CHECKING, Any

from cli.output import counted, fields, plain, state, table
from cli.prebill_screens import draw_findings
from cli.views import spoken, title

if TYPE_CHECKING:
    from rich.console import Console


def draw_list(console: "Console", lines: list[dict[str, Any]], total: int) -> None:
    if not lines:
        console.print("No invoice fits.")
        return
    rows = table("Invoice", "Customer", "Dated", "Net and gross", "Stage", right=("Dated", "Net and gross"))
    rows.columns[0].no_wrap = True
    for line in lines:
        id = line["invoice"].rpartition("/")[2]
        sign = "-" if line["credits"] else ""
        rows.add_row(
            plain(f"{line['number']}\n{id}" if line["number"] else id),
            plain(line["customer_name"]),
            str(line["dated"] or ""),
            f"{sign}{line['net']}\n{sign}{line['gross']}" if line["net"] else "not priced",
            state(line["standing"]),
        )
    console.print(rows)
    shown = f"{len(lines)} of {total}" if len(lines) < total else str(total)
    console.print(f"{shown}, last changed first. See one: fairlead invoice show INVOICE", style="dim")


def draw_sheet(console: "Console", document: dict[str, Any]) -> None:
    console.print(_head(document))
    if document["lines"]:
        console.print(_lines(document["lines"]))
        console.print(fields(_totals(document)))
    else:
        console.print("\nIt is not priced yet.")
    draw_findings(console, document["findings"])
    console.print(title("Approval"))
    console.print(fields(_approval(document["approval"])))
    console.print(title("In the ERP"))
    console.print(fields(_erp(document["erp"])))
    if document["credited_by"]:
        console.print(title("Credit notes"))
        for note in document["credited_by"]:
            text = f"{note['number'] or note['invoice'].rpartition('/')[2]}  {note['net']}  {note['stage']}"
            console.print(plain(f"  {text}"))
    if document["commands"]:
        console.print(title("What you can do"))
        for line in document["commands"]:
            console.print(plain(f"  {line}"), soft_wrap=True)


def _head(document: dict[str, Any]) -> Any:
    covers = document["covers"]
    return fields(
        [
            (document["kind"].capitalize(), plain(f"{document['number'] or 'no number yet'}")),
            ("Id", plain(document["invoice"])),
            ("Stage", state(document["standing"])),
            ("Project", plain(f"{document['project']} {document['title']}")),
            ("Customer", plain(f"{document['customer_name']}, contract {document['contract']}")),
            ("Order", plain(document["customer_po"])),
            ("Service", f"{document['service_from']} to {document['service_to']}"),
            ("Dated", str(document["dated"] or "")),
            ("Due", f"{document['due_on']} ({document['payment_terms']})" if document["due_on"] else ""),
            (
                "Covers",
                f"{counted(covers['entries'], 'entry', 'entries')}, {counted(covers['events'], 'event')}",
            ),
            ("Credits", plain(f"{document['credits']}: {spoken(document['credit_reason'] or '')}"))
            if document["credits"]
            else ("", ""),
            ("Bills again", plain(document["rebills"])),
        ]
    )


def _lines(lines: list[dict[str, Any]]) -> Any:
    rows = table("No", "What", "Quantity", "Price", "Net", "Tax", right=("Quantity", "Price", "Net"))
    for line in lines:
        quantity = f"{line['quantity']:f} {line['unit']}" if line["quantity"] is not None else ""
        rows.add_row(
            line["ref"],
            plain(line["description"]),
            quantity,
            f"{line['unit_price']:f}" if line["unit_price"] is not None else "",
            str(line["net"]),
            plain(line["tax_code"]),
        )
    return rows


def _totals(document: dict[str, Any]) -> list[tuple[str, Any]]:
    from domain.money import Money

    rows: list[tuple[str, Any]] = [("Net", str(document["net"]))]
    for tax in document["taxes"]:
        words = f" · {tax['words']}" if tax["words"] else ""
        amount, base = Money.model_validate(tax["tax"]), Money.model_validate(tax["base"])
        rows.append((f"Tax {tax['code']}", plain(f"{amount} ({tax['rate_percent']}% of {base}){words}")))
    rows.append(("Gross", str(document["gross"])))
    for label, name in (
        ("Retention held", "retention"),
        ("Advance applied", "advance_applied"),
        ("Written down or up", "adjusted"),
    ):
        if document[name] is not None and document[name].amount:
            rows.append((label, str(document[name])))
    if document["parked"]:
        rows.append(("Above the cap", f"left out: {counted(len(document['parked']), 'entry', 'entries')}"))
    return rows


def _approval(approval: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("State", state(approval["state"])),
        ("Limit", str(approval["limit"]) if approval["limit"] else ""),
        ("Approved by", plain(approval["approved_by"])),
        ("Made by", plain(", ".join(approval["made_by"]))),
        ("May approve", plain(", ".join(approval["may_approve"]))),
        ("Content", approval["content_hash"][:12]),
    ]


def _erp(erp: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("State", plain(f"{erp['state']} in {erp['system']}")),
        ("Number", plain(erp["number"])),
        ("Id there", plain(erp["external_id"])),
        ("Net and tax", f"{erp['net']}, {erp['tax']}" if erp["net"] is not None else ""),
        ("Differs", plain("\n".join(erp["differs"]))),
    ]
