"""`fairlead post-time` where it cannot do its work: who may ask, which system, and no Temporal."""

from cli.exit_codes import ExitCode
from tests.unit.cli.cli_runs import CONTROLLER, LocalFirm, words


def test_a_system_that_is_no_psa_is_named_with_those_there_are(firm: LocalFirm) -> None:
    result = firm.fairlead("post-time", "--system", "netsuite")
    assert result.exit_code == ExitCode.USAGE
    document = firm.json("post-time", "--system", "netsuite")
    assert document["error"]["code"] == "usage"
    assert "'netsuite' is no PSA" in document["error"]["message"]
    assert document["error"]["cure"] == "There is kantata."


def test_without_temporal_nothing_is_promised(firm: LocalFirm) -> None:
    result = firm.fairlead("post-time")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "woken" not in words(result.output)


def test_who_may_not_decide_may_not_post_time(firm: LocalFirm) -> None:
    result = firm.fairlead("post-time", "--as", "nobody@fairlead.example")
    assert result.exit_code == ExitCode.REFUSED
    assert "nobody@fairlead.example" in words(result.output)
    assert firm.fairlead("post-time", "--as", CONTROLLER).exit_code == ExitCode.UNREACHABLE
