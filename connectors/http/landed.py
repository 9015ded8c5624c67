"""What a failure means once the write itself was accepted."""

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.errors import Ambiguous, ConnectorError


@contextmanager
def landed(what: str) -> Iterator[None]:
    """Around the read-back that follows an accepted write: any failure inside becomes `Ambiguous`.

    `Transient` or `NotFound` would say that nothing was written, which is no longer true: the effect must
    be looked up by its key. `what` names the write in business words.
    """
    try:
        yield
    except Ambiguous:
        raise
    except ConnectorError as error:
        raise Ambiguous(
            f"{what} was accepted, but reading it back failed: {error.message}",
            system=error.system,
            operation=error.operation,
            status=error.status,
            code=error.code,
            field=error.field,
            rule=error.rule,
            request_id=error.request_id,
            retry_after=error.retry_after,
        ) from None
