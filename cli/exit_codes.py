"""What an exit code of `fairlead` means, and the one exception that ends a command with it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Stable: scripts depend on them."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNREACHABLE = 5
    WAITING = 6
    CHECK_FAILED = 7


MEANING: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "something unexpected; its trace is in the log that is named",
    ExitCode.USAGE: "the command, an option or a setting is written wrongly",
    ExitCode.NOT_FOUND: "there is no such deal, process, exception or system",
    ExitCode.REFUSED: "refused by a rule: rights, state, or a firm file with mistakes",
    ExitCode.UNREACHABLE: "something needed is not reachable: Temporal, store, worker, gateway, a system",
    ExitCode.WAITING: "it waits for a person",
    ExitCode.CHECK_FAILED: "a check found something wrong",
}


class Stop(Exception):
    """The command ends here with `code`. `cure` is what to do about it, usually a command to run."""

    def __init__(self, code: ExitCode, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cure = cure


def usage(message: str, cure: str = "") -> Stop:
    return Stop(ExitCode.USAGE, message, cure)


def not_found(message: str, cure: str = "") -> Stop:
    return Stop(ExitCode.NOT_FOUND, message, cure)


def refused(message: str, cure: str = "") -> Stop:
    return Stop(ExitCode.REFUSED, message, cure)


def unreachable(message: str, cure: str = "") -> Stop:
    return Stop(ExitCode.UNREACHABLE, message, cure)
