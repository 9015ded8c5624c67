"""A Tryton of its own for tests: a copy of the prepared books on free ports, asked without the connector."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.identity import short_key
from local.tryton_environment import NoTryton, environment
from local.tryton_rpc import Rpc
from local.tryton_server import DATABASE, USER, TrytonServer
from runtime.settings import Settings
from tests.support.tryton_proxy import TrytonProxy

NET = Decimal("100.00")


def today() -> date:
    return datetime.now(UTC).date()


@contextmanager
def running(home: Path) -> Iterator[TrytonServer]:
    """A server under `home`, ended afterwards. Skips the test, saying why, where Tryton is not installed."""
    try:
        installed = environment(Settings.from_environment().home)
    except NoTryton as missing:
        pytest.skip(str(missing))
    server = TrytonServer(home, installed)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class TrytonBench:
    """Tryton behind a proxy that injects faults, with a customer, a project and posted invoices in DE01."""

    transport = None

    def __init__(self, server: TrytonServer) -> None:
        self.password = server.password_file.read_text(encoding="ascii")
        self.proxy = TrytonProxy(server.base_url)
        self.rpc = Rpc(server.base_url, DATABASE, USER, self.password)
        self.customer_id = self.project_id = ""
        self.watched: tuple[str, int] = ("", 0)
        self._posted: list[int] = []

    @property
    def base_url(self) -> str:
        return self.proxy.base_url

    async def arm(self, kind: str, **options: Any) -> None:
        self.proxy.engine.arm({"kind": kind, **options})

    async def calm(self) -> None:
        self.proxy.engine.disarm()
        self.watched = ("", 0)

    async def requests(self) -> list[dict[str, Any]]:
        return list(self.proxy.log)

    def watch(self, model: str, external_id: str) -> None:
        """Count the effect on this record too: it carries no key of its own when it has landed."""
        self.watched = (model, int(external_id))

    async def landed(self, key: str) -> int:
        """How often the effect of `key` stands in Tryton, asked of Tryton itself."""
        async with self.proxy.turn:
            return await asyncio.to_thread(self._landed, key)

    def print_plainly(self) -> None:
        """Each posting also writes the document: as a word of text it costs a quarter less time."""
        reports = self.rpc.search("ir.action.report", [["report_name", "=", "account.invoice"]], "id")
        text = {"__class__": "bytes", "base64": "SW52b2ljZQ=="}
        plain = {"template_extension": "txt", "extension": "", "report_content_custom": text}
        self.rpc.write("ir.action.report", [report["id"] for report in reports], plain)

    def _landed(self, key: str) -> int:
        kept = [["active", "in", [True, False]]]
        parties = self.rpc.search("party.party", [["code", "=", short_key(key)], *kept], "code")
        works = self.rpc.search("project.work", [["comment", "ilike", f"%: {key}%"]], "comment")
        marks = [line for work in works for line in work["comment"].splitlines() if line.endswith(f": {key}")]
        invoices = self.rpc.search("account.invoice", [["reference", "=", key]], "state")
        moves = self.rpc.search(
            "account.move", [["description", "like", f"{key}%"], ["state", "=", "posted"]], "description"
        )
        exact = [move for move in moves if move["description"].split(" ")[0] == key]
        return len(parties) + len(marks) + len(invoices) + len(exact) + self._watched()

    def _watched(self) -> int:
        model, record_id = self.watched
        if not model:
            return 0
        found = self.rpc.search(
            model, [["id", "=", record_id]], *(["state"] if "invoice" in model else ["id"])
        )
        return int(not found or found[0].get("state") == "posted")

    # ---- what tests stand on

    def company(self, code: str = "DE01") -> int:
        (found,) = self.rpc.search("company.company", [["party.code", "=", code]], "id")
        return int(found["id"])

    def id_of(self, model: str, **values: Any) -> int:
        found = self.rpc.search(model, [[name, "=", value] for name, value in values.items()], "id")
        return int(found[0]["id"])

    def posted_invoice(self) -> str:
        """An invoice over 100.00 EUR and 19 % tax that nobody has touched yet."""
        if not self._posted:
            self._posted = self._post_many(40)
        return str(self._posted.pop())

    def _post_many(self, count: int) -> list[int]:
        """One call for many: it costs a sixth of posting each."""
        company = self.company()
        self.rpc.context = {"company": company}
        line = {
            "type": "line",
            "description": "Work",
            "note": "1",
            "quantity": 1,
            "unit_price": NET,
            "company": company,
            "currency": self.id_of("currency.currency", code="EUR"),
            "account": self.id_of("account.account", company=company, code="1200"),
            "taxes": [["add", [self.id_of("account.tax", company=company, name="DE-VAT-19")]]],
        }
        invoice = {
            "type": "out",
            "company": company,
            "party": int(self.customer_id),
            "invoice_address": self.id_of("party.address", party=int(self.customer_id)),
            "currency": line["currency"],
            "journal": self.id_of("account.journal", type="revenue"),
            "account": self.id_of("account.account", company=company, code="1100"),
            "invoice_date": today(),
            "description": "DE01-KNOWN",
            "lines": [["create", [line]]],
        }
        made = self.rpc.create("account.invoice", *([invoice] * count))
        self.rpc.call("model.account.invoice.post", made)
        self.rpc.context = {}
        return made

    async def aclose(self) -> None:
        await self.proxy.stop()
        self.rpc.__exit__()
