"""People, their role and their skills: `KeepPerson`, `KeepRole`, `KeepSkill`.

Who is new is invited (the invitation's reference is taken to stand at the invited user, which the vendor does
not say), who is known is changed; both carry the effect key in an external reference. The role stands at the
account membership and a skill at a skill membership, which carry no reference: they are found by what is
there now beside what was there before (`was`).

Source: Kantata OX API, users, account invitations, account memberships, skill memberships, custom fields.
"""

from collections.abc import Mapping
from typing import Any

from connectors.errors import Ambiguous, Conflict, Rejected, Transient
from connectors.kantata import mapping
from connectors.kantata.account import Account
from connectors.kantata.directory import Directory
from connectors.kantata.keyed import Keyed
from connectors.kantata.memory import Memory
from connectors.kantata.models import AccountInvitation, AccountMembership, Person, SkillMembership
from domain.commands import Record
from domain.psa_people_commands import KeepPerson, KeepRole, KeepSkill

PERSON = "role,custom_field_values,external_references"


class People:
    """The three commands; each of them is one write."""

    def __init__(self, account: Account, directory: Directory) -> None:
        self._account = account
        self._directory = directory
        self._keyed = Keyed(account)
        self._memberships = Memory()
        self._settings = account.settings

    # ---- person

    async def find_person(self, command: KeepPerson, key: str) -> Record | None:
        operation = "find person"
        if not command.person_external_id:
            params = {"include": "external_references", "on_my_account": "true"}
            invited = await self._keyed.one(Person, "users", command, key, params, operation)
            return None if invited is None else _invited(invited.id, invited.headline)
        person = await self._account.show(
            Person, "users", command.person_external_id, include=PERSON, operation=operation
        )
        name = mapping.change_reference(self._settings.service_name, command, key)["service_name"]
        held = self._account.reference(person, name, operation)
        return self._person(person) if held is not None and held.service_model_ref == key else None

    async def keep_person(self, command: KeepPerson, key: str) -> Record:
        if not command.person_external_id:
            return await self._invite(command, key)
        operation = "change person"
        number = self._account.record_id(command.person_external_id, "a user", operation)
        people, request_id = await self._account.write(
            Person,
            "PUT",
            f"/users/{number}",
            {"user": mapping.person(command, self._settings, key)},
            key=key,
            include=PERSON,
            operation=operation,
        )
        return self._person(people[0], request_id)

    async def _invite(self, command: KeepPerson, key: str) -> Record:
        operation = "invite person"
        role = await self._directory.role_id(command.role, operation) if command.role else None
        body = mapping.invitation(command, self._settings, key, role_id=role)
        made, request_id = await self._account.write(
            AccountInvitation,
            "POST",
            "/account_invitations",
            {"account_invitation": body},
            key=key,
            include="invitee",
            operation=operation,
        )
        if not made[0].invitee_id:
            words = f"invitation {made[0].id} is made, but its answer names no user"
            raise self._account.error(Ambiguous, operation, words, request_id=request_id)
        return _invited(made[0].invitee_id, made[0].headline, request_id)

    def _person(self, person: Person, request_id: str = "") -> Record:
        return Record(
            external_id=person.id,
            fields=mapping.person_fields(person, self._settings),
            request_id=request_id,
        )

    # ---- role

    async def find_role(self, command: KeepRole, key: str) -> Record | None:
        person = await self._account.show(
            Person, "users", command.person_external_id, include="role", operation="find role of a person"
        )
        held = person.role.name if person.role else ""
        return None if held == command.was else _role(command, held)

    async def keep_role(self, command: KeepRole, key: str) -> Record:
        operation = "change role of a person"
        role_id = await self._directory.role_id(command.role, operation)
        membership = await self._membership(command.person_external_id, operation)
        made, request_id = await self._account.write(
            AccountMembership,
            "PUT",
            f"/account_memberships/{membership}",
            {"account_membership": {"default_role_id": role_id}},
            key=key,
            include="default_role",
            operation=operation,
        )
        held = made[0].default_role
        return _role(command, held.name if held else "", request_id)

    async def _membership(self, person: str, operation: str) -> str:
        """The membership of a user. Raises `Transient` while none is shown: who is on the account has one."""
        known = self._memberships[person]
        if known is not None:
            return known
        params: dict[str, str | int] = {
            "with_user_ids": self._account.record_id(person, "a user", operation),
            "include": "user",
        }
        found = await self._account.search(
            AccountMembership, "account_memberships", params, operation=operation
        )
        mine = [one for one in found if one.user_id == person]
        if len(mine) != 1:
            kind = Rejected if mine else Transient
            words = f"user {person} has {len(mine)} memberships of the account, not one"
            raise self._account.error(kind, operation, words, field="account_membership")
        self._memberships[person] = mine[0].id
        return mine[0].id

    # ---- skill

    async def find_skill(self, command: KeepSkill, key: str) -> Record | None:
        held = await self._held(command, "find skill of a person")
        if held is None or (command.skill_external_id and (held.level or 0) == command.was):
            return None
        return _skill(held)

    async def keep_skill(self, command: KeepSkill, key: str) -> Record:
        operation = "keep skill of a person"
        level = {"level": command.level} if command.level else {}
        if command.skill_external_id:
            number = self._account.record_id(command.skill_external_id, "a skill of a user", operation)
            return await self._write_skill("PUT", f"/skill_memberships/{number}", level, key, operation)
        body = {
            "skill_id": await self._directory.skill_id(command.skill, operation),
            "user_id": self._account.record_id(command.person_external_id, "a user", operation),
            **level,
        }
        return await self._write_skill("POST", "/skill_memberships", body, key, operation)

    async def _write_skill(
        self, method: str, path: str, body: Mapping[str, Any], key: str, operation: str
    ) -> Record:
        made, request_id = await self._account.write(
            SkillMembership, method, path, {"skill_membership": body}, key=key, operation=operation
        )
        return _skill(made[0], request_id)

    async def _held(self, command: KeepSkill, operation: str) -> SkillMembership | None:
        params: dict[str, str | int] = {
            "user_ids": self._account.record_id(command.person_external_id, "a user", operation),
            "order": "created_at:asc",
        }
        found = await self._account.search(SkillMembership, "skill_memberships", params, operation=operation)
        same = [one for one in found if one.cached_skill_name.casefold() == command.skill.casefold()]
        if len(same) > 1:
            words = f"user {command.person_external_id} has the skill {command.skill!r} {len(same)} times"
            raise self._account.error(Conflict, operation, words, field="skill", rule="skill.ambiguous")
        return same[0] if same else None


def _invited(id: str, headline: str | None, request_id: str = "") -> Record:
    return Record(external_id=id, fields={"title": headline or ""}, request_id=request_id)


def _role(command: KeepRole, held: str, request_id: str = "") -> Record:
    return Record(external_id=command.person_external_id, fields={"role": held}, request_id=request_id)


def _skill(held: SkillMembership, request_id: str = "") -> Record:
    fields = {"skill": held.cached_skill_name, "level": str(held.level or 0)}
    return Record(external_id=held.id, fields=fields, request_id=request_id)
