"""`fairlead systems check` for NetSuite: what our role reaches, and how the account names things."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from connectors.errors import ConnectorError
from connectors.netsuite.api import NetSuiteApi
from connectors.netsuite.parties import OPEN_PERIODS, Parties
from connectors.netsuite.reference import Ids, ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from connectors.ports import Check

OPERATION = "check"
SUBSIDIARIES = "SELECT id, externalid AS name FROM subsidiary WHERE isinactive = 'F' AND id > ? ORDER BY id"
Answer = tuple[bool, str]


async def inspect(
    api: NetSuiteApi,
    posting: NetSuiteApi,
    settings: NetSuiteSettings,
    reference: ReferenceData,
    parties: Parties,
) -> Sequence[Check]:
    """One line per ability; a failure is a red line, never an exception."""
    apart = (
        [await _line("sign in for posting", partial(_subsidiaries, posting, settings))]
        if settings.posts_apart
        else []
    )
    return [
        *apart,
        await _line("sign in and subsidiaries", partial(_subsidiaries, api, settings)),
        await _line("open accounting periods", partial(_periods, api)),
        await _line("currencies", partial(_named, reference.currencies, "active currencies")),
        await _line("customer matching", partial(_columns, settings, parties)),
        await _line("payment terms", partial(_named, reference.all_terms, "active payment terms")),
        *[
            await _line(f"fields of {record_type}", partial(_fields, api, record_type, names))
            for record_type, names in _custom_fields(settings).items()
        ],
        *await _labels_of_lists(settings, reference),
        *await _ledger_names(settings, reference),
    ]


def _custom_fields(settings: NetSuiteSettings) -> dict[str, tuple[str, ...]]:
    """Record type -> fields that the settings name; a column of a sublist after the sublist's name."""
    columns = (settings.line_ref_field, settings.tax_code_field)
    return {
        "customer": (settings.customer_key_field, settings.customer_crm_field),
        "job": (settings.project_key_field, settings.project_crm_field, settings.project_budget_field),
        "billingSchedule": (settings.schedule_key_field,),
        "invoice": (
            *(settings.transaction_key_field, settings.post_key_field, settings.reason_field),
            *(settings.approval_field, settings.approver_field),
            *(f"item.{column}" for column in columns),
        ),
        "creditMemo": (
            *(settings.transaction_key_field, settings.reason_field),
            *(f"item.{column}" for column in columns),
        ),
        "customerPayment": (settings.transaction_key_field,),
        "journalEntry": (settings.transaction_key_field,),
    }


async def _labels_of_lists(settings: NetSuiteSettings, reference: ReferenceData) -> list[Check]:
    billing, schedule = set(settings.billing_types.values()), set(settings.schedule_types.values())
    expense = {settings.expense_type} - {""}
    return [
        await _line("project billing types", partial(_labels, reference, "job", "jobBillingType", billing)),
        await _line(
            "project expense type", partial(_labels, reference, "job", "projectExpenseType", expense)
        ),
        await _line(
            "billing schedule types",
            partial(_labels, reference, "billingSchedule", "scheduleType", schedule),
        ),
    ]


async def _ledger_names(settings: NetSuiteSettings, reference: ReferenceData) -> list[Check]:
    numbers = {number for roles in settings.accounts.values() for number in roles.values()}
    return [
        await _line("items", partial(_known, reference.items, set(settings.items.values()))),
        await _line("tax codes", partial(_known, reference.tax_codes, set(settings.tax_codes.values()))),
        await _line("accounts", partial(_known, reference.accounts, numbers)),
        await _line("posting periods", partial(_named, reference.periods, "accounting periods")),
    ]


async def _line(name: str, ask: Callable[[], Awaitable[Answer]]) -> Check:
    try:
        ok, detail = await ask()
    except ConnectorError as error:
        return Check(name=name, ok=False, detail=error.message)
    return Check(name=name, ok=ok, detail=detail)


async def _subsidiaries(api: NetSuiteApi, settings: NetSuiteSettings) -> Answer:
    found = {str(row.get("name", "")) async for row in api.rows(SUBSIDIARIES, (), operation=OPERATION)}
    missing = sorted(set(settings.subsidiaries.values()) - found)
    if missing:
        return False, f"no active subsidiary has the external id {', '.join(missing)}"
    known = sorted(found - {""})
    return bool(known), ", ".join(known) or "no active subsidiary has an external id; set one on each"


async def _periods(api: NetSuiteApi) -> Answer:
    starts = [str(row.get("startdate", "")) async for row in api.rows(OPEN_PERIODS, (), operation=OPERATION)]
    if not starts:
        return False, "no accounting period is open, or our role may not see them"
    return True, f"{len(starts)} open from {min(starts)[:7]}"


async def _named(read: Callable[[], Awaitable[Ids]], what: str) -> Answer:
    names = sorted(await read())
    return bool(names), ", ".join(names) or f"no {what}"


async def _known(read: Callable[[], Awaitable[Ids]], wanted: set[str]) -> Answer:
    missing = sorted(wanted - set(await read()))
    return not missing, f"unknown: {', '.join(missing)}" if missing else ", ".join(
        sorted(wanted)
    ) or "not used"


async def _columns(settings: NetSuiteSettings, parties: Parties) -> Answer:
    await parties.probe()
    return True, f"by {settings.tax_column} and {settings.customer_crm_field.lower()}"


async def _fields(api: NetSuiteApi, record_type: str, names: Sequence[str]) -> Answer:
    wanted = {name for name in names if name}
    missing = sorted(wanted - await api.field_names(record_type, operation=OPERATION))
    return not missing, f"missing: {', '.join(missing)}" if missing else ", ".join(sorted(wanted))


async def _labels(reference: ReferenceData, record_type: str, field: str, labels: set[str]) -> Answer:
    missing = sorted(labels - set(await reference.options(record_type, field)))
    return not missing, f"unknown: {', '.join(missing)}" if missing else ", ".join(
        sorted(labels)
    ) or "not used"
