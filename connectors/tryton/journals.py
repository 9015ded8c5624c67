"""General-ledger journals: a move per journal, and another one on the day it is reversed."""

from datetime import date
from decimal import Decimal
from typing import Any

from connectors.errors import PeriodClosed, Rejected
from connectors.http.landed import landed
from connectors.tryton.models import Move, PeriodRow
from connectors.tryton.moves import MODEL, Moves, described
from connectors.tryton.reference import ReferenceData
from connectors.tryton.settings import TrytonSettings
from domain.billing_commands import JournalPosting, PostJournal
from domain.commands import Record
from domain.money import Money

REVERSAL = "/reversal"
"""Behind the key of the move that reverses a journal."""


class Journals:
    """`PostJournal` for one database."""

    def __init__(self, moves: Moves, settings: TrytonSettings, reference: ReferenceData) -> None:
        self._moves = moves
        self._records = moves.records
        self._settings = settings
        self._reference = reference

    async def find(self, command: PostJournal, key: str) -> Record | None:
        """The journal under `key`, when it and its reversal are posted."""
        operation = f"look up journal {command.journal}"
        standing = await self._standing(command, key, operation)
        if not standing or any(move.state != "posted" for move in standing):
            return None
        return await self._record(standing[0], command, operation)

    async def post(self, command: PostJournal, key: str) -> Record:
        """Create the moves in one write, then post them in another.

        Moves left unposted by an earlier attempt are made anew: their content may have been corrected since.

        Raises `Rejected` before any write for control accounts, another currency or a journal that does not
        balance, and `PeriodClosed`.
        """
        operation = f"post journal {command.journal}"
        posted = await self.find(command, key)
        if posted is not None:
            return posted
        await self._remove_drafts(command, key, operation)
        ids = await self._create(command, key, operation)
        await self._records.api.press(MODEL, "post", ids, operation=operation)
        with landed(f"{self._records.system}: {operation}"):
            standing = await self._standing(command, key, operation)
            return await self._record(standing[0], command, operation)

    async def _remove_drafts(self, command: PostJournal, key: str, operation: str) -> None:
        standing = await self._standing(command, key, operation)
        drafts = [move.id for move in standing if move.state == "draft"]
        if drafts:
            await self._records.api.delete(MODEL, drafts, operation=operation)

    async def _create(self, command: PostJournal, key: str, operation: str) -> list[int]:
        company = await self._reference.company(command.entity)
        await self._check(command, company, operation)
        moves = [await self._move(command, company, command.posted_on, key, operation)]
        if command.reverse_on is not None:
            moves.append(await self._move(command, company, command.reverse_on, key + REVERSAL, operation))
        return await self._records.api.create(MODEL, moves, operation=operation, context={"company": company})

    async def _check(self, command: PostJournal, company: int, operation: str) -> None:
        """Tryton on SQLite posts a move that does not balance: it must not get one."""
        own = await self._reference.company_currency(company)
        if command.currency != own:
            words = f"{command.entity} keeps its books in {own}, so its journals are in {own}"
            raise self._records.error(Rejected, operation, words, field="currency", rule="journal.currency")
        for line in command.lines:
            if line.account in self._settings.control_roles:
                words = f"{line.account} moves through documents only; no journal may touch it"
                raise self._records.error(Rejected, operation, words, field="account", rule="journal.control")
        debit, credit = command.total, Money.zero(command.currency)
        for line in command.lines:
            credit = credit + (line.credit or Money.zero(command.currency))
        if debit != credit:
            words = f"debits {debit} and credits {credit} are not equal"
            raise self._records.error(Rejected, operation, words, field="lines", rule="journal.unbalanced")

    async def _move(
        self, command: PostJournal, company: int, day: date, key: str, operation: str
    ) -> dict[str, Any]:
        reversal = key.endswith(REVERSAL)
        return {
            "company": company,
            "journal": await self._reference.general_journal(),
            "period": await self._period(company, day, command.entity, operation),
            "date": day,
            "description": described(key, command.text),
            "lines": [
                ["create", [await self._line(command.entity, each, reversal) for each in command.lines]]
            ],
        }

    async def _line(self, entity: str, line: JournalPosting, reversal: bool) -> dict[str, Any]:
        debit, credit = (each.amount if each else Decimal(0) for each in (line.debit, line.credit))
        project = f"project {line.project_external_id}" if line.project_external_id else ""
        return {
            "account": await self._reference.account(entity, line.account),
            "debit": credit if reversal else debit,
            "credit": debit if reversal else credit,
            "description": " ".join(part for part in (line.memo, project) if part) or None,
        }

    async def _period(self, company: int, day: date, entity: str, operation: str) -> int:
        """The period of `day`; whether it is open is Tryton's to say."""
        domain = [["company", "=", company], ["type", "=", "standard"]]
        domain += [["start_date", "<=", day], ["end_date", ">=", day]]
        found = await self._records.search(
            *(PeriodRow, "account.period", domain, operation), fields=("start_date",)
        )
        if not found:
            words = f"{entity} has no period for {day}"
            raise self._records.error(PeriodClosed, operation, words, field="date", rule="period.missing")
        return found[0].id

    async def _standing(self, command: PostJournal, key: str, operation: str) -> list[Move]:
        """The journal and, behind it, its reversal."""
        journal = await self._moves.under(key, operation)
        self._records.only(journal, key, operation)
        reversal = await self._moves.under(key + REVERSAL, operation) if command.reverse_on else []
        return [*journal, *reversal]

    async def _record(self, move: Move, command: PostJournal, operation: str) -> Record:
        total = sum((line.debit for line in move.lines), Decimal(0))
        money = self._records.money(total, command.currency, "account.move.line.debit", operation)
        return self._records.record(MODEL, move.id, {"total": money}, move.number or "")
