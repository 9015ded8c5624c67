"""Late time: the work date stays, the posting period is the first that is still open.

Source: rule 12 (cut-off). 8 h of 28 February submitted on 12 March, February closed on 5 March: work date
28 February, posted in March, marked as of February. The rate is that of the work date (`pricing`).
"""

from collections.abc import Iterable
from datetime import date

from domain.base import Value
from domain.calendar import Period
from domain.rules.errors import RuleError


class NoOpenPeriod(RuleError):
    """No period can take the work: open one, or wait until its own is opened."""


class PostingPeriod(Value):
    work_date: date
    period: Period
    original: Period | None = None
    """The closed period of the work date: the entry is marked prior-period."""

    @property
    def prior_period(self) -> bool:
        return self.original is not None


def posting_period(work_date: date, open_periods: Iterable[Period]) -> PostingPeriod:
    """The period that takes work of `work_date`: its own while open, else the first open one after it.

    Never one before it: work is not posted before it was done. Raises `NoOpenPeriod`.
    """
    own, still_open = Period.of(work_date), list(open_periods)
    if own in still_open:
        return PostingPeriod(work_date=work_date, period=own)
    later = [period for period in still_open if own < period]
    if not later:
        known = ", ".join(sorted(str(period) for period in still_open)) or "none"
        raise NoOpenPeriod(
            "entity.open_periods",
            "12 cut-off",
            f"no period is open for work of {work_date} (open: {known}): open {own} or one after it",
        )
    first = min(later, key=lambda period: (period.year, period.month))
    return PostingPeriod(work_date=work_date, period=first, original=own)
