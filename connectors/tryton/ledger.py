"""The trial balance, as Tryton's own general ledger adds it up.

Asked for a fiscal year, Tryton carries into it what the years before left, closed or still open.
"""

from datetime import date

from connectors.errors import Rejected
from connectors.tryton.models import FiscalYear, LedgerRow
from connectors.tryton.records import Records
from connectors.tryton.reference import ReferenceData
from domain.books import AccountBalance, TrialBalance
from domain.money import Money

MODEL = "account.general_ledger.account"
FIELDS = ("account.code", "account.name", "end_balance")


class Ledger:
    """Answers `trial_balance` for one database."""

    def __init__(self, records: Records, reference: ReferenceData) -> None:
        self._records = records
        self._reference = reference

    async def trial_balance(self, entity: str, as_of: date) -> TrialBalance:
        """Posted moves up to and with `as_of`. Raises `Rejected` for a day before the books began."""
        operation = f"read trial balance of {entity} on {as_of}"
        company = await self._reference.company(entity)
        currency = await self._reference.company_currency(company)
        year = await self._year(company, as_of, operation)
        zero = Money.zero(currency)
        accounts = []
        for row in await self._rows(company, year, as_of, operation):
            amount = self._records.money(row.balance, currency, f"{MODEL}.end_balance", operation)
            debit, credit = (amount, zero) if amount.amount > 0 else (zero, -amount)
            if amount != zero:
                code, name = row.account.code or row.account.name, row.account.name
                accounts.append(AccountBalance(account=code, name=name, debit=debit, credit=credit))
        accounts.sort(key=lambda each: each.account)
        return TrialBalance(entity=entity, currency=currency, as_of=as_of, accounts=tuple(accounts))

    async def _year(self, company: int, as_of: date, operation: str) -> FiscalYear:
        """The fiscal year of `as_of`, or the last one before it."""
        domain = [["company", "=", company], ["start_date", "<=", as_of]]
        found = await self._records.search(
            *(FiscalYear, "account.fiscalyear", domain, operation), fields=("start_date",)
        )
        if not found:
            words = f"the books hold no fiscal year on or before {as_of}"
            raise self._records.error(Rejected, operation, words, field="as_of", rule="period.missing")
        return max(found, key=lambda year: year.starts_on)

    async def _rows(self, company: int, year: FiscalYear, as_of: date, operation: str) -> list[LedgerRow]:
        context = {
            "company": company,
            "fiscalyear": year.id,
            "to_date": as_of,
            "posted": True,
            **dict.fromkeys(("start_period", "end_period", "from_date", "journal")),
        }
        return await self._records.search(LedgerRow, MODEL, [], operation, fields=FIELDS, context=context)
