"""Where a key stands in a TOML file."""

import pytest

from firm.lines import Lines
from firm.problems import Key, written

TEXT = '''# a comment = with an equals sign
title = "x"
[systems.one]
note = """
vendor = "not a key"
"""
vendor = "a"
[systems.one.auth]
token = "env:X"
[[entities]]
code = "A"
[[entities]]
code = "B"
inner = { deep = 1 }
[entities.extra]
x = 1
[people."a.b@c.example"]
roles = [
  "viewer",
]
[dotted]
a.b = 1
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("title",), 2),
        (("systems", "one"), 3),
        (("systems", "one", "vendor"), 7),
        (("systems", "one", "auth", "token"), 9),
        (("entities", 0, "code"), 11),
        (("entities", 1, "code"), 13),
        (("entities", 1), 12),
        (("entities", 1, "inner", "deep"), 14),
        (("entities", 1, "extra", "x"), 16),
        (("people", "a.b@c.example", "roles", 0), 18),
        (("dotted", "a", "b"), 22),
        (("systems", "one", "absent"), 3),
        (("absent",), None),
        ((), None),
    ],
)
def test_line_of_a_key(key: Key, line: int | None) -> None:
    assert Lines(TEXT).of(key) == line


def test_keys_are_written_as_toml_has_them() -> None:
    assert written(("entities", 1, "code")) == "entities[1].code"
    assert written(("people", "a@b.example", "roles")) == 'people."a@b.example".roles'
