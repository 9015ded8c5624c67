"""`[alerts]` of the firm's file: what is set there is what the rules go by."""

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from composition import watch_every
from domain.policy import AlertThresholds
from firm.billing_sections import AlertsSection
from firm.load import load
from firm.policies import snapshot
from firm.problems import FirmFileError

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "firm")
    return tmp_path / "firm"


def write(folder: Path, key: str, value: str) -> None:
    """Set one key of `[alerts]`."""
    path = folder / "fairlead.toml"
    before, _, section = path.read_text(encoding="utf-8").partition("[alerts]")
    changed, times = re.subn(rf"(?m)^{key} = \S+", f"{key} = {value}", section, count=1)
    assert times, f"the example no longer sets {key}"
    path.write_text(f"{before}[alerts]{changed}", encoding="utf-8")


@pytest.mark.parametrize("key", AlertThresholds.model_fields)
def test_each_threshold_of_the_file_reaches_the_rules(folder: Path, key: str) -> None:
    write(folder, key, "17")
    assert getattr(snapshot(load(folder)).alerts, key) == 17


@pytest.mark.parametrize("key", AlertThresholds.model_fields)
def test_defaults_of_the_file_are_those_of_the_rules(key: str) -> None:
    assert getattr(AlertsSection(), key) == getattr(AlertThresholds(), key)


@pytest.mark.parametrize(
    ("value", "every"), [('"30m"', timedelta(minutes=30)), ("0", None), ('"1d"', timedelta(days=1))]
)
def test_how_often_they_are_looked_at(folder: Path, value: str, every: timedelta | None) -> None:
    write(folder, "watch_every", value)
    assert watch_every(load(folder)) == every


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("escalation_days", "0", "greater than or equal to 1"),
        ("stalled_days", "366", "less than or equal to 365"),
        ("refused_days", '"two"', "integer"),
        ("watch_every", '"often"', "duration"),
    ],
)
def test_a_mistake_is_named_with_its_key(folder: Path, key: str, value: str, said: str) -> None:
    write(folder, key, value)
    with pytest.raises(FirmFileError) as caught:
        load(folder)
    assert f"alerts.{key}" in str(caught.value)
    assert said in str(caught.value)
