"""The firm's file on this machine: whether it uses the sandbox, and a copy for a sandbox elsewhere."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runtime.settings import Settings

if TYPE_CHECKING:
    from firm.model import Firm

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "firm"
EXAMPLE_SANDBOX = "http://127.0.0.1:8500"
"""Where the example firm's file expects the sandbox."""
_SANDBOX_HOSTS = ("127.0.0.1", "localhost", "::1", "sandbox")
"""This machine, or the sandbox's name in docker-compose.yml."""


def uses_sandbox(firm: "Firm", sandbox_port: int) -> bool:
    """Whether a system of the firm is the sandbox that listens on `sandbox_port`."""
    addresses = [urlsplit(system.base_url) for system in firm.systems.values()]
    return any(address.hostname in _SANDBOX_HOSTS and address.port == sandbox_port for address in addresses)


def for_moved_sandbox(settings: Settings) -> Settings:
    """The settings; when the example firm is used and the sandbox listens elsewhere, with a copy in home.

    `Settings.from_environment` finds that copy from then on, so other commands read the same file.
    """
    if settings.firm_file != EXAMPLE / "fairlead.toml" or settings.sandbox_url == EXAMPLE_SANDBOX:
        return settings
    copy = copy_example(settings.home, settings.sandbox_url)
    return settings.model_copy(update={"firm_file": copy})


def copy_example(home: Path, sandbox_url: str, values: Mapping[str, Mapping[str, str]] | None = None) -> Path:
    """Put the example firm into `home`, its systems moved to `sandbox_url`; the path of its file.

    `values` (section to key to TOML text) are set in the copy.
    """
    shutil.copytree(EXAMPLE, home, dirs_exist_ok=True)
    file = home / "fairlead.toml"
    text = file.read_text(encoding="utf-8").replace(EXAMPLE_SANDBOX, sandbox_url)
    for section, changed in (values or {}).items():
        text = with_values(text, section, changed)
    file.write_text(text, encoding="utf-8")
    return file


def with_values(text: str, section: str, values: Mapping[str, str]) -> str:
    """The TOML `text` with `values` (key to TOML text) set in the table `section`, which is added if absent.

    Comments and all other lines stay as they are. A key must stand on one line.
    """
    if not values:
        return text
    header = re.compile(rf"^\[{re.escape(section)}\]\s*(#.*)?$", re.MULTILINE)
    if not (found := header.search(text)):
        return f"{text.rstrip()}\n\n[{section}]\n{_lines(values)}"
    following = re.compile(r"^\[", re.MULTILINE).search(text, found.end())
    end = following.start() if following else len(text)
    keys = "|".join(re.escape(key) for key in values)
    body = re.sub(rf"^({keys})\s*=.*\n?", "", text[found.end() : end].lstrip("\n"), flags=re.MULTILINE)
    return f"{text[: found.end()]}\n{_lines(values)}{body}{text[end:]}"


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{key} = {value}\n" for key, value in values.items())
