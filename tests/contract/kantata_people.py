"""Plans of the commands about people: each test has a user of its own."""

from datetime import date
from decimal import Decimal

from connectors.kantata.client import KantataClient
from domain.commands import Command
from domain.psa_people_commands import AddTimeOff, ChangeTimeOff, DayOff, KeepPerson, KeepRole, KeepSkill
from tests.contract.bench import Bench

Pair = tuple[Command, Command]
MONDAY, TUESDAY = date(2026, 12, 7), date(2026, 12, 8)


async def some_names(bench: Bench, thing: str) -> tuple[str, str]:
    """Two roles or skills of the seeded account."""
    found = (await bench.get(f"/_control/kantata/{thing}"))["records"]
    return str(found[0]["name"]), str(found[1]["name"])


def invitation(tag: str, role: str) -> KeepPerson:
    return KeepPerson(
        email=f"new.{tag}@fairlead.example", name=f"New {tag}", role=role, title=f"Senior {role}"
    )


async def new_user(bench: Bench, client: KantataClient, tag: str) -> str:
    role, _ = await some_names(bench, "roles")
    return (await client.apply(invitation(tag, role), f"prepare/{tag}/user/1")).external_id


async def prepare_invitation(bench: Bench, client: KantataClient, tag: str) -> Pair:
    role, _ = await some_names(bench, "roles")
    await new_user(bench, client, f"{tag}-other")  # it also teaches the client the role
    command = invitation(tag, role)
    return command, command.with_changes(title="Principal")


async def prepare_person(bench: Bench, client: KantataClient, tag: str) -> Pair:
    user = await new_user(bench, client, tag)
    command = KeepPerson(
        person_external_id=user, title="Expert", entity="DE01", region="DE", last_day="2026-12-31"
    )
    return command, command.with_changes(last_day="")


async def prepare_role(bench: Bench, client: KantataClient, tag: str) -> Pair:
    role, was = await some_names(bench, "roles")
    user = await new_user(bench, client, tag)
    # A change before this one; it also teaches the client the membership.
    await client.apply(KeepRole(person_external_id=user, role=was, was=role), f"prepare/{tag}/role/1")
    command = KeepRole(person_external_id=user, role=role, was=was)
    return command, command.with_changes(role="Nobody's role")


async def prepare_skill(bench: Bench, client: KantataClient, tag: str) -> Pair:
    skill, other = await some_names(bench, "skills")
    user = await new_user(bench, client, tag)
    await client.apply(KeepSkill(person_external_id=user, skill=other), f"prepare/{tag}/skill/1")
    command = KeepSkill(person_external_id=user, skill=skill, level=3)
    return command, command.with_changes(level=4)


async def prepare_skill_level(bench: Bench, client: KantataClient, tag: str) -> Pair:
    skill, _ = await some_names(bench, "skills")
    user = await new_user(bench, client, tag)
    added = KeepSkill(person_external_id=user, skill=skill, level=2)
    made = await client.apply(added, f"prepare/{tag}/skill/1")
    command = added.with_changes(level=5, was=2, skill_external_id=made.external_id)
    return command, command.with_changes(level=4)


def days_off(user: str, hours: str = "4") -> AddTimeOff:
    days = (DayOff(day=MONDAY, hours=Decimal(8)), DayOff(day=TUESDAY, hours=Decimal(hours)))
    return AddTimeOff(person_external_id=user, days=days)


async def prepare_days_off(bench: Bench, client: KantataClient, tag: str) -> Pair:
    user = await new_user(bench, client, tag)
    return days_off(user), days_off(user, "7.5")


async def prepare_day_changed(bench: Bench, client: KantataClient, tag: str) -> Pair:
    user = await new_user(bench, client, tag)
    made = await client.apply(days_off(user), f"prepare/{tag}/days/1")
    command = ChangeTimeOff(time_off_external_id=made.external_id, hours=Decimal("2.5"))
    return command, command.with_changes(hours=Decimal(3))


async def prepare_day_taken_back(bench: Bench, client: KantataClient, tag: str) -> Pair:
    command, _ = await prepare_day_changed(bench, client, tag)
    gone = command.with_changes(hours=Decimal(0))
    return gone, gone.with_changes(hours=Decimal(1))
