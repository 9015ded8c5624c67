"""The posted general ledger of a subsidiary, added up by NetSuite."""

from datetime import date

from connectors.errors import NotFound
from connectors.http.shapes import read_as
from connectors.netsuite.api import NetSuiteApi
from connectors.netsuite.models import Subsidiary
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.transaction_models import BalanceRow
from domain.books import AccountBalance, TrialBalance
from domain.money import Money

# Amounts of accounting lines are in the subsidiary's base currency.
BALANCES = (
    "SELECT tal.account AS id, a.acctnumber AS number, a.{name} AS name,"
    " SUM(tal.debit) AS debit, SUM(tal.credit) AS credit"
    " FROM transactionaccountingline tal"
    " JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"
    " JOIN transaction t ON t.id = tal.transaction JOIN account a ON a.id = tal.account"
    " WHERE tal.posting = 'T' AND tal.accountingbook = ? AND tl.subsidiary = ?"
    " AND t.trandate <= TO_DATE(?, 'YYYY-MM-DD') AND tal.account > ?"
    " GROUP BY tal.account, a.acctnumber, a.{name} ORDER BY tal.account"
)


class Ledger:
    """Answers `trial_balance` for one account."""

    def __init__(self, api: NetSuiteApi, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._api = api
        self._settings = settings
        self._reference = reference

    async def trial_balance(self, entity: str, as_of: date) -> TrialBalance:
        """Balances of all accounts with postings up to `as_of`, by account number. Raises `NotFound`."""
        operation = f"read trial balance of {entity}"
        subsidiary = await self._subsidiary(entity, operation)
        currency = await self._reference.currency_code(subsidiary.currency.id)
        query = BALANCES.format(name=self._settings.account_name_column)
        params = (self._settings.accounting_book, subsidiary.id, as_of.isoformat())
        system = self._api.http.system
        rows = [
            read_as(BalanceRow, row, system=system, thing="ledger", operation=operation)
            async for row in self._api.rows(query, params, operation=operation)
        ]
        accounts = [balance(row, currency) for row in sorted(rows, key=lambda row: (row.number, row.id))]
        return TrialBalance(entity=entity, currency=currency, as_of=as_of, accounts=tuple(accounts))

    async def _subsidiary(self, entity: str, operation: str) -> Subsidiary:
        address = f"eid:{self._settings.subsidiary_of(entity)}"
        answer = await self._api.get("subsidiary", address, operation=operation, missing_ok=True)
        system = self._api.http.system
        if answer.status == 404:
            words = f"there is no subsidiary with the external id {address.removeprefix('eid:')}"
            text = f"{system}: {operation}: {words}"
            raise NotFound(text, system=system, operation=operation, field="subsidiary")
        return read_as(Subsidiary, answer.body, system=system, thing="subsidiary", operation=operation)


def balance(row: BalanceRow, currency: str) -> AccountBalance:
    """Both sums set off: what is left stands on one side."""
    left, nothing = Money.of(row.debit - row.credit, currency), Money.zero(currency)
    debit, credit = (left, nothing) if nothing <= left else (nothing, -left)
    return AccountBalance(account=row.number or row.id, name=row.name, debit=debit, credit=credit)
