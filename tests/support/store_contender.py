"""One of several processes that contend for one store: `python -m tests.support.store_contender URL SEED`.

It says when it is ready, waits for a line, does its work and prints what it won as JSON.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from domain.alert_state import AlertRule, Condition
from domain.attention import Decision
from domain.billable import Billable
from domain.invoice_state import InvoiceRow
from domain.quantity import Quantity
from domain.readiness import OwnerGroup
from store.billing_ports import AlreadyCovered
from store.ports import EffectIntent, InboxRow, StoreError
from store.sql.engine import SqlStore, open_store

KEYS = 8
PAGE = 24
PROJECT = "DE01-7K3QXW"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def decision(number: int) -> Decision:
    facts = {"id": f"d{number}", "actor": "kim", "role": "approver", "action": "retry", "process": "p"}
    return Decision.model_validate({**facts, "target": "p/step/1", "reason": "again", "at": NOON})


def entry(number: int) -> Billable:
    return Billable(
        key=f"kantata:time:{number:03}", kind="time", source="kantata", external_id=str(number),
        version=NOON, content_hash="h", project=PROJECT, line=1, entity="DE01", resource="anna",
        role="Consultant", work_date=date(2026, 2, 2), quantity=Quantity(amount=Decimal(60), unit="minutes"),
        approved_at=NOON,
    )  # fmt: skip


def event(number: int) -> InboxRow:
    return InboxRow(
        id=f"salesforce:{number}", source="salesforce", event_id=str(number), type="deal.signed",
        subject="d", version=NOON, body={}, received_at=NOON,
    )  # fmt: skip


def invoice(id: str) -> InvoiceRow:
    return InvoiceRow(
        id=id, project=PROJECT, entity="DE01", customer="001",
        service_from=date(2026, 2, 1), service_to=date(2026, 2, 28),
    )  # fmt: skip


class Contender:
    """What one process tries, and how often it was the one that did it."""

    def __init__(self, store: SqlStore, seed: str) -> None:
        self.store, self.seed = store, seed
        self.dice = random.Random(seed)  # noqa: S311  repeatable on purpose
        self.won: Counter[str] = Counter()

    async def run(self) -> None:
        await asyncio.gather(*(self.key(number) for number in self.shuffled(KEYS)))
        await self.page()
        await self.cover()
        await self.alerts()

    def shuffled(self, count: int) -> list[int]:
        return self.dice.sample(range(count), count)

    async def key(self, number: int) -> None:
        """The same keys in every process, and some of its own."""
        store, key = self.store, f"k{number}"
        row = await store.processes.open(key, "activation", "run")
        self.won["opened"] += row.generation
        for process in ("shared", f"own-{self.seed}"):
            intent = EffectIntent(
                key=f"{process}/{number}", process=process, step=str(number), system="s", noun="n",
                command_hash="h", summary="x",
            )  # fmt: skip
            begun = await store.effects.begin(intent)
            self.won[process] += begun.fresh
            await store.effects.confirm(intent.key, external_id=f"{process}-{number}")
        kept = await store.inbox.put(event(number))
        self.won["events"] += kept
        await self.pair(number)
        await store.decisions.add(decision(number))
        await store.decisions.claim(f"d{number}", "p")
        await store.audit.add("p", actor="a", what="w", key=key, outcome="done")

    async def pair(self, number: int) -> None:
        try:
            await self.store.references.put(f"project:{self.seed}:{number}", "s", "o", str(number))
        except StoreError:  # another process has paired it with its own
            return
        self.won["references"] += 1

    async def page(self) -> None:
        """The same entries in another order, so that processes insert towards each other."""
        for _ in range(2):
            taken = await self.store.billing.take_in([entry(number) for number in self.shuffled(PAGE)])
            self.won["taken"] += taken.new

    async def cover(self) -> None:
        """Every process wants every entry for its own invoice."""
        mine = f"invoice/{self.seed}"
        await self.store.billing.put_invoice(invoice(mine))
        for number in self.shuffled(PAGE):
            try:
                await self.store.billing.cover(mine, entries=[entry(number).key])
                self.won["covered"] += 1
            except AlreadyCovered:
                self.won["left"] += 1

    async def alerts(self) -> None:
        found = [
            Condition(
                rule=AlertRule.UNBILLED_WORK, object=f"P{number}", headline="h", detail="d", since=NOON,
                owner=OwnerGroup.FINANCE_SYSTEMS, cure="bill it",
            )
            for number in self.shuffled(5)
        ]  # fmt: skip
        keep = self.store.alerts.keep
        changes = await keep(AlertRule.UNBILLED_WORK, found, at=NOON, escalate_after=timedelta(days=7))
        self.won["raised"] += len(changes.raised)


async def main(url: str, seed: str) -> None:
    store = open_store(url, busy_timeout=60)  # a crowded machine is no fault of the store
    await store.ready()
    print("ready", flush=True)
    sys.stdin.readline()
    contender = Contender(store, seed)
    await contender.run()
    await store.aclose()
    print(json.dumps(contender.won))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
