"""Who acts, in which role: the person of a token, or where access is open a person of the firm's file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.exit_codes import refused, usage

if TYPE_CHECKING:
    from cli.context import Session
    from domain.access import Caller, Function
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
    """Who acts, in the first of `wanted` roles they have: whose token it is where the firm asks for one,
    else the person of `--as` or FAIRLEAD_ACTOR.

    Raises `Stop`: usage when nobody is named, refused when the person is unknown or has no such role.
    """
    if session.caller is not None:
        return _proven(session, session.caller, wanted, what)
    email = person(session)
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


def person(session: "Session") -> str:
    """Mail address of who acts; empty when nobody is named. Raises `Stop` for a token that does not hold."""
    return session.caller.person if session.caller is not None else (session.options.actor or "").strip()


def allowed(session: "Session", function: "Function", what: str) -> None:
    """Raises `Stop` where the firm asks for a token and this one does not open `function`."""
    from domain.access import needed

    caller = session.caller
    if caller is not None and not caller.may(function):
        raise refused(f"{caller.person} may not {what}: that takes the role {needed(function)}.")


def _proven(session: "Session", caller: "Caller", wanted: Sequence[str], what: str) -> Actor:
    """Rights are the token's. Business roles are the person's, and used with a right that decides only."""
    from domain.access import RIGHTS, Function

    business = [
        role
        for email, access in session.firm.people.items()
        if email.casefold() == caller.person.casefold() and caller.may(Function.DECIDE)
        for role in access.roles
        if role not in RIGHTS
    ]
    held = [*caller.rights, *business]
    role = next((role for role in wanted if role in held), None)
    if role is None:
        raise refused(
            f"{caller.person} may not {what}: that takes one of the roles {', '.join(wanted)}; "
            f"this token has {', '.join(held) or 'none'}.",
            f"Ask one of: {', '.join(able(session.firm, wanted)) or 'nobody has them'}.",
        )
    return Actor(caller.person, role)


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
