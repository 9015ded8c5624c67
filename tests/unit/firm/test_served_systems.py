"""Which systems of the example firm get a worker: those whose role has activities."""

from pathlib import Path

import pytest

import serving
from composition import roles_of
from firm.load import load
from firm.model import Firm
from serving import served_systems


@pytest.fixture(scope="module")
def firm() -> Firm:
    return load(Path(__file__).parents[3] / "examples" / "firm")


def test_a_system_that_no_process_calls_gets_no_worker(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert roles_of(firm, "coupa") == ["procurement"]
    assert {"salesforce", "kantata", "netsuite", "coupa"} <= set(served_systems(firm, ()))
    others = {role: held for role, held in serving._ACTIVITIES.items() if role != "procurement"}
    monkeypatch.setattr(serving, "_ACTIVITIES", others)
    assert "coupa" not in served_systems(firm, ())
    with pytest.raises(ValueError, match="no process calls 'coupa' yet"):
        served_systems(firm, ["coupa"])


def test_named_systems_are_served_alone(firm: Firm) -> None:
    assert served_systems(firm, ["netsuite"]) == ["netsuite"]
    with pytest.raises(ValueError, match="no system 'sap'"):
        served_systems(firm, ["sap"])
