"""Last act: what the systems say was done to them, against what the journal says was meant.

The ERP is asked for its documents, the PSA for its entries; nothing is taken from what the story said.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from connectors.ports import ErpPort
from domain.books import InvoiceFacts
from domain.identity import customer_key, process_key
from domain.invoice_commands import priced_of
from domain.invoice_state import InvoiceRow
from domain.money import total
from domain.project_contract import ProjectContract
from domain.project_processes import BILLING
from domain.time_posting import TIME
from drill.demo_books import Cash
from drill.demo_outcome import Document, Outcome
from drill.demo_scenes import Scenes
from drill.demo_signing import Signed
from drill.demo_work import PSA
from drill.effects import Effect, difference, listed
from drill.tryton_effects import landed as landed_in_tryton
from store.ports import EffectRow

_STANDING = ("posted", "paid", "credited")


class Proof(Scenes):
    """Counts effects, documents, sums and entries of every process of the story."""

    async def play(self, signed: Signed, contract: ProjectContract, cash: Cash | None) -> Outcome:
        rows = [row for row in await self._kept(contract) if row.stage in _STANDING]
        port = self.stage.setup.erp()
        try:
            facts = {row.id: await port.invoice(row.external_id) for row in rows}
            outcome = Outcome(project=contract.project, deal=signed.deal, deal_name=signed.name)
            outcome.currency = contract.currency
            outcome.handed_over = list(signed.handed_over)
            outcome.documents = [Document.of(row, facts[row.id], entries_on(row)) for row in rows]
            outcome.differences += await _strangers(port, contract, rows)
            if cash:
                outcome.paid = cash.paid
                outcome.trial_balance = await port.trial_balance(contract.entity, signed.today)
        finally:
            await port.aclose()
        outcome.differences += [words for row in rows for words in wrong_sums(row, facts[row.id])]
        await self._count_entries(contract, rows, outcome)
        await self._count_effects(signed, rows, cash, outcome)
        outcome.seconds = self.elapsed
        return outcome

    async def _kept(self, contract: ProjectContract) -> list[InvoiceRow]:
        """In the order in which the ERP made them."""
        rows = await self.stage.store.billing.documents(contract.project)
        return sorted(rows, key=lambda row: (len(row.external_id), row.external_id))

    # -- entries ----------------------------------------------------------------------------------

    async def _count_entries(
        self, contract: ProjectContract, rows: Sequence[InvoiceRow], outcome: Outcome
    ) -> None:
        """Each approved entry is on one document that stands, or above the cap and on none."""
        bills, today = bills_of(rows), max(row.dated for row in rows if row.dated)
        unbilled = await self.stage.store.billing.open_entries(contract.project, up_to=today)
        open_ones = {entry.key for entry in unbilled}
        for written in await self.records(f"{PSA}/time_entries"):
            if str(written["workspace_id"]) != contract.psa_project or not written["approved"]:
                continue
            key = f"{PSA}:time:{written['id']}"
            count = bills[key]
            if count != (0 if key in open_ones else 1):
                outcome.differences.append(f"{key} is on {count} invoices that stand")
            if bool(written["is_invoiced"]) != (count > 0):
                outcome.differences.append(f"{key} is on {count} invoices, but {PSA} says otherwise")
            outcome.entries_billed += count == 1
            outcome.entries_above_cap += count == 0

    # -- effects ----------------------------------------------------------------------------------

    async def _count_effects(
        self, signed: Signed, rows: Sequence[InvoiceRow], cash: Cash | None, outcome: Outcome
    ) -> None:
        firm = self.stage.firm
        processes = [
            signed.process,
            process_key(TIME, firm, PSA),
            process_key(BILLING, firm, signed.project),
            *(row.id for row in rows),
        ]
        journal = [row for one in processes for row in await self.stage.store.effects.list(one)]
        journal += await self._customers(signed)
        found = await listed(self.stage.sandbox)
        if cash:
            found += await asyncio.to_thread(landed_in_tryton, cash.rpc, journal)
        meant = {key for row in journal for key in _meant(row)}
        prefixes = tuple(f"{process}/" for process in processes)
        mine = [row for row in found if row["effect_key"] in meant or row["effect_key"].startswith(prefixes)]
        counted = Counter({_effect(row): int(row["count"]) for row in mine})
        gap = difference({e: 1 for e in counted if e.key in meant}, counted)
        fired = await self.stage.faults_fired()
        outcome.records = sorted(mine, key=lambda row: row["system"])
        outcome.effects = len(counted)
        outcome.effects_lost = len(meant - {effect.key for effect in counted})
        outcome.effects_doubled = len(gap.doubled)
        outcome.faults_injected = sum(fired.values())
        outcome.webhook_deliveries = 1 + fired.get("webhook_duplicate", 0)
        outcome.worker_kills = self.stage.kills
        outcome.crash_points_hit = self.stage.hits()

    async def _customers(self, signed: Signed) -> list[EffectRow]:
        """The shared customers of this deal, which the journal keeps under their own keys."""
        setup, effects = self.stage.setup, self.stage.store.effects
        systems = (setup.system("psa"), setup.system("erp"))
        processes = [customer_key(self.stage.firm, signed.account, system) for system in systems]
        rows = [await effects.get(key) for key in processes]
        return [row for row in rows if row is not None]


def _meant(row: EffectRow) -> tuple[str, ...]:
    """Keys under which a system shows `row`; what a credit note has taken back there shows both."""
    if row.state == "undone":
        return (row.key, f"{row.key}/undo")
    return (row.key,) if row.state == "confirmed" else ()


def _effect(row: dict[str, str]) -> Effect:
    return Effect(row["system"], row["object"], row["operation"], row["effect_key"])


def entries_on(row: InvoiceRow) -> int:
    """Entries with a share in its lines; a share of an event has no colon in its key."""
    return len({key for key, _ in _shares(row) if ":time:" in key})


def _shares(row: InvoiceRow) -> Iterable[tuple[str, Decimal]]:
    for line in priced_of(row).lines:
        for share in line.shares:
            yield share.key, share.net.amount


def bills_of(rows: Sequence[InvoiceRow]) -> Counter[str]:
    """Entry -> invoices on which something of it stands, credit notes taken off."""
    standing: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        sign = -1 if row.credits else 1
        for key, net in _shares(row):
            place = (row.credits or row.id, key)
            standing[place] = standing.get(place, Decimal(0)) + sign * net
    return Counter(key for (_, key), net in standing.items() if net)


def wrong_sums(row: InvoiceRow, facts: InvoiceFacts) -> Iterable[str]:
    """The ERP's document in itself, and beside the one that was approved."""
    priced, sign = priced_of(row), -1 if row.credits else 1
    lines = total([line.net for line in facts.lines], facts.currency)
    if lines != facts.net:
        yield f"{facts.number}: its lines sum to {lines}, its header says {facts.net}"
    if facts.net + facts.tax != facts.gross:
        yield f"{facts.number}: {facts.net} net and {facts.tax} tax are not {facts.gross} gross"
    for what, ours, theirs in (("net", priced.net, facts.net), ("gross", priced.gross, facts.gross)):
        if ours.times(Decimal(sign)) != theirs:
            yield f"{facts.number}: {ours} {what} were approved, the ERP shows {theirs}"


async def _strangers(port: ErpPort, contract: ProjectContract, rows: Sequence[InvoiceRow]) -> list[str]:
    """Documents of the project in the ERP that the story did not make."""
    known = {row.external_id for row in rows}
    found = await port.project_invoices(contract.erp_project)
    return [
        f"{one.number or one.external_id} is in the ERP and not ours"
        for one in found
        if one.external_id not in known
    ]
