"""Roles, people and templates by name: looked up once and remembered for a while, as they hardly change."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from connectors.errors import Rejected
from connectors.kantata.account import Account
from connectors.kantata.models import Named, User


class Directory:
    """Ids by name. What is not found is asked for again before it is called unknown."""

    def __init__(self, account: Account, clock: Callable[[], datetime]) -> None:
        self._account = account
        self._clock = clock
        self._life = timedelta(seconds=account.settings.directory_seconds)
        self._lists: dict[str, tuple[datetime, Mapping[str, int]]] = {}
        self._people: dict[str, tuple[datetime, int]] = {}

    async def role_id(self, name: str, operation: str) -> int:
        """The role of a name, whatever its case. Raises `Rejected` naming it."""
        return await self._named("roles", name, operation, "role")

    async def skill_id(self, name: str, operation: str) -> int:
        """The skill of a name, whatever its case. Raises `Rejected` naming it."""
        return await self._named("skills", name, operation, "skill")

    async def template_id(self, template: str | None, operation: str) -> int | None:
        """The project template of a title or id; None when neither command nor settings name one."""
        wanted = template or self._account.settings.default_template
        if not wanted:
            return None
        if wanted.isascii() and wanted.isdigit():
            return int(wanted)
        return await self._named("project_templates", wanted, operation, "project template")

    async def user_id(self, email: str, operation: str) -> int:
        """The person with an email address. Raises `Rejected` naming it."""
        held = self._people.get(email.casefold())
        if held is not None and self._fresh(held[0]):
            return held[1]
        # Without `on_my_account` only people who already take part in a project would be found.
        params: dict[str, str | int] = {"by_email_address": email, "on_my_account": "true"}
        users = await self._account.search(User, "users", params, operation=operation)
        if len(users) != 1:
            raise self._unknown(operation, "user", email, f"{len(users)} users have this address")
        id = self._account.record_id(users[0].id, "users", operation)
        self._people[email.casefold()] = (self._clock(), id)
        return id

    async def _named(self, collection: str, name: str, operation: str, noun: str) -> int:
        wanted = name.casefold().strip()
        held = self._lists.get(collection)
        if held is None or not self._fresh(held[0]) or wanted not in held[1]:
            held = (self._clock(), await self._read(collection, operation))
            self._lists[collection] = held
        if wanted not in held[1]:
            known = ", ".join(sorted(held[1])[:20]) or "none"
            raise self._unknown(operation, noun, name, f"known: {known}")
        return held[1][wanted]

    async def _read(self, collection: str, operation: str) -> Mapping[str, int]:
        entries = await self._account.search(
            Named, collection, {"order": "created_at:asc"}, operation=operation
        )
        ids: dict[str, int] = {}
        for entry in entries:
            # Of several with one name the oldest counts, so that the choice never changes by itself.
            name = (entry.name or entry.title).casefold().strip()
            ids.setdefault(name, self._account.record_id(entry.id, collection, operation))
        return ids

    def _fresh(self, at: datetime) -> bool:
        return self._clock() - at < self._life

    def _unknown(self, operation: str, noun: str, name: str, detail: str) -> Exception:
        words = (
            f"Kantata has no {noun} {name!r} ({detail}); create it there, or correct the name in the deal "
            "or the firm's file"
        )
        return self._account.error(Rejected, operation, words, field=noun, rule=f"{noun}.unknown")
