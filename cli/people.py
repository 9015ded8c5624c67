"""Who acts, in which role: a person of the firm's file, never just a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.exit_codes import refused, usage

if TYPE_CHECKING:
    from cli.context import Session
    from firm.model import Firm

DECIDERS = ("operator", "approver", "admin")
"""Roles that may decide about an exception or stop a process."""
APPROVERS = ("approver", "admin")
"""Roles that may agree as a second person."""
STAFFING_APPROVERS = ("practice_lead", "approver", "admin")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, and the role of theirs that fits what they are about to do."""

    email: str
    role: str


def acting(session: "Session", wanted: Sequence[str], what: str) -> Actor:
    """The person of `--as` or FAIRLEAD_ACTOR in the first of `wanted` roles they have.

    Raises `Stop`: usage when nobody is named, refused when the person is unknown or has no such role.
    """
    email = (session.options.actor or "").strip()
    if not email:
        may = ", ".join(able(session.firm, wanted)) or "nobody yet"
        raise usage(
            f"Say who you are to {what}.", f"Add --as EMAIL, or set FAIRLEAD_ACTOR. In this firm may: {may}."
        )
    known = named(session.firm, email)
    role = fitting(session.firm, known, wanted)
    if role is None:
        has = ", ".join(session.firm.people[known].roles)
        raise refused(
            f"{known} may not {what}: that takes one of the roles {', '.join(wanted)}; they have {has}.",
            f"Ask one of: {', '.join(able(session.firm, wanted)) or 'nobody has them'}.",
        )
    return Actor(known, role)


def named(firm: "Firm", email: str) -> str:
    """`email` as the firm's file writes it. Raises `Stop` naming file and section for an unknown person."""
    for known in firm.people:
        if known.casefold() == email.casefold():
            return known
    raise refused(
        f"{email} is nobody in {firm.file}.",
        f'Add the section [people."{email}"] with their roles there, or act as one of: '
        f"{', '.join(firm.people) or 'nobody is listed'}.",
    )


def fitting(firm: "Firm", email: str, wanted: Sequence[str]) -> str | None:
    """The first of `wanted` that the person has."""
    held = firm.people[email].roles
    return next((role for role in wanted if role in held), None)


def able(firm: "Firm", wanted: Sequence[str], besides: str = "") -> list[str]:
    """People with one of the roles, without `besides`; those with an earlier role first."""
    ranked = [
        (wanted.index(role), email)
        for email in firm.people
        if email.casefold() != besides.casefold() and (role := fitting(firm, email, wanted)) is not None
    ]
    return [email for _, email in sorted(ranked, key=lambda pair: pair[0])]
