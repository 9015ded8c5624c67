"""Journal entries on account roles. Control accounts move only through their own documents."""

from connectors.http.transport import Answer
from connectors.netsuite import billing_mapping as mapping
from connectors.netsuite.keyed import KeyedRecords, address_of
from connectors.netsuite.mapping import total_text
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.transaction_models import JournalEntry
from domain.account_roles import CONTROL
from domain.billing_commands import PostJournal
from domain.commands import Record

CONTROL_ROLES = frozenset(role.value for role in CONTROL)
CONTROL_TYPES = {
    "AcctRec": "receivables",
    "AcctPay": "payables",
    "Bank": "bank",
    "CreditCard": "credit card",
}


class Journals:
    """`PostJournal` for one account."""

    def __init__(self, posting: KeyedRecords, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._records = posting
        self._settings = settings
        self._reference = reference

    async def find(self, command: PostJournal, key: str) -> Record | None:
        """The journal entry made under `key`."""
        operation = f"look up journal {command.journal}"
        answer = await self._records.look_up_key("journalEntry", key, operation)
        return None if answer is None else await self._record(answer, operation)

    async def post(self, command: PostJournal, key: str) -> Record:
        """Post the journal.

        Raises `Rejected` for a role without account, or one of a control account, before anything is sent;
        `PeriodClosed`.
        """
        operation = f"post journal {command.journal}"
        numbers = self._numbers(command, operation)
        accounts = {role: await self._account(role, number, operation) for role, number in numbers.items()}
        currency = await self._reference.currency(command.currency)
        body = mapping.journal_body(self._settings, command, key, currency, accounts)
        await self._records.upsert("journalEntry", key, body, operation)
        return await self._records.read_back(
            "journalEntry", address_of(key), operation, lambda answer: self._record(answer, operation)
        )

    def _numbers(self, command: PostJournal, operation: str) -> dict[str, str]:
        numbers: dict[str, str] = {}
        for role in {line.account: None for line in command.lines}:
            if role in CONTROL_ROLES:
                words = f"{role} is a control account; post an invoice, credit, payment or bill instead"
                raise self._records.rejected(operation, words, field=role, rule="account.control")
            numbers[role] = self._settings.account_number(command.entity, role)
            if not numbers[role]:
                words = (
                    f"no account is set for the role {role} in {command.entity};"
                    f" add it under settings.accounts.{command.entity} or settings.accounts.'*'"
                )
                raise self._records.rejected(operation, words, field=role, rule="account.unmapped")
        return numbers

    async def _account(self, role: str, number: str, operation: str) -> str:
        account, kind = await self._reference.account(number)
        if kind in CONTROL_TYPES:
            words = (
                f"the role {role} is set to {number}, a {CONTROL_TYPES[kind]} account, which no journal may"
                " touch; correct settings.accounts"
            )
            raise self._records.rejected(operation, words, field=role, rule="account.control")
        return account

    async def _record(self, answer: Answer, operation: str) -> Record:
        entry = self._records.read(JournalEntry, answer, "journalEntry", operation)
        code = await self._reference.currency_code(entry.currency.id)
        fields = {"total": total_text(entry.total, code)}
        return self._records.record("journalEntry", entry.id, fields, answer, entry.tran_id)
