"""Finding the handler of a request: patterns such as `/sobjects/{object}/{id}` or `/query/{rest:path}`."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from sandbox.core.emulator import Route

_PLACE = re.compile(r"\{(\w+)(:path)?\}")


def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    at = 0
    for place in _PLACE.finditer(pattern):
        parts.append(re.escape(pattern[at : place.start()]))
        parts.append(f"(?P<{place[1]}>{'.*' if place[2] else '[^/]+'})")
        at = place.end()
    return re.compile("".join(parts) + re.escape(pattern[at:]) + "/?")


class Router:
    """Routes by method, tried in the order given."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            self._routes.setdefault(route.method, []).append((_compiled(route.pattern), route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a percent-encoded path, and its decoded parameters."""
        for pattern, route in self._routes.get(method, ()):
            found = pattern.fullmatch(path)
            if found is not None:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None
