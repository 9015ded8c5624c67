"""Fixtures for the store's tests: both kinds of database, a clock that is set by hand, and what is kept.

A test that opens a store by these fixtures runs on SQLite and on PostgreSQL; a file that is about one of
them alone has a `store_kind` of its own.
"""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine

from domain.billable import Billable
from domain.billing_commands import DraftLine
from domain.invoice_state import BillingEventRow, InvoiceRow, LineShare, PricedInvoice, PricedLine
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.quantity import Quantity
from domain.selling import ContractLine
from store.ports import EffectIntent
from store.sql.address import address, sqlite_url
from store.sql.engine import SqlStore, open_store
from tests.support.postgresql import Databases

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROCESS = "activation/acme/0065g"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Where the store of a test is: that SQLite file, or the PostgreSQL database that stands for it."""
    return tmp_path / "store.db"


@pytest.fixture
def store_url(
    store_kind: str, store_template: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[Path], str]]:
    """`store_url(path)` is the URL of the store at `path`, made fresh and migrated if there is none."""
    databases: dict[Path, str] = {}
    postgresql: Databases | None = None
    if store_kind == "postgresql":
        postgresql = request.getfixturevalue("postgresql")

    def url(path: Path) -> str:
        if postgresql is None:
            if not path.exists():
                shutil.copyfile(store_template, path)
            return sqlite_url(path)
        if path not in databases:
            databases[path] = postgresql.fresh()
        return databases[path]

    yield url
    if postgresql is not None:
        for given in databases.values():
            postgresql.give_back(given)


@pytest.fixture
async def store_factory(
    store_url: Callable[[Path], str], tmp_path: Path
) -> AsyncIterator[Callable[..., SqlStore]]:
    """As the one of all tests, on either kind of database."""
    opened: list[SqlStore] = []
    numbers = itertools.count()

    def fresh(path: Path | None = None, **options: Any) -> SqlStore:
        url = store_url(path or tmp_path / f"{next(numbers)}.db")
        opened.append(open_store(url, **options))
        return opened[-1]

    yield fresh
    for store in opened:
        await store.aclose()


Raw = Callable[[], AbstractContextManager[Connection]]


@pytest.fixture
def raw(store_url: Callable[[Path], str], store_path: Path) -> Raw:
    """`with raw() as database:` one transaction on the store at `store_path`, past all of our code."""

    @contextmanager
    def connect() -> Iterator[Connection]:
        engine = create_engine(address(store_url(store_path)).url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    return connect


@pytest.fixture
async def timed_store(
    store_factory: Callable[..., SqlStore], store_path: Path, clock: HandClock
) -> AsyncIterator[SqlStore]:
    """A fresh store at `store_path` whose time is `clock`."""
    store = store_factory(store_path, clock=clock)
    yield store
    await store.aclose()


@pytest.fixture
def make_intent() -> Callable[..., EffectIntent]:
    """An intent to create a project, with any field replaced."""

    def make(step: str = "psa.project", generation: int = 1, **changes: str) -> EffectIntent:
        process = changes.get("process", PROCESS)
        facts = {
            "key": f"{process}/{step}/{generation}",
            "process": process,
            "step": step,
            "system": "kantata",
            "noun": "workspace",
            "command_hash": "hash-a",
            "actor": "fairlead",
            "reason": "event salesforce:e1",
            "summary": "create project DE01-7K3QXW",
        }
        return EffectIntent.model_validate(facts | changes)

    return make


PROJECT = "DE01-7K3QXW"


@pytest.fixture
def make_contract() -> Callable[..., ProjectContract]:
    """A contract in EUR with lines 1 and 2, with any field replaced."""

    def make(**changes: Any) -> ProjectContract:
        facts = {
            "project": PROJECT,
            "deal": "0065g",
            "number": "C-0001",
            "title": "Rollout",
            "entity": "DE01",
            "region": "DE",
            "currency": "EUR",
            "signed_on": date(2026, 1, 5),
            "starts_on": date(2026, 1, 1),
            "ends_on": date(2026, 12, 31),
            "customer": "001",
            "customer_name": "Nordwind AG",
            "lines": tuple(ContractLine(id=str(n), number=n, name=f"line {n}") for n in (1, 2)),
        }
        return ProjectContract.model_validate(facts | changes)

    return make


@pytest.fixture
def make_entry() -> Callable[..., Billable]:
    """An hour of work on line 1, with any field replaced."""

    def make(id: str | int = 1, **changes: Any) -> Billable:
        facts = {
            "key": f"kantata:time:{id}",
            "kind": "time",
            "source": "kantata",
            "external_id": str(id),
            "version": NOON,
            "content_hash": "hash-a",
            "project": PROJECT,
            "line": 1,
            "entity": "DE01",
            "resource": "anna",
            "role": "Consultant",
            "work_date": date(2026, 2, 2),
            "quantity": Quantity(amount=Decimal(60), unit="minutes"),
            "approved_at": NOON,
        }
        return Billable.model_validate(facts | changes)

    return make


@pytest.fixture
def make_expense(make_entry: Callable[..., Billable]) -> Callable[..., Billable]:
    """An expense of 100.10 EUR, with any field replaced."""

    def make(id: str | int = 1, amount: str = "100.10", currency: str = "EUR", **changes: Any) -> Billable:
        facts = {"key": f"kantata:expense:{id}", "kind": "expense", "quantity": None}
        return make_entry(id, **(facts | {"amount": Money.of(amount, currency)} | changes))

    return make


@pytest.fixture
def make_event() -> Callable[..., BillingEventRow]:
    """A milestone of 10,000 EUR, with any field replaced."""

    def make(occasion: str = "M1", amount: str | None = "10000", **changes: Any) -> BillingEventRow:
        facts = {
            "key": f"{PROJECT}/1/{occasion}/1",
            "project": PROJECT,
            "line": 1,
            "kind": "milestone",
            "occasion": occasion,
            "amount": Money.of(amount, "EUR") if amount else None,
            "due_on": date(2026, 2, 28),
            "service_from": date(2026, 2, 1),
            "service_to": date(2026, 2, 28),
            "evidence": "acceptance 4711",
        }
        return BillingEventRow.model_validate(facts | changes)

    return make


@pytest.fixture
def make_invoice() -> Callable[..., InvoiceRow]:
    """An invoice as it is collected, with any field replaced."""

    def make(id: str = "invoice/acme/1", **changes: Any) -> InvoiceRow:
        facts = {
            "id": id,
            "project": PROJECT,
            "entity": "DE01",
            "customer": "001",
            "service_from": date(2026, 2, 1),
            "service_to": date(2026, 2, 28),
        }
        return InvoiceRow.model_validate(facts | changes)

    return make


@pytest.fixture
def make_priced() -> Callable[..., PricedInvoice]:
    """A price of lines given as (kind, net, contract line), with what it holds and applies worked out."""

    def make(
        *lines: tuple[str, str, int], currency: str = "EUR", keys: tuple[str, ...] = ()
    ) -> PricedInvoice:
        nets = [Money.of(net, currency) for _, net, _ in lines]
        priced = []
        for number, ((kind, _, line), net) in enumerate(zip(lines, nets, strict=True), start=1):
            draft = DraftLine.model_validate(
                {"ref": str(number), "kind": kind, "description": kind, "net": net, "contract_line": line}
            )
            shares = tuple(LineShare(key=key, net=net) for key in keys if number == 1)
            priced.append(PricedLine(line=draft, shares=shares))

        def sum_of(*kinds: str) -> Money:
            picked = (net.amount for (kind, _, _), net in zip(lines, nets, strict=True) if kind in kinds)
            return Money.of(sum(picked, Decimal(0)), currency)

        net = sum_of(*{kind for kind, _, _ in lines})
        return PricedInvoice(
            lines=tuple(priced),
            currency=currency,
            net=net,
            tax=Money.zero(currency),
            gross=net,
            retention=-sum_of("retention"),
            advance_applied=-sum_of("advance_applied"),
            adjusted=sum_of("adjustment"),
            content_hash="-".join(f"{kind}:{net}" for kind, net, _ in lines),
        )

    return make
