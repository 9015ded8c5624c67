"""The store's address: read from a URL, and shown without its credentials."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from store.ports import StoreError


@dataclass(frozen=True)
class Address:
    """Where the database is. `path` is set for SQLite only."""

    url: URL
    path: Path | None

    def __str__(self) -> str:
        if self.path is not None:
            return f"SQLite file {self.path}"
        port = f":{self.url.port}" if self.url.port else ""
        return f"{self.url.get_backend_name()} {self.url.host or 'local'}{port}/{self.url.database or ''}"


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file, with what means something else in a URL (`?`, `%`, `#`) escaped."""
    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


def address(url: str) -> Address:
    """Read a database URL, such as `sqlite:////var/lib/fairlead/store.db`.

    Raises `StoreError` when it is no URL, or SQLite without a file: several processes share the store.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(
            "the store's URL cannot be read; write it as sqlite:////folder/store.db or"
            " postgresql+psycopg://user@host/database, then run `fairlead doctor`"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        return Address(parsed, None)
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise StoreError(
            "a store in memory cannot be shared by worker, gateway and command line;"
            " name a file, as in sqlite:////folder/store.db, then run `fairlead up`"
        )
    if parsed.query:
        raise StoreError(
            f"the store's URL has options after '?' ({', '.join(parsed.query)}), which it does not take;"
            " leave them out, or write a '?' in a folder's name as %3F, then run `fairlead up`"
        )
    return Address(parsed, Path(parsed.database).absolute())
