"""`fairlead systems check` for Tryton: what our user reaches, and whether the books name things as we do."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from connectors.errors import ConnectorError
from connectors.ports import Check
from connectors.tryton.parties import Parties
from connectors.tryton.reference import ReferenceData
from connectors.tryton.settings import LINE_ROLES, TrytonSettings

Answer = tuple[bool, str]


async def inspect(settings: TrytonSettings, reference: ReferenceData, parties: Parties) -> Sequence[Check]:
    """One line per ability; a failure is a red line, never an exception.

    When signing in fails nothing else is tried: Tryton slows down a user whose logins fail.
    """
    first = await _line("sign in and companies", partial(_companies, settings, parties))
    if not first.ok:
        return [first]
    entities = [settings.entity_of(company.party.code) for company in await parties.companies()]
    return [
        first,
        await _line("journals", partial(_journals, reference)),
        await _line("project statuses", partial(_statuses, settings, reference)),
        *[
            await _line(f"accounts of {each}", partial(_accounts, settings, reference, each))
            for each in entities
        ],
        *[await _line(f"payment method of {each}", partial(_method, reference, each)) for each in entities],
    ]


async def _line(name: str, ask: Callable[[], Awaitable[Answer]]) -> Check:
    try:
        ok, detail = await ask()
    except ConnectorError as error:
        return Check(name=name, ok=False, detail=error.message)
    return Check(name=name, ok=ok, detail=detail)


async def _companies(settings: TrytonSettings, parties: Parties) -> Answer:
    codes = sorted(company.party.code for company in await parties.companies())
    missing = sorted(set(settings.companies.values()) - set(codes))
    if missing:
        return False, f"no company's party has the code {', '.join(missing)}, or our user may not see it"
    return bool(codes), ", ".join(codes) or "our user sees no company; give it companies and their filter"


async def _journals(reference: ReferenceData) -> Answer:
    await reference.sales_journal()
    await reference.general_journal()
    return True, "sales and general"


async def _statuses(settings: TrytonSettings, reference: ReferenceData) -> Answer:
    names = (settings.open_status, settings.cancelled_status)
    for name in names:
        await reference.status(name)
    return True, ", ".join(names)


async def _accounts(settings: TrytonSettings, reference: ReferenceData, entity: str) -> Answer:
    """Those that invoices need; the roles of journals are checked when one is used."""
    roles = sorted({*LINE_ROLES.values(), *settings.line_roles.values(), "receivable"})
    for role in roles:
        await reference.account(entity, role)
    return True, ", ".join(roles)


async def _method(reference: ReferenceData, entity: str) -> Answer:
    await reference.payment_method(entity)
    return True, "found"
