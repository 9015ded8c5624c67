"""Where the codec endpoint is offered: with keys, and never to anybody who comes from another machine."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firm.codec import CodecKeys, CodecSection
from gateway.server import _codec_routes
from runtime.codec import new_key
from runtime.settings import Settings


def firm(keys: CodecKeys | None) -> Any:
    return SimpleNamespace(codec_keys=lambda: keys, parts=SimpleNamespace(codec=CodecSection()))


SEALING = firm(CodecKeys("k1", {"k1": new_key()}))


@pytest.mark.parametrize(
    ("told", "host", "open_to_all", "offered"),
    [
        (SEALING, "127.0.0.1", True, 1),
        (SEALING, "0.0.0.0", False, 1),  # noqa: S104
        (SEALING, "0.0.0.0", True, 0),  # noqa: S104
        (firm(None), "127.0.0.1", True, 0),
    ],
)
def test_the_endpoint_is_offered_where_somebody_is_known(
    told: Any, host: str, open_to_all: bool, offered: int, tmp_path: Path
) -> None:
    settings = Settings.from_environment(home=tmp_path, gateway_host=host)
    access: Any = SimpleNamespace(is_open=open_to_all)
    assert len(_codec_routes(told, settings, access)) == offered
