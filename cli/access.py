"""`fairlead access`: tokens of the gateway and the command line; and whose token this command was given."""

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import people
from cli.command import command, new_group
from cli.context import Session
from cli.exit_codes import Stop, not_found, refused, unreachable, usage
from cli.output import local_time, plain, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from domain.access import Caller, Right
    from firm.access_tokens import Token, TokenFile

VARIABLE = "FAIRLEAD_TOKEN"
_MOST_DAYS = 366
_MAX_BYTES = 64 * 1024


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group, tokens = new_group("Who may call the gateway and decide."), new_group("Bearer tokens.")
    example = "fairlead access token create ci-billing --for tomas.lindqvist@fairlead.example --role operator"
    command(tokens, "create", example=example)(create)
    command(tokens, "list", example="fairlead access token list")(list_)
    command(tokens, "revoke", example="fairlead access token revoke ci-billing")(revoke)
    group.add_typer(tokens, name="token")
    app.add_typer(group, name="access", rich_help_panel="Run a firm")


# -- whose token it is --------------------------------------------------------------------------------


def identified(session: Session) -> "Caller":
    """Who holds the token of `--token-file` or FAIRLEAD_TOKEN. Raises `Stop`: none, refused, or unchecked."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from gateway.access import Authenticator, CannotCheck, NotAccepted

    token, authenticator = _given(session), Authenticator(session.firm)

    async def ask() -> "Caller":
        try:
            return await authenticator.caller(token)
        finally:
            await authenticator.aclose()

    try:
        # A loop of its own: whoever asks stands in the middle of a command's.
        with ThreadPoolExecutor(1) as thread:
            caller = thread.submit(asyncio.run, ask()).result()
    except NotAccepted as error:
        raise refused(
            f"The token is not accepted: {error}.",
            "Ask an admin for a new one: `fairlead access token create`.",
        ) from None
    except CannotCheck as error:
        raise unreachable(f"The token cannot be checked: {error}.", "Nothing is done unchecked.") from None
    named = (session.options.actor or "").strip()
    if named and named.casefold() != caller.person.casefold():
        raise refused(
            f"--as names {named}, but the token is that of {caller.person}.",
            "Leave --as (or FAIRLEAD_ACTOR) out, or use that person's own token.",
        )
    return caller


def _given(session: Session) -> str:
    file = session.options.token_file
    if file is None:
        text = os.environ.get(VARIABLE, "")
    else:
        try:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(_MAX_BYTES)
        except (OSError, UnicodeDecodeError) as error:
            raise usage(f"--token-file {file} cannot be read ({type(error).__name__}).") from None
    if not text.strip():
        raise refused(
            f"{session.firm.file} has [access]: say who you are by a token.",
            f"Set {VARIABLE}, or add --token-file PATH. An admin makes one: `fairlead access token create`.",
        )
    return text.strip()


# -- the token file -----------------------------------------------------------------------------------


async def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.", show_default=False)],
    for_: Annotated[
        str, typer.Option("--for", metavar="EMAIL", help="Whose: a person of the firm.", show_default=False)
    ],
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="A role of that person; repeatable. All of theirs when left out."),
    ] = None,
    days: Annotated[int, typer.Option(help="How long it is valid.", min=1, max=_MOST_DAYS)] = 90,
) -> None:
    """Make a bearer token and show it, this once: only its SHA-256 is kept.

    The first one is made by whoever may write the token file, and has to be an admin's.
    """
    from pydantic import ValidationError

    from firm.access_tokens import Token, digest, new_secret

    file = _token_file(session)
    person = people.named(session.firm, for_.strip())
    roles = _roles(session, person, role)
    by = _manager(session, file, first="admin" in roles)
    secret, now = new_secret(), datetime.now(UTC)
    try:
        token = Token(
            name=name,
            person=person,
            roles=roles,
            sha256=digest(secret),
            created_at=now,
            created_by=by,
            expires_at=now + timedelta(days=days),
        )
    except ValidationError:
        raise usage(
            f"{name!r} is no name of a token.", "Up to 60 letters, digits, '.', '_' and '-'."
        ) from None

    def added(known: "Sequence[Token]") -> "list[Token]":
        if any(one.name == name for one in known):
            raise refused(f"There is a token {name} already, valid or not.", "Give this one its own name.")
        return [*known, token]

    audit = (await session.unguarded_store()).audit
    _changed(file, added)
    what = f"access token {name} made for {person} as {', '.join(roles)}"
    await audit.add(f"access:{session.firm.id}", actor=by, what=what, object=f"token {name}")

    def draw(console: "Console") -> None:
        until = local_time(token.expires_at)
        console.print(plain(f"Token {name} of {person} as {', '.join(roles)}, valid until {until}:"))
        console.print(plain(f"\n{secret}\n"), soft_wrap=True, style="bold")
        console.print(f"It is not shown again. Use it as {VARIABLE}, or as a Bearer token.", style="dim")

    session.out.show(_document(token) | {"token": secret}, draw)


async def list_(session: Session) -> None:
    """Tokens of the token file: whose, with which roles, until when. No token is shown."""
    file = _token_file(session)
    _manager(session, file, first=False)
    now, tokens = datetime.now(UTC), _known(file)

    def draw(console: "Console") -> None:
        if not tokens:
            console.print("There is no token.")
            return
        rows = table("Token", "Person", "Roles", "Until", "State", fold=("Person", "Roles"))
        for one in tokens:
            until = local_time(one.expires_at)
            rows.add_row(one.name, plain(one.person), ", ".join(one.roles), until, state(_state(one, now)))
        console.print(rows)

    session.out.show({"file": file.path, "tokens": [_document(one) for one in tokens]}, draw)


async def revoke(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
) -> None:
    """Make a token worthless at once, at every gateway that reads the file."""
    file = _token_file(session)
    by = _manager(session, file, first=False)
    at = datetime.now(UTC)

    def struck(known: "Sequence[Token]") -> "list[Token]":
        if all(one.name != name for one in known):
            raise not_found(f"There is no token {name!r}.", "`fairlead access token list` shows them.")
        return [
            one.model_copy(update={"revoked_at": one.revoked_at or at}) if one.name == name else one
            for one in known
        ]

    audit = (await session.unguarded_store()).audit
    _changed(file, struck)
    await audit.add(
        f"access:{session.firm.id}", actor=by, what=f"access token {name} revoked", object=f"token {name}"
    )
    session.out.show(
        {"revoked": name}, lambda console: console.print(plain(f"Token {name} is revoked."), style="green")
    )


# -- inside -------------------------------------------------------------------------------------------


def _token_file(session: Session) -> "TokenFile":
    from firm.access_tokens import TokenFile

    path = session.firm.access_file()
    if path is None:
        raise refused(
            f"{session.firm.file} names no token file.",
            'Add tokens = "file:access-tokens.json" under [access]; see docs/api.md.',
        )
    return TokenFile(path)


def _manager(session: Session, file: "TokenFile", *, first: bool) -> str:
    """Who may change tokens: an admin; before there is one, whoever may write the file. Raises `Stop`."""
    from domain.access import Function, needed

    now = datetime.now(UTC)
    begun = any("admin" in one.roles and one.valid(now) for one in _known(file))
    access = session.firm.access
    if begun or (access is not None and access.oidc is not None):
        caller = session.caller
        if caller is None or not caller.may(Function.MANAGE_TOKENS):
            who = caller.person if caller else "Nobody"
            raise refused(
                f"{who} may not manage tokens: that takes the role {needed(Function.MANAGE_TOKENS)}."
            )
        return caller.person
    if not first:
        raise refused(
            "There is no valid token of an admin yet, and the first one must be an admin's.",
            "fairlead access token create NAME --for EMAIL --role admin",
        )
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli"


def _roles(session: Session, person: str, wanted: list[str] | None) -> "tuple[Right, ...]":
    from firm.access_tokens import rights_of

    held = rights_of(session.firm.people[person])
    chosen = tuple(right for right in held if wanted is None or right in wanted)
    missing = sorted(set(wanted or ()) - set(chosen))
    if missing or not chosen:
        raise refused(
            f"{person} does not have {missing[0] if missing else 'any role of access'}; "
            f"they have {', '.join(held) or 'none that opens anything'}.",
            f'Change [people."{person}"] in {session.firm.file} first.',
        )
    return chosen


def _known(file: "TokenFile") -> "Sequence[Token]":
    from firm.access_tokens import TokenFileError

    try:
        return file.tokens() if file.path.exists() else ()
    except TokenFileError as error:
        raise _unusable(error) from None


def _changed(file: "TokenFile", change: Any) -> None:
    from firm.access_tokens import TokenFileError

    try:
        file.change(change)
    except TokenFileError as error:
        raise _unusable(error) from None


def _unusable(error: Exception) -> Stop:
    text = str(error)
    return refused(f"{text[:1].upper()}{text[1:]}.")


def _document(token: "Token") -> dict[str, Any]:
    shown = token.model_dump(mode="json", exclude={"sha256"})
    return shown | {"state": _state(token, datetime.now(UTC))}


def _state(token: "Token", now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "valid" if token.valid(now) else "expired"
