"""`[codec]` of a firm's file: keys by reference, one of them active."""

import shutil
from pathlib import Path

import pytest

from firm.load import load
from firm.problems import FirmFileError

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"


def firm_with(tmp_path: Path, section: str) -> Path:
    folder = tmp_path / "firm"
    shutil.copytree(EXAMPLE, folder)
    file = folder / "fairlead.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n" + section, encoding="utf-8")
    return folder


def test_without_the_section_nothing_is_sealed() -> None:
    assert load(EXAMPLE).codec_keys({}) is None


def test_keys_are_read_where_their_references_point(tmp_path: Path) -> None:
    firm = load(firm_with(tmp_path, '[codec]\nactive = "k2"\nkeys.k1 = "env:ONE"\nkeys.k2 = "file:two"\n'))
    (firm.folder / "two").write_text("second\n", encoding="utf-8")
    found = firm.codec_keys({"ONE": "first"})
    assert found is not None
    assert (found.active, dict(found.keys)) == ("k2", {"k1": "first", "k2": "second"})
    assert {("codec.keys.k1", "env:ONE"), ("codec.keys.k2", "file:two")} <= set(firm.secret_references())


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('active = "k3"\nkeys.k1 = "env:ONE"', "codec.active = 'k3' is not a key"),
        ('keys.k1 = "env:ONE"', "codec.active is missing; name the key that seals: k1"),
        ('active = "k1"\nkeys.k1 = "c2VjcmV0"', "is not a reference to a secret"),
    ],
)
def test_a_mistake_is_named_with_its_cure(tmp_path: Path, section: str, said: str) -> None:
    with pytest.raises(FirmFileError) as caught:
        load(firm_with(tmp_path, f"[codec]\n{section}\n"))
    assert said in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)
