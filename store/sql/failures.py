"""Driver errors in one sentence: which database, what is wrong, which command cures it."""

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from store.ports import StoreError
from store.sql.address import Address

_SQLITE = {
    "SQLITE_BUSY": "is locked by another process that does not let go; run `fairlead doctor` to see which",
    "SQLITE_LOCKED": "is locked by another process that does not let go; run `fairlead doctor` to see which",
    "SQLITE_NOTADB": "is not a database file; put back a copy, then run `fairlead doctor`",
    "SQLITE_CORRUPT": "is damaged; put back a copy, then run `fairlead doctor`",
    "SQLITE_CANTOPEN": "cannot be opened: it is missing or out of reach; run `fairlead up` to create it",
    "SQLITE_READONLY": "may not be written by this user; correct its rights, then run `fairlead doctor`",
    "SQLITE_PERM": "may not be opened by this user; correct its rights, then run `fairlead doctor`",
    "SQLITE_FULL": "is on a full disk; free some space, then run `fairlead doctor`",
    "SQLITE_IOERR": "cannot be read or written by the disk; run `fairlead doctor`",
    "SQLITE_SCHEMA": "was altered while in use; run `fairlead up` to bring its schema up to date",
}
"""SQLite's primary result code -> what it means for the store (https://sqlite.org/rescode.html)."""

_NO_SCHEMA = "has no current schema ({detail}); run `fairlead up` to bring it up to date"


def failure(error: SQLAlchemyError | UnicodeEncodeError, where: Address) -> StoreError:
    """The `StoreError` for what SQLAlchemy or its driver raised.

    Statements and parameters stay out of the text: they hold business data.
    """
    return StoreError(f"the store ({where}) {_problem(error)}")


def _problem(error: SQLAlchemyError | UnicodeEncodeError) -> str:
    if isinstance(error, UnicodeEncodeError):
        return f"cannot keep text that is no valid Unicode ({error.reason}); correct it where it comes from"
    if not isinstance(error, DBAPIError):
        cause = error.orig if isinstance(error, StatementError) else error
        return f"was given what it cannot keep: {cause}; run `fairlead doctor` if the value is right"
    detail = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    name = getattr(error.orig, "sqlite_errorname", "")
    if isinstance(error, IntegrityError):
        return f"refuses a row that contradicts another ({detail}); run `fairlead doctor`"
    if "no such table" in detail or "no such column" in detail or "does not exist" in detail:
        return _NO_SCHEMA.format(detail=detail)
    for code, sentence in _SQLITE.items():
        if name == code or name.startswith(f"{code}_"):
            return sentence
    if error.connection_invalidated or not name:
        return f"cannot be reached ({detail}); start the database, then run `fairlead doctor`"
    return f"failed ({detail}); run `fairlead doctor`"
