"""Driver errors in one sentence: which database, what is wrong, which command cures it.

What may pass by itself or by somebody's cure is `StoreUnavailable`, so that Temporal repeats the call; what
the same call would meet again is `StoreError`. Beside that, `lost_race` tells what a transaction that is
simply run again does not meet twice.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from store.ports import StoreError, StoreUnavailable
from store.sql.address import Address

_LOCKED = "is locked by another process that does not let go; run `fairlead doctor` to see which"
_FULL = "is on a full disk; free some space, then run `fairlead doctor`"
_RIGHTS = "may not be written by this user; correct its rights, then run `fairlead doctor`"

_SQLITE = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_NOTADB": "is not a database file; put back a copy, then run `fairlead doctor`",
    "SQLITE_CORRUPT": "is damaged; put back a copy, then run `fairlead doctor`",
    "SQLITE_CANTOPEN": "cannot be opened: it is missing or out of reach; run `fairlead up` to create it",
    "SQLITE_READONLY": _RIGHTS,
    "SQLITE_PERM": "may not be opened by this user; correct its rights, then run `fairlead doctor`",
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": "cannot be read or written by the disk; run `fairlead doctor`",
    "SQLITE_SCHEMA": "was altered while in use; run `fairlead up` to bring its schema up to date",
}
"""SQLite's primary result code -> what it means for the store (https://sqlite.org/rescode.html)."""

_RACES = ("40001", "40P01")
"""PostgreSQL's serialization_failure and deadlock_detected: the transaction is undone, and may run again."""

_POSTGRESQL = {
    **dict.fromkeys(_RACES, "is contended by other processes; the same again succeeds when they are done"),
    "55P03": _LOCKED,
    "53300": "has no connection left; lower `pool` in the workers' URLs or raise its max_connections",
    "53100": _FULL,
    "53200": "is out of memory; run `fairlead doctor` when it has some",
    "57014": "cancelled a statement; raise its statement_timeout, then run `fairlead doctor`",
    "25006": "takes no writes, as a standby does; point its URL to the primary, then run `fairlead doctor`",
    "42501": "may not be used by this role ({detail}); make the role its owner, then run `fairlead doctor`",
}
"""PostgreSQL's SQLSTATE -> what it means for the store (its manual, appendix A)."""

_CONNECTING = {
    "authentication failed": "refuses the credentials ({detail}); correct the password or where it is kept"
    " (the URL's reference, PGPASSWORD, libpq's password file), then run `fairlead doctor`",
    "no password supplied": "asks for a password and was given none; give one by the URL's reference,"
    " PGPASSWORD or libpq's password file, then run `fairlead doctor`",
    "no pg_hba.conf entry": "lets this role or machine not in ({detail}); correct its pg_hba.conf,"
    " then run `fairlead doctor`",
    "role": "does not know the role ({detail}); create it, then run `fairlead up`",
    "database": "is not there ({detail}); create it with CREATE DATABASE, then run `fairlead up`",
    "too many c": _POSTGRESQL["53300"],  # clients, or connections for a role or database
    "remaining connection slots": _POSTGRESQL["53300"],
}
"""What the server says before there is a connection, and so without a SQLSTATE -> what it means."""

_NO_SCHEMA = "has no current schema ({detail}); run `fairlead up` to bring it up to date"
_UNKNOWN_OBJECT = ("42P01", "42703", "3F000")


def failure(error: SQLAlchemyError | UnicodeEncodeError, where: Address) -> StoreError:
    """The `StoreError` for what SQLAlchemy or its driver raised.

    Statements and parameters stay out of the text: they hold business data.
    """
    kind = StoreError if _lasts(error) else StoreUnavailable
    return kind(where.without_secrets(f"the store ({where}) {_problem(error)}"))


def lost_race(error: SQLAlchemyError | UnicodeEncodeError) -> bool:
    """Whether the same transaction, run again at once, may well succeed.

    Another process inserted the same key between our look and our insert, two waited for each other, or
    the connection broke. Where it broke at the very end the first run may have landed: to run it again is
    to repeat it, which every method of the store bears.
    """
    if not isinstance(error, DBAPIError):
        return False
    return (
        isinstance(error, IntegrityError)
        or error.connection_invalidated
        or getattr(error.orig, "sqlstate", None) in _RACES
    )


def _lasts(error: SQLAlchemyError | UnicodeEncodeError) -> bool:
    """Whether what was given is at fault: repeating cures nothing."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    return (
        isinstance(error, UnicodeEncodeError | IntegrityError)
        or (isinstance(error, StatementError) and not isinstance(error, DBAPIError))
        or state.startswith("22")  # data exception: no such text, a number out of range
        or _holds_nul(error)
    )


def _problem(error: SQLAlchemyError | UnicodeEncodeError) -> str:
    if isinstance(error, UnicodeEncodeError):
        return f"cannot keep text that is no valid Unicode ({error.reason}); correct it where it comes from"
    if not isinstance(error, DBAPIError):
        cause = error.orig if isinstance(error, StatementError) else error
        return f"was given what it cannot keep: {cause}; run `fairlead doctor` if the value is right"
    detail = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    if _holds_nul(error):
        return "cannot keep text with a NUL character; correct it where it comes from"
    if isinstance(error, IntegrityError):
        return f"refuses a row that contradicts another ({detail}); run `fairlead doctor`"
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(getattr(error.orig, "sqlite_errorname", ""), detail)
    return _of_postgresql(error, detail)


def _of_sqlite(name: str, detail: str) -> str:
    if "no such table" in detail or "no such column" in detail:
        return _NO_SCHEMA.format(detail=detail)
    for code, sentence in _SQLITE.items():
        if name == code or name.startswith(f"{code}_"):
            return sentence
    return f"failed ({detail}); run `fairlead doctor`"


def _of_postgresql(error: DBAPIError, detail: str) -> str:
    state = getattr(error.orig, "sqlstate", None)
    if state in _UNKNOWN_OBJECT:
        return _NO_SCHEMA.format(detail=detail)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state].format(detail=detail)
    if state and not state.startswith(("08", "57P")):
        return f"failed ({detail}); run `fairlead doctor`"
    said = detail.rpartition("FATAL:  ")[2]
    for words, sentence in _CONNECTING.items():
        if words in said and (words not in ("role", "database") or "does not exist" in said):
            return sentence.format(detail=said)
    return f"cannot be reached ({said}); start the database, then run `fairlead doctor`"


def _holds_nul(error: SQLAlchemyError | UnicodeEncodeError) -> bool:
    return isinstance(error, DBAPIError) and "NUL (0x00)" in str(error.orig)
