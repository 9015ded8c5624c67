"""What all our records in Tryton have in common: read one, and say it as a canonical `Record`."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from connectors.errors import Conflict, ConnectorError, NotFound, Rejected
from connectors.http.shapes import VendorShape, read_as
from connectors.tryton.api import NOTHING, Context, Domain, TrytonApi
from domain.commands import Record, canonical_text
from domain.money import Money, MoneyError

Shape = TypeVar("Shape", bound=VendorShape)


class Records:
    """Reading by id or domain, for one database."""

    def __init__(self, api: TrytonApi) -> None:
        self.api = api

    @property
    def system(self) -> str:
        return self.api.system

    async def search(
        self,
        shape: type[Shape],
        model: str,
        domain: Domain,
        operation: str,
        *,
        fields: Sequence[str] = (),
        context: Context = NOTHING,
    ) -> list[Shape]:
        """Records of a domain, by id. `fields` are the shape's own `FIELDS` unless given."""
        wanted = fields or getattr(shape, "FIELDS")  # noqa: B009  only some shapes say what is asked for
        rows = await self.api.rows(model, domain, wanted, operation=operation, context=context)
        return [self.read(shape, row, model, operation) for row in rows]

    async def get(self, shape: type[Shape], model: str, external_id: str, operation: str) -> Shape | None:
        """One record by its id; none when there is none."""
        if not external_id.isdecimal():
            return None
        found = await self.search(shape, model, [["id", "=", int(external_id)]], operation)
        return found[0] if found else None

    async def need(self, shape: type[Shape], model: str, external_id: str, operation: str) -> Shape:
        """One record by its id. Raises `NotFound`."""
        found = await self.get(shape, model, external_id, operation)
        if found is None:
            raise self.error(NotFound, operation, f"Tryton has no {model} {external_id}")
        return found

    def read(self, shape: type[Shape], row: Mapping[str, Any], model: str, operation: str) -> Shape:
        """A row as `shape`. Raises `Rejected` naming a missing or changed field."""
        return read_as(shape, row, system=self.system, thing=model, operation=operation)

    def only(self, found: Sequence[Shape], key: str, operation: str) -> Shape | None:
        """The one record under a key. Raises `Conflict` when there are more."""
        if len(found) > 1:
            raise self.error(
                Conflict, operation, f"{len(found)} records carry the key {key}", rule="key.twice"
            )
        return found[0] if found else None

    def record(self, model: str, record_id: int, fields: Mapping[str, object], number: str = "") -> Record:
        """The canonical record; its URL is where Tryton's web client shows it."""
        database = self.api.http.base_url
        return Record(
            external_id=str(record_id),
            number=number,
            fields={name: canonical_text(value) for name, value in fields.items()},
            url=f"{database}/#{self.api.database}/model/{model}/{record_id}",
        )

    def money(self, amount: Decimal, currency: str | None, what: str, operation: str) -> Money:
        """`amount` as money. Raises `Rejected` for one that cannot be any."""
        try:
            return Money.of(amount, currency or "")
        except MoneyError as problem:
            words = f"{what}: {problem}"
            raise self.error(Rejected, operation, words, field=what, rule="amount.not_money") from None

    def error(
        self, kind: type[ConnectorError], operation: str, words: str, *, field: str = "", rule: str = ""
    ) -> ConnectorError:
        """An error of our own finding."""
        text = f"{self.system}: {operation}: {words}"
        return kind(text, system=self.system, operation=operation, field=field, rule=rule)
