"""What is expected to go wrong, in one sentence with the place that was asked and the command that helps.

Everything else is unexpected: one line for people, the trace in a log.
"""

import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exit_codes import ExitCode, Stop, not_found, refused, unreachable

if TYPE_CHECKING:
    from temporalio.service import RPCError

    from cli.context import Session
    from connectors.errors import ConnectorError

UP = "Start the local firm with `fairlead up`."


def explained(error: Exception, session: "Session") -> Stop | None:
    """The `Stop` an expected failure becomes; none for a failure nobody foresaw."""
    from temporalio.service import RPCError

    from connectors.errors import ConnectorError
    from firm.problems import FirmFileError
    from firm.secrets import SecretError
    from local.startup import ServiceError
    from local.temporal_server import NoTemporalBinary
    from runtime.codec import CodecError
    from runtime.connect import NoTemporal
    from runtime.decisions import DecisionNotTaken
    from runtime.visibility import WrongSearchAttributes
    from store.ports import StoreError, StoreUnavailable

    text = _first_capital(str(error))
    if isinstance(error, FirmFileError):
        return refused(text, f"Mend {session.settings.firm_file}, then look again with `fairlead doctor`.")
    if isinstance(error, ConnectorError):
        return _of_system(error, session)
    if isinstance(error, RPCError):
        return _of_temporal(error, session)
    if isinstance(error, NoTemporal | ServiceError | NoTemporalBinary):
        return unreachable(text)
    if isinstance(error, StoreUnavailable):
        return unreachable(f"{text.rstrip('.')}.")
    if isinstance(error, StoreError):
        return unreachable(f"The store does not do this: {error}", "Look with `fairlead doctor`.")
    if isinstance(error, DecisionNotTaken):
        return refused(f"{_refusal(error)}.", "Nothing was changed by it.")
    if isinstance(error, SecretError | WrongSearchAttributes | CodecError):
        return refused(text)
    return None


def _refusal(error: Exception) -> str:
    """What the process said itself, without the class of its failure."""
    said = getattr(getattr(error.__cause__, "__cause__", None), "message", "") or str(error)
    return _first_capital(said.rstrip("."))


def _of_system(error: "ConnectorError", session: "Session") -> Stop:
    from connectors import errors

    section = session.firm.systems.get(error.system)
    said = f"{error.message.rstrip('.')}."
    if section is not None:
        said = f"{_first_capital(said)} Its address is {section.base_url}."
    if isinstance(error, errors.NotFound):
        return not_found(said)
    if isinstance(error, errors.Transient | errors.Ambiguous):
        return unreachable(said, "The sandbox starts with `fairlead up`.")
    if isinstance(error, errors.Throttled):
        wait = f" after {error.retry_after:.0f} s" if error.retry_after else " later"
        return unreachable(said, f"Try again{wait}.")
    if isinstance(error, errors.Unauthenticated):
        return refused(said, f"Check [systems.{error.system}.auth] of the firm's file.")
    return refused(said)


def _of_temporal(error: "RPCError", session: "Session") -> Stop | None:
    from temporalio.service import RPCStatusCode

    if error.status is RPCStatusCode.NOT_FOUND:
        return not_found(f"Temporal knows no such process: {error.message}.", "See `fairlead status --all`.")
    if error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
        return unreachable(f"Temporal did not answer: {error.message}.", UP)
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return refused(f"Temporal refuses this client: {error.message}.", "Check its API key or certificate.")
    return None


def unexpected(error: BaseException, home: Path | None) -> Stop:
    """One line; the trace goes to `<home>/log/cli.log`."""
    log = _write_trace(error, home)
    what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return Stop(
        ExitCode.UNEXPECTED, f"Unexpected: {what}", f"The trace is in {log}; --debug shows it here as well."
    )


def _write_trace(error: BaseException, home: Path | None) -> Path:
    text = f"{datetime.now(UTC).isoformat()}\n{''.join(traceback.format_exception(error))}\n"
    for folder in (*([home / "log"] if home else []), Path(tempfile.gettempdir())):
        file = folder / ("cli.log" if folder.name == "log" else "fairlead-cli.log")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as log:
                log.write(text)
        except OSError:
            continue
        return file
    return Path("nowhere: no folder takes a log")


def _first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]
