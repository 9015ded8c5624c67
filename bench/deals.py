"""Which deals of the sandbox's firm are activated: clean ones, in the order of the seed, each used once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from sandbox.seed.build import build
from sandbox.seed.firm import Deal, FirmSize

CUSTOMERS = 12
"""Few, so that all exist in every system after the warm-up: what is measured never makes one."""


class TooFewDeals(RuntimeError):
    """The sandbox holds fewer clean deals than the run needs."""


@dataclass(frozen=True)
class BenchDeal:
    """A clean, signed deal without suppliers. `staffed`: its activation waits for a staffing decision."""

    id: str
    signature: str
    entity: str
    customer: str
    staffed: bool


@dataclass
class Pool:
    """Deals not used yet."""

    left: list[BenchDeal]

    def take(self, count: int, *, staffed: bool = False) -> list[BenchDeal]:
        """The next `count`. Raises `TooFewDeals`."""
        fitting = [deal for deal in self.left if deal.staffed or not staffed][:count]
        if len(fitting) < count:
            raise TooFewDeals(f"{count} more clean deals are needed, {len(fitting)} are left; raise --deals")
        return self._used(fitting)

    def take_one_each(self, of: str) -> list[BenchDeal]:
        """The first deal of each value of the field `of`."""
        firsts = {getattr(deal, of): deal for deal in reversed(self.left)}
        return self._used([deal for deal in self.left if firsts[getattr(deal, of)] is deal])

    def keep_known(self, signatures: Sequence[str]) -> None:
        """Forget deals of which no twin was recorded."""
        self.left = [deal for deal in self.left if deal.signature in signatures]

    def _used(self, deals: list[BenchDeal]) -> list[BenchDeal]:
        gone = {deal.id for deal in deals}
        self.left = [deal for deal in self.left if deal.id not in gone]
        return deals


def deals_needed(plain: int, staffed: int) -> int:
    """How many deals to seed for so many clean ones and so many that wait for staffing besides."""
    count = 64
    while True:
        found = [deal for deal in seeded(count) if is_clean(deal)]
        if len(found) >= plain + staffed and sum(map(_staffed, found[plain:])) >= staffed:
            return count
        count *= 2


async def clean_deals(sandbox: httpx.AsyncClient, count: int) -> Pool:
    """The clean ones among the `count` deals that `sandbox` was seeded with."""
    answer = await sandbox.get("/_control/salesforce/Opportunity")
    answer.raise_for_status()
    ids = [row["Id"] for row in answer.json()["records"]]
    return Pool(
        [
            BenchDeal(id, _signature(deal), deal.entity or "", deal.customer, _staffed(deal))
            for id, deal in zip(ids, seeded(count), strict=True)
            if is_clean(deal)
        ]
    )


def seeded(count: int) -> Sequence[Deal]:
    """What a sandbox that is seeded today sells."""
    today = datetime.now(UTC).date()
    return build(FirmSize(seed=1, deals=count, customers=CUSTOMERS, as_of=today)).deals


def is_clean(deal: Deal) -> bool:
    signed = deal.signed_on is not None and deal.contract_activated and deal.stage == "Closed Won"
    # With a supplier, procurement would go on asking after its order beside what is measured.
    alone = not any(line.subcontracted for line in deal.lines)
    return signed and alone and deal.defect is None and not deal.flagship


def _staffed(deal: Deal) -> bool:
    return any(line.hours for line in deal.lines)


def _signature(deal: Deal) -> str:
    kinds = Counter(line.billing_method for line in deal.lines)
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(kinds.items()))
