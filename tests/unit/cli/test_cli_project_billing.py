"""`fairlead bill` and `fairlead billing`: what is wrong is said before anything is written."""

import pytest

from cli.exit_codes import ExitCode
from tests.unit.cli.cli_runs import TOMAS, LocalFirm, words
from tests.unit.cli.test_cli_deciding import decisions_kept

PROJECT = "DE01-7K3QXW"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("bill", PROJECT), ExitCode.USAGE, "Say who you are to bill a project"),
        (("bill", PROJECT, "--until", "soon", "--as", TOMAS), ExitCode.USAGE, "is no day"),
        (("bill", "a b", "--as", TOMAS), ExitCode.USAGE, "is no project number"),
        (("bill", PROJECT, "--as", "audit@fairlead.example"), ExitCode.REFUSED, "may not bill a project"),
        (("billing", "hold", PROJECT, "--reason", " ", "--as", TOMAS), ExitCode.USAGE, "--reason is empty"),
        (("billing", "close", PROJECT, "--reason", "", "--as", TOMAS), ExitCode.USAGE, "--reason is empty"),
        (("billing", "release", PROJECT), ExitCode.USAGE, "to release the billing of a project"),
        (("bill", PROJECT, "--as", TOMAS), ExitCode.UNREACHABLE, ""),
        (("billing", "show", PROJECT), ExitCode.UNREACHABLE, ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_never_written(
    firm: LocalFirm, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    result = firm.fairlead(*arguments)
    assert result.exit_code == code, result.stderr
    assert said in words(result.stderr)
    assert decisions_kept(firm) == 0
