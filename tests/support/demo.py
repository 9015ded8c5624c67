"""The demo, as somebody who has just installed Fairlead runs it."""

import asyncio
import json
import sys
from typing import Any


async def play(*options: str) -> dict[str, Any]:
    """Its one JSON object. Fails with what it said where it does not reach its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from cli.main import main; main()", "demo", "--json", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, f"{out.decode()[-2000:]}\n{err.decode()[-4000:]}"
    shown: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
    return shown


def told_once(shown: dict[str, Any]) -> None:
    """What holds of the story with any ERP."""
    assert (shown["effects_lost"], shown["effects_doubled"], shown["differences"]) == (0, 0, [])
    assert all(row["count"] == "1" for row in shown["systems"])
    kinds = [one["kind"] for one in shown["invoices"]]
    assert kinds == ["invoice", "invoice", "credit note", "rebill"]
    assert shown["invoice_count"] == 3
    milestone, work, note, rebill = shown["invoices"]
    assert (milestone["net"], milestone["gross"]) == ("45,600.00 EUR", "54,264.00 EUR")
    # The cap of 72,400 is met to the cent, less 5% that are held back.
    assert (work["net"], work["tax"], work["gross"]) == ("68,780.00 EUR", "13,068.20 EUR", "81,848.20 EUR")
    assert (note["gross"], rebill["gross"]) == ("-2,975.48 EUR", "2,975.48 EUR")
    assert (note["entries"], rebill["entries"]) == (2, 2)
    assert (shown["invoiced_total"], shown["credited_total"]) == ("139,087.68 EUR", "2,975.48 EUR")
    assert (shown["entries_billed"], shown["entries_above_cap"]) == (56, 1)
    assert len({one["number"] for one in shown["invoices"]}) == 4
