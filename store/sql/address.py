"""The store's address: read from a URL, and shown without its credentials."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from store.ports import StoreError

POOL = 8
"""Connections of one process to PostgreSQL, so that ten processes fit into its default of a hundred."""
_LEAST_POOL = 2  # one writes, one reads
_DRIVER = "postgresql+psycopg"
_NAMES = ("postgresql", "postgres", _DRIVER)


@dataclass(frozen=True)
class Address:
    """Where the database is. `path` is set for SQLite only, `pool` counts for PostgreSQL only."""

    url: URL = field(repr=False)  # its password is in it
    path: Path | None
    pool: int = POOL

    def __str__(self) -> str:
        if self.path is not None:
            return f"SQLite file {self.path}"
        hosts = self.url.host or self.url.query.get("host") or "local"
        host = hosts if isinstance(hosts, str) else ",".join(hosts)
        port = f":{self.url.port}" if self.url.port else ""
        return f"PostgreSQL {host}{port}/{self.url.database or self.url.query.get('service') or ''}"

    def without_secrets(self, text: str) -> str:
        """`text` with every password of this address taken out: a driver may repeat what it was given."""
        secrets = (self.url.password, self.url.query.get("password"), self.url.query.get("sslpassword"))
        for secret in secrets:
            if secret:
                text = text.replace(str(secret), "***")
        return text


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file, with what means something else in a URL (`?`, `%`, `#`) escaped."""
    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


def sqlite_file(url: str, purpose: str) -> Path:
    """The file of a SQLite store. Raises `StoreError` for any other: `purpose` says what needs a file."""
    where = address(url)
    if where.path is None:
        raise StoreError(
            f"{purpose} needs a store in a SQLite file, this one is {where}; name a file by"
            " FAIRLEAD_STORE_URL=sqlite:////folder/store.db"
        )
    return where.path


def address(url: str) -> Address:
    """Read a database URL, such as `sqlite:////var/lib/fairlead/store.db` or `postgresql://db/fairlead`.

    What a PostgreSQL URL leaves out comes from libpq (`PGPASSWORD`, its password file, a service); `pool`
    among its options is ours. Raises `StoreError` when it is no URL, of another kind of database, or
    SQLite without a file: several processes share the store.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(
            "the store's URL cannot be read; write it as sqlite:////folder/store.db or"
            " postgresql://user@host/database, then run `fairlead doctor`"
        ) from None
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)


def _sqlite(parsed: URL) -> Address:
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


def _postgresql(parsed: URL) -> Address:
    if parsed.drivername not in _NAMES:
        raise StoreError(
            f"the store cannot be kept by {parsed.drivername!r}; write its URL as sqlite:////folder/store.db"
            " or postgresql://user@host/database, then run `fairlead doctor`"
        )
    if not (parsed.database or "service" in parsed.query):
        raise StoreError(
            "the store's URL names no database; write it as postgresql://user@host/database,"
            " then run `fairlead doctor`"
        )
    pool = parsed.query.get("pool", str(POOL))
    if not (isinstance(pool, str) and pool.isascii() and pool.isdigit() and int(pool) >= _LEAST_POOL):
        raise StoreError(
            f"the store's URL has pool={pool}; write the number of connections of one process,"
            f" {_LEAST_POOL} or more, then run `fairlead doctor`"
        )
    url = parsed.set(drivername=_DRIVER).difference_update_query(["pool"])
    return Address(url, None, int(pool))
