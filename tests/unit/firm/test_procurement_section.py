"""`[procurement]` of the firm's file, and what of it a process takes with it."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from composition import orders_every
from domain.policy import ProcurementLimits
from firm.load import load
from firm.policies import snapshot
from firm.procurement_section import ProcurementSection

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"


def test_the_example_firm_says_how_long_silence_is_borne() -> None:
    firm = load(EXAMPLE)
    limits = snapshot(firm).procurement
    assert limits == ProcurementLimits(approval_hours=72, acceptance_hours=120, poll_minutes=15)
    assert orders_every(firm) == timedelta(minutes=15)


@pytest.mark.parametrize("wrong", [{"poll_every": "90s"}, {"approval_hours": 0}, {"acceptance_days": 3}])
def test_what_it_cannot_mean_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProcurementSection.model_validate(wrong)
