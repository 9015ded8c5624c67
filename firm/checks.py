"""What the parts of a firm's file must be together, judged on the sections that are sound by themselves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.events import catalogue
from domain.readiness import GateProfile, OwnerGroup
from domain.selling import RateCard
from firm.access_section import AccessSection
from firm.billing_sections import BillingSection, TermsSection
from firm.codec import CodecSection
from firm.problems import Key, did_you_mean
from firm.sections import Access, Activation, Entity, Owner, RateCards, Roles, System, TimingSection, Webhook
from firm.subscribers import Subscriber, unknown_types

PLAYED_BY = {
    "salesforce": ("crm",),
    "kantata": ("psa",),
    "netsuite": ("erp",),
    "tryton": ("erp",),
    "coupa": ("procurement",),
    "workday": ("hr",),
}
"""Which roles the connector of a vendor can play."""
_ROLE_NAMES = ("crm", "psa", "erp", "hr", "procurement")


class Fault(NamedTuple):
    """A mistake before its file and line are known."""

    key: Key
    what: str
    cure: str


@dataclass(frozen=True)
class Draft:
    """The sections that could be read; None for one that has a mistake of its own."""

    entities: tuple[Entity, ...] | None = None
    systems: dict[str, System] | None = None
    roles: Roles | None = None
    owners: dict[OwnerGroup, Owner] | None = None
    people: dict[str, Access] | None = None
    access: AccessSection | None = None
    timing: TimingSection | None = None
    activation: Activation | None = None
    billing: BillingSection | None = None
    webhooks: dict[str, Webhook] | None = None
    subscribers: dict[str, Subscriber] | None = None
    codec: CodecSection | None = None
    rate_cards: RateCards | None = None
    profiles: tuple[GateProfile, ...] = ()
    profiles_sound: bool = False
    cards: tuple[RateCard, ...] = ()


def check(draft: Draft) -> Iterator[Fault]:
    """Every mistake between sections."""
    for rule in _CHECKS:
        yield from rule(draft)


def _unique_codes(draft: Draft) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for index, entity in enumerate(draft.entities or ()):
        first = seen.setdefault(entity.code, index)
        if first != index:
            yield Fault(
                ("entities", index, "code"),
                f"{entity.code} is the code of entities[{first}] already",
                "give each entity its own",
            )


def _entity_currencies(draft: Draft) -> Iterator[Fault]:
    for index, entity in enumerate(draft.entities or ()):
        if entity.currencies and entity.currency not in entity.currencies:
            yield Fault(
                ("entities", index, "currencies"),
                f"leave out {entity.currency}, the entity's own currency",
                f"add {entity.currency}",
            )


def _entity_regions(draft: Draft) -> Iterator[Fault]:
    if not draft.profiles_sound:
        return
    known = [profile.region for profile in draft.profiles]
    for index, entity in enumerate(draft.entities or ()):
        if entity.region not in known:
            yield Fault(
                ("entities", index, "region"),
                f"{entity.region} has no profile",
                f"add regions/{entity.region}.toml, or {did_you_mean(entity.region, known)}",
            )


def _systems_of_roles(draft: Draft) -> Iterator[Fault]:
    if draft.systems is None:
        return
    named: list[tuple[Key, str, str | None]] = []
    if draft.roles is not None:
        named += [(("roles", role), role, getattr(draft.roles, role)) for role in _ROLE_NAMES]
        for code, own in draft.roles.entities.items():
            named += [(("roles", "entities", code, role), role, getattr(own, role)) for role in _ROLE_NAMES]
    named += [(("entities", i, "erp"), "erp", entity.erp) for i, entity in enumerate(draft.entities or ())]
    for key, role, name in named:
        if name is not None:
            yield from _plays(key, role, name, draft.systems)


def _plays(key: Key, role: str, name: str, systems: dict[str, System]) -> Iterator[Fault]:
    system = systems.get(name)
    if system is None:
        cure = f"add [systems.{name}], or {did_you_mean(name, systems)}"
        yield Fault(key, f"names a system {name!r} that is not there", cure)
    elif role not in PLAYED_BY[system.vendor]:
        roles = " or ".join(PLAYED_BY[system.vendor])
        yield Fault(key, f"names {name}, but {system.vendor} cannot be the {role}", f"it can be the {roles}")


def _entities_of_roles(draft: Draft) -> Iterator[Fault]:
    if draft.entities is None or draft.roles is None:
        return
    entities = {entity.code: entity for entity in draft.entities}
    for code, own in draft.roles.entities.items():
        if code not in entities:
            yield Fault(
                ("roles", "entities", code), "is not the code of an entity", did_you_mean(code, entities)
            )
        elif own.erp and entities[code].erp and own.erp != entities[code].erp:
            yield Fault(
                ("roles", "entities", code, "erp"),
                f"is {own.erp}, but the entity itself says {entities[code].erp}",
                "say it in one place",
            )


def _system_limits(draft: Draft) -> Iterator[Fault]:
    for name, system in (draft.systems or {}).items():
        if system.vendor == "netsuite" and system.concurrency_limit is None:
            yield Fault(
                ("systems", name, "concurrency_limit"),
                "is missing: NetSuite refuses calls above the account's limit",
                "enter the limit shown under Integration Governance",
            )
        if system.vendor == "netsuite" and system.max_in_flight is None:
            yield Fault(
                ("systems", name, "max_in_flight"),
                "is missing",
                "enter a number below concurrency_limit, which all integrations of the account share",
            )
        ours, theirs = system.max_in_flight, system.concurrency_limit
        if ours is not None and theirs is not None and ours >= theirs:
            yield Fault(
                ("systems", name, "max_in_flight"),
                f"= {ours} is not below concurrency_limit = {theirs}",
                "leave room for the account's other integrations",
            )


def _task_queues(draft: Draft) -> Iterator[Fault]:
    """A queue per account: its limits are kept by who serves the queue."""
    seen: dict[str, str] = {}
    for name, system in (draft.systems or {}).items():
        queue = system.task_queue or f"fairlead.{name}"
        first = seen.setdefault(queue, name)
        if first != name or queue == "fairlead":
            used = f"is the queue of {first} already" if first != name else "is Fairlead's own queue"
            yield Fault(("systems", name, "task_queue"), f"{queue} {used}", "give each system its own")


def _owners(draft: Draft) -> Iterator[Fault]:
    if draft.owners is None:
        return
    for group in OwnerGroup:
        if group not in draft.owners:
            yield Fault(
                ("owners", group.value),
                "is missing: its exceptions would reach nobody",
                f"add [owners.{group.value}] with name, email and escalates_to",
            )
    for group, owner in draft.owners.items():
        if owner.email.casefold() == owner.escalates_to.casefold():
            yield Fault(
                ("owners", group.value, "escalates_to"),
                f"is {owner.email} again",
                "name another person, whom an overdue exception reaches",
            )


def _skip_roles(draft: Draft) -> Iterator[Fault]:
    if draft.people is None or not draft.profiles_sound:
        return
    held = {role for access in draft.people.values() for role in access.roles}
    needed = {rule.skip_role for profile in draft.profiles for rule in profile.rules if rule.required}
    for role in sorted(role for role in needed if role and role not in held):
        yield Fault(
            ("people",),
            f"hold no {role}, who may approve the skip of a gate",
            f'give somebody roles = ["{role}"], or change skip_role in the profiles',
        )


def _access(draft: Draft) -> Iterator[Fault]:
    if draft.access is None or draft.access.tokens is None or draft.people is None:
        return
    if not any("admin" in access.roles for access in draft.people.values()):
        yield Fault(
            ("access", "tokens"),
            "has nobody who may make tokens: no one in [people] is an admin",
            'give somebody roles = ["admin"]',
        )


def _activation(draft: Draft) -> Iterator[Fault]:
    activation = draft.activation
    if activation is None:
        return
    if activation.poll_every.total_seconds() < 1:
        yield Fault(("activation", "poll_every"), "is below one second", 'write such as "60s"')
    if activation.poll_overlap < activation.poll_every:
        yield Fault(
            ("activation", "poll_overlap"),
            "is shorter than poll_every, so that a late change could be missed",
            "make it at least as long",
        )
    if draft.profiles_sound:
        known = [profile.region for profile in draft.profiles]
        for region in activation.templates:
            if region not in known:
                yield Fault(
                    ("activation", "templates", region), "is not a region", did_you_mean(region, known)
                )


def _billing(draft: Draft) -> Iterator[Fault]:
    billing = draft.billing
    if billing is None:
        return
    if billing.intake_poll_every.total_seconds() % 60:
        yield Fault(
            ("billing", "intake_poll_every"),
            "is no number of whole minutes",
            'write such as "15m", or 0 for never',
        )
    known = [entity.code for entity in draft.entities] if draft.entities is not None else None
    for code in billing.entities:
        if known is not None and code not in known:
            yield Fault(
                ("billing", "entities", code), "is not the code of an entity", did_you_mean(code, known)
            )
    stated: list[tuple[Key, TermsSection]] = [
        (("billing",), billing),
        *((("billing", "entities", c), t) for c, t in billing.entities.items()),
    ]
    stated += [(("billing", "contracts", number), terms) for number, terms in billing.contracts.items()]
    for key, terms in stated:
        if terms.prebill is False and terms.prebill_hours is not None:
            yield Fault(
                (*key, "prebill_hours"),
                f"= {terms.prebill_hours}, but prebill = false: there is no review that could take so long",
                "leave out one of the two",
            )


def _timing(draft: Draft) -> Iterator[Fault]:
    timing = draft.timing
    if timing is not None and timing.heartbeat_timeout >= timing.write_timeout:
        yield Fault(
            ("timing", "heartbeat_timeout"),
            f"= {timing.heartbeat_timeout} is not below write_timeout = {timing.write_timeout}",
            "a dead worker is noticed by its missing heartbeat, long before the call's time is up",
        )


def _webhooks(draft: Draft) -> Iterator[Fault]:
    for source, hook in (draft.webhooks or {}).items():
        if hook.scheme == "salesforce-outbound-message" and len(hook.org_id) not in (15, 18):
            yield Fault(
                ("webhooks", source, "org_id"),
                "is not an organization id of 15 or 18 characters, by which outbound messages are known",
                "enter the id shown under Company Information",
            )
        known = {kind.name for kind in catalogue()}
        for name, kind in hook.events.items():
            if kind not in known:
                yield Fault(
                    ("webhooks", source, "events", name),
                    f"= {kind!r} is not a type of the event catalogue",
                    did_you_mean(kind, known),
                )


def _codec(draft: Draft) -> Iterator[Fault]:
    codec = draft.codec
    if codec is None:
        return
    if codec.active is None and codec.keys:
        yield Fault(("codec", "active"), "is missing", f"name the key that seals: {', '.join(codec.keys)}")
    elif codec.active is not None and codec.active not in codec.keys:
        yield Fault(
            ("codec", "active"),
            f"= {codec.active!r} is not a key",
            f'add keys.{codec.active} = "env:NAME", or {did_you_mean(codec.active, codec.keys)}',
        )


def _subscribers(draft: Draft) -> Iterator[Fault]:
    for key, what, cure in unknown_types(draft.subscribers or {}):
        yield Fault(key, what, cure)


def _cards(draft: Draft) -> Iterator[Fault]:
    if draft.rate_cards is not None and len(set(draft.rate_cards.files)) < len(draft.rate_cards.files):
        yield Fault(("rate_cards", "files"), "name a file twice", "name it once")


_CHECKS: Sequence[Callable[[Draft], Iterator[Fault]]] = (
    *(_unique_codes, _entity_currencies, _entity_regions, _systems_of_roles, _entities_of_roles),
    *(_system_limits, _task_queues, _owners, _skip_roles, _access, _activation, _billing, _timing, _webhooks),
    *(_codec, _subscribers, _cards),
)
