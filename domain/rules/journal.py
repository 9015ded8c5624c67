"""Building a journal line by line, and holding the ledger against what is expected.

Source: rule 18 (posting). A journal balances per entity and currency before it leaves; that is proved
by `domain.ledger.JournalEntry` itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Self

from domain.account_roles import BY_PROJECT, CONTROL, AccountRole
from domain.base import Value
from domain.calendar import Period
from domain.ledger import JournalEntry, JournalLine
from domain.money import Money
from domain.rules.errors import RuleError

RULE = "18 posting"


class PostingDimensions(Value):
    """What every line of a document is posted with."""

    document: str
    """Canonical id of the document: the journal's identity."""
    entity: str
    project: str = ""
    dated: date
    book: str = "local"


class Journal:
    """Collects what a document posts. An amount below zero goes to the other side; zero posts nothing."""

    def __init__(self, posted: PostingDimensions, text: str) -> None:
        self._posted, self._text = posted, text
        self._amounts: dict[AccountRole, Money] = {}

    def debit(self, role: AccountRole, amount: Money) -> Self:
        """One line per role: what meets there is netted."""
        self._amounts[role] = self._amounts[role] + amount if role in self._amounts else amount
        return self

    def credit(self, role: AccountRole, amount: Money) -> Self:
        return self.debit(role, -amount)

    def entry(self) -> JournalEntry:
        """Raises `RuleError` where nothing is left to post, `ValidationError` where it does not balance."""
        amounts = [(role, amount) for role, amount in self._amounts.items() if amount.amount]
        if not amounts:
            raise RuleError("lines", RULE, f"{self._posted.document} posts nothing: all its amounts are zero")
        return JournalEntry(
            id=self._posted.document,
            book=self._posted.book,
            period=Period.of(self._posted.dated),
            posted_on=self._posted.dated,
            text=self._text,
            lines=tuple(self._line(role, amount) for role, amount in amounts),
        )

    def _line(self, role: AccountRole, amount: Money) -> JournalLine:
        return JournalLine(
            entity=self._posted.entity,
            account=role.value,
            debit=amount if amount.amount > 0 else None,
            credit=-amount if amount.amount < 0 else None,
            project=(self._posted.project or None) if role in BY_PROJECT else None,
        )


class PostingDifference(Value):
    """An account on which the ledger differs from what the document should have posted."""

    entity: str
    account: str
    project: str = ""
    expected: Money
    found: Money

    def __str__(self) -> str:
        where = f"{self.account} of {self.entity}" + (f", project {self.project}" if self.project else "")
        return f"{where}: {_side(self.found)} in the ledger, {_side(self.expected)} expected"


def check_against(expected: JournalEntry, ledger: Iterable[JournalLine]) -> tuple[PostingDifference, ...]:
    """Every account on which `ledger`, the lines the ERP posted for the document, differs. Tolerance 0.00.

    Accounts that carry the project are held together per project; lines may be split as the ERP likes.
    """
    wanted, found = _summed(expected.lines), _summed(ledger)
    return tuple(
        PostingDifference(
            entity=key[0],
            account=key[1],
            project=key[2],
            expected=Money.of(wanted.get(key, Decimal(0)), key[3]),
            found=Money.of(found.get(key, Decimal(0)), key[3]),
        )
        for key in sorted({*wanted, *found})
        if wanted.get(key, Decimal(0)) != found.get(key, Decimal(0))
    )


def our_journal(entry: JournalEntry) -> JournalEntry:
    """`entry`, if Fairlead may post it: it touches no control account. Raises `RuleError` naming those."""
    touched = sorted({line.account for line in entry.lines} & {role.value for role in CONTROL})
    if touched:
        raise RuleError(
            "lines.account",
            RULE,
            f"journal {entry.id} touches {', '.join(touched)}: control accounts move by invoices, bills, "
            "payments and payroll alone; post the document instead",
        )
    return entry


def _summed(lines: Iterable[JournalLine]) -> dict[tuple[str, str, str, str], Decimal]:
    by_project = {role.value for role in BY_PROJECT}
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        project = (line.project or "") if line.account in by_project else ""
        sums[line.entity, line.account, project, line.signed.currency] += line.signed.amount
    return sums


def _side(amount: Money) -> str:
    if not amount.amount:
        return "nothing"
    return f"debit {amount}" if amount.amount > 0 else f"credit {-amount}"
