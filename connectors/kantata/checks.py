"""The self-check of one account: reachable, authenticated, and set up as the firm's file says."""

from collections.abc import Awaitable, Callable, Sequence

from connectors.errors import ConnectorError
from connectors.kantata.account import Account
from connectors.kantata.directory import Directory
from connectors.kantata.models import CustomField, Named, SubscribedEvent, User
from connectors.ports import Check

OPERATION = "check"


async def run(account: Account, directory: Directory) -> Sequence[Check]:
    """One line per ability. Without access the rest is not asked for."""
    access = await _judged("access", lambda: _access(account))
    if not access.ok:
        return [access]
    return [
        access,
        await _judged("custom fields", lambda: _custom_fields(account)),
        await _judged("person fields", lambda: _person_fields(account)),
        await _judged("roles", lambda: _roles(account)),
        await _judged("project template", lambda: _template(account, directory)),
        await _judged("approver", lambda: _approver(account, directory)),
        await _judged("change feed", lambda: _feed(account)),
        await _judged("time and invoices", lambda: _work(account)),
    ]


async def _judged(name: str, ask: Callable[[], Awaitable[Check]]) -> Check:
    try:
        return await ask()
    except ConnectorError as error:
        return Check(name=name, ok=False, detail=error.message)


async def _access(account: Account) -> Check:
    answer = await account.http.call("GET", "/users/me", operation=OPERATION, write=False)
    users = account.read(User, "users", answer, OPERATION)
    who = users[0].full_name or users[0].email_address or users[0].id if users else "nobody"
    return Check(name="access", ok=bool(users), detail=f"signed in as {who}")


async def _custom_fields(account: Account) -> Check:
    settings = account.settings
    wanted = {settings.request_key_field: "request_key_field", settings.demand_field: "demand_field"}
    params = {"only": ",".join(str(id) for id in wanted)}
    found = await account.search(CustomField, "custom_fields", params, operation=OPERATION)
    kinds = {field.id: field.value_type for field in found}
    wrong = [
        f"{name} = {id} is {'not there' if str(id) not in kinds else 'of type ' + kinds[str(id)]}"
        for id, name in wanted.items()
        if kinds.get(str(id)) != "string"
    ]
    detail = "; ".join(wrong) + ": create a text field on workspace resources" if wrong else "both are there"
    return Check(name="custom fields", ok=not wrong, detail=detail)


async def _person_fields(account: Account) -> Check:
    settings = account.settings
    named = {
        "entity_field": settings.entity_field,
        "region_field": settings.region_field,
        "last_day_field": settings.last_day_field,
    }
    wanted = {name: id for name, id in named.items() if id}
    params = {"only": ",".join(str(id) for id in wanted.values())}
    found = await account.search(CustomField, "custom_fields", params, operation=OPERATION) if wanted else []
    kinds = {field.id: field.value_type for field in found}
    wrong = [f"{name} = {id}" for name, id in wanted.items() if kinds.get(str(id)) != "string"]
    detail = f"{', '.join(wrong)}: create a text field on users, or set it to 0" if wrong else "all are there"
    return Check(name="person fields", ok=not wrong, detail=detail)


async def _roles(account: Account) -> Check:
    found = await account.search(Named, "roles", {}, operation=OPERATION)
    return Check(name="roles", ok=bool(found), detail=f"{len(found)} roles")


async def _template(account: Account, directory: Directory) -> Check:
    wanted = account.settings.default_template
    id = await directory.template_id(None, OPERATION)
    detail = "none by default" if id is None else f"{wanted!r} is template {id}"
    return Check(name="project template", ok=True, detail=detail)


async def _approver(account: Account, directory: Directory) -> Check:
    email = account.settings.default_approver_email
    if not email:
        return Check(name="approver", ok=True, detail="none by default; each request must name one")
    return Check(name="approver", ok=True, detail=f"user {await directory.user_id(email, OPERATION)}")


async def _work(account: Account) -> Check:
    for collection in ("time_entries", "timesheet_submissions", "expenses", "invoices"):
        await account.page(collection, {"limit": 1, "offset": 0}, operation=OPERATION)
    return Check(name="time and invoices", ok=True, detail="can be read")


async def _feed(account: Account) -> Check:
    if not account.settings.event_feed:
        return Check(name="change feed", ok=True, detail="switched off; projects are polled")
    try:
        params = {"per_page": 1}
        answer = await account.http.call(
            "GET", "/subscribed_events", operation=OPERATION, write=False, params=params
        )
        account.read(SubscribedEvent, "subscribed_events", answer, OPERATION)
    except ConnectorError as error:
        if error.status not in (403, 404):
            raise
        return Check(name="change feed", ok=True, detail="not in this account; projects are polled")
    return Check(name="change feed", ok=True, detail="available")
