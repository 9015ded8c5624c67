"""Credit notes: what of a posted invoice is taken back, with its own rates, tax and exchange rate.

Source: rule 13 (credit and rebill). A full reversal takes back all that is left. A partial credit
names entries, which are then free to be billed again, or is a reduction of the price, which frees none. The
reason decides the books: a billing error goes back to the contract account and leaves revenue alone, a
concession lowers the price, and what cannot be collected is an allowance and no credit note at all.

Amounts of a credit have the sign of the invoice: they are what is taken back.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal

from domain.billing_commands import CreditReason, DraftLine
from domain.calendar import Period
from domain.invoice_state import TaxLine
from domain.money import Money, total
from domain.rules.credited import Credit, CreditedLine, CreditRefused, PostedInvoice

RULE = "13 credit and rebill"
_FOLLOWING = ("retention", "advance_applied")
"""Kinds of line that are a part of what is billed: they are credited in proportion to it."""


def full_reversal(
    invoice: PostedInvoice, reason: CreditReason, dated: date, open_periods: Collection[Period]
) -> Credit:
    """All that is left of `invoice`; a billing error releases every entry. Raises `CreditRefused`."""
    back = invoice.left_of_lines
    if not any(amount.amount for amount in back.values()):
        raise CreditRefused("invoice", RULE, f"{invoice.number} is credited in full already", invoice.gross)
    keys = tuple(share.key for line in invoice.lines for share in line.shares)
    return _credit(invoice, reason, dated, open_periods, back, keys)


def credit_entries(
    invoice: PostedInvoice,
    keys: Collection[str],
    reason: CreditReason,
    dated: date,
    open_periods: Collection[Period],
) -> Credit:
    """The entries and events named, each with its share of its line; the last of a line takes what is left.

    Raises `CreditRefused` for a key that is not on the invoice or credited before, and for more than is left.
    """
    shares = {share.key: share.net for line in invoice.lines for share in line.shares}
    for key in sorted(keys):
        if key not in shares:
            raise CreditRefused("entries", RULE, f"{key} is not on {invoice.number}: name entries it covers")
        if key in invoice.credited_entries:
            raise CreditRefused("entries", RULE, f"{key} was credited before", shares[key])
    if not keys:
        raise CreditRefused("entries", RULE, "no entry is named: name them, or reduce the price")
    back: dict[str, Money] = {}
    for line in invoice.lines:
        named = [share.net for share in line.shares if share.key in keys]
        if not named:
            continue
        waiting = [share for share in line.shares if share.key not in {*keys, *invoice.credited_entries}]
        left = invoice.left(line.line)
        back[line.line.ref] = total(named, invoice.currency) if waiting else left
        _within(line.line, back[line.line.ref], left)
    return _credit(invoice, reason, dated, open_periods, _with_followers(invoice, back), tuple(sorted(keys)))


def reduce_price(
    invoice: PostedInvoice,
    net: Money,
    reason: CreditReason,
    dated: date,
    open_periods: Collection[Period],
    refs: Collection[str] = (),
) -> Credit:
    """`net` less, over the lines `refs` or over all that bill something, by what is left of them.

    It releases no entry: what was done stays billed, at a lower price. Raises `CreditRefused`.
    """
    unknown = sorted(set(refs) - invoice.left_of_lines.keys())
    if unknown:
        raise CreditRefused("lines", RULE, f"{invoice.number} has no line {', '.join(unknown)}")
    lines = [line.line for line in invoice.lines if _bills(line.line) and (not refs or line.line.ref in refs)]
    left = [invoice.left(line) for line in lines]
    most = total(left, invoice.currency)
    if net.amount <= 0:
        raise CreditRefused("net", RULE, "a reduction of the price is above zero", net)
    if most < net:
        raise CreditRefused("net", RULE, f"only {most} of {invoice.number} are left to credit", net)
    parts = net.allocate([amount.amount for amount in left])
    back = {line.ref: part for line, part in zip(lines, parts, strict=True) if part.amount}
    return _credit(invoice, reason, dated, open_periods, _with_followers(invoice, back), ())


def _credit(
    invoice: PostedInvoice,
    reason: str,
    dated: date,
    open_periods: Collection[Period],
    back: dict[str, Money],
    keys: Sequence[str],
) -> Credit:
    checked = _reason(reason)
    _open_day(invoice, dated, open_periods)
    settles = all(
        invoice.left_of_lines[ref] == back.get(ref, Money.zero(invoice.currency))
        for ref in invoice.left_of_lines
    )
    none = Money.zero(invoice.currency)
    settles = all(left == back.get(ref, none) for ref, left in invoice.left_of_lines.items())
    lines = tuple(CreditedLine(ref=ref, net=amount) for ref, amount in back.items() if amount.amount)
    taxes = tuple(_tax(invoice, tax, back, settles) for tax in invoice.taxes)
    net = total([line.net for line in lines], invoice.currency)
    tax = total([tax.tax for tax in taxes], invoice.currency)
    entries = tuple(key for key in keys if key not in invoice.credited_entries)
    return Credit(
        invoice=invoice.id,
        reason=checked,
        dated=dated,
        lines=lines,
        taxes=tuple(tax for tax in taxes if tax.base.amount or tax.tax.amount),
        net=net,
        tax=tax,
        gross=net + tax,
        base_gross=_base(invoice, net + tax),
        entries=entries,
        released=entries if checked == "billing_error" else (),
        settles=settles,
    )


def _reason(reason: str) -> CreditReason:
    if reason == "billing_error":
        return "billing_error"
    if reason == "concession":
        return "concession"
    if reason == "uncollectible":
        problem = "what cannot be collected is written off by an allowance: the claim stands, no credit note"
    else:
        problem = f"{reason!r} is no reason for a credit: billing_error or concession"
    raise CreditRefused("reason", RULE, problem)


def _open_day(invoice: PostedInvoice, dated: date, open_periods: Collection[Period]) -> None:
    if not any(period.contains(dated) for period in open_periods):
        named = ", ".join(sorted(map(str, open_periods))) or "none"
        raise CreditRefused("dated", RULE, f"{dated} is in no open period (open: {named}): date it there")
    if dated < invoice.dated:
        raise CreditRefused("dated", RULE, f"{dated} is before {invoice.number} itself, of {invoice.dated}")


def _bills(line: DraftLine) -> bool:
    return line.kind not in _FOLLOWING and line.net.amount > 0


def _within(line: DraftLine, wanted: Money, left: Money) -> None:
    """Neither more than is left, nor the other way round."""
    if abs(wanted.amount) > abs(left.amount) or wanted.amount * left.amount < 0:
        raise CreditRefused(
            "entries",
            RULE,
            f"line {line.ref} has {left} left after earlier credits, the entries named carry {wanted}: "
            "name all that are left of it, or reduce the price",
            wanted,
        )


def _with_followers(invoice: PostedInvoice, back: dict[str, Money]) -> dict[str, Money]:
    """Retention held and advances applied come back in proportion, the last credit taking what is left."""
    billing = [line.line for line in invoice.lines if _bills(line.line)]
    whole = total([line.net for line in billing], invoice.currency)
    before = whole - total([invoice.left(line) for line in billing], invoice.currency)
    to_date = before + total([back[line.ref] for line in billing if line.ref in back], invoice.currency)
    share = to_date.amount / whole.amount if whole.amount else Decimal(1)
    result = dict(back)
    for line in (line.line for line in invoice.lines if line.line.kind in _FOLLOWING):
        target = line.net.times(share)
        more = target - (line.net - invoice.left(line))
        if more.amount:
            result[line.ref] = more
    return result


def _tax(invoice: PostedInvoice, tax: TaxLine, back: dict[str, Money], settles: bool) -> TaxLine:
    """The original's rate on all that is credited to date, less what was; the last takes what is left.

    Where each line is taxed by itself, so is each line of the credit note.
    """
    refs = {line.line.ref for line in invoice.lines if line.line.tax_code == tax.code}
    base = total([amount for ref, amount in back.items() if ref in refs], invoice.currency)
    earlier = [each for credit in invoice.credits for each in credit.taxes if each.code == tax.code]
    base_before = total([each.base for each in earlier], invoice.currency)
    tax_before = total([each.tax for each in earlier], invoice.currency)
    spent = settles or (base_before + base == tax.base and base.amount != 0)
    if spent:
        to_date = tax.tax
    elif invoice.tax_rounding == "line":
        by_line = [amount.times(tax.rate_percent / 100) for ref, amount in back.items() if ref in refs]
        to_date = _towards(tax.tax, tax_before + total(by_line, invoice.currency))
    else:
        to_date = _towards(tax.tax, (base_before + base).times(tax.rate_percent / 100))
    return tax.with_changes(base=base, tax=to_date - tax_before)


def _towards(whole: Money, part: Money) -> Money:
    """`part`, but never beyond `whole` nor on its other side."""
    low, high = sorted((Decimal(0), whole.amount))
    return Money.of(min(max(part.amount, low), high), whole.currency)


def _base(invoice: PostedInvoice, gross: Money) -> Money | None:
    """The credited share of the invoice's base amount: credits in full sum to it, to the cent."""
    whole = invoice.base_gross
    if whole is None:
        return None
    before = [credit for credit in invoice.credits if credit.base_gross is not None]
    base_before = total([each.base_gross for each in before if each.base_gross], whole.currency)
    if not invoice.gross.amount:
        return whole - base_before
    credited = total([each.gross for each in before], invoice.currency) + gross
    return whole.times(credited.amount / invoice.gross.amount) - base_before


def check_rebill(keys: Iterable[str], credits: Iterable[Credit], billed_again: Collection[str] = ()) -> None:
    """A rebill may contain what billing errors released by name, and what no invoice has taken since.

    Raises `CreditRefused` naming every key that may not be billed again.
    """
    free = {key for credit in credits for key in credit.released}
    taken = sorted(set(keys) & set(billed_again))
    held = sorted(set(keys) - free)
    if held:
        raise CreditRefused(
            "entries", RULE, f"no credit released {', '.join(held)}: credit them by name first"
        )
    if taken:
        raise CreditRefused("entries", RULE, f"{', '.join(taken)} stand on a live invoice again already")
