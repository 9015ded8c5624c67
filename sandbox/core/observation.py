"""The sandbox's own endpoints: health, effects, requests, faults, webhooks, and the vendor's screens.

Nothing here needs the project's code: any HTTP client can watch, break and reset the sandbox.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute

from sandbox.core import effects, wire
from sandbox.core.fault_kinds import KINDS
from sandbox.core.faults import BadFault, parse
from sandbox.core.table import UniqueClash
from sandbox.core.webhooks import BadSubscription
from sandbox.core.world import World
from sandbox.settings import WebhookTarget

Handler = Callable[[Request], Awaitable[Response]]


def reply(body: Any, status: int = 200) -> Response:
    """A JSON answer with exact numbers."""
    return Response(wire.encode(body), status, media_type="application/json")


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """An RFC 9457 answer that says what is wrong and what to do."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Response(wire.encode(body), status, media_type="application/problem+json")


async def _json(request: Request) -> Any:
    body = await request.body()
    return wire.decode(body) if body.strip() else {}


def routes(world: World) -> list[HttpRoute]:
    """Every endpoint that begins with an underscore."""
    own = _Endpoints(world)
    return [
        HttpRoute("/_health", own.health, methods=["GET"]),
        HttpRoute("/_effects", own.effects, methods=["GET"]),
        HttpRoute("/_requests", own.requests, methods=["GET"]),
        HttpRoute("/_stats", own.stats, methods=["GET"]),
        HttpRoute("/_reset", own.reset, methods=["POST"]),
        HttpRoute("/_faults", own.faults, methods=["GET", "POST", "DELETE"]),
        HttpRoute("/_faults/{id}", own.disarm, methods=["DELETE"]),
        HttpRoute("/_webhooks", own.webhooks, methods=["GET"]),
        HttpRoute("/_control/webhooks", own.subscriptions, methods=["GET", "POST", "DELETE"]),
        HttpRoute("/_control/{system}/{object}", own.objects, methods=["GET", "POST"]),
        HttpRoute("/_control/{system}/{object}/{id}", own.record, methods=["GET", "POST"]),
    ]


class _Endpoints:
    def __init__(self, world: World) -> None:
        self._world = world

    async def health(self, request: Request) -> Response:
        return reply(
            {"status": "ok", "systems": list(self._world.emulators), "seeded": self._world.seeded_with()}
        )

    async def effects(self, request: Request) -> Response:
        filters = {"origin": "api", **request.query_params}
        unknown = sorted(set(filters) - set(effects.FILTERS))
        if unknown:
            known = ", ".join(effects.FILTERS)
            return problem(400, "Unknown filter", f"{unknown[0]!r} is no filter of /_effects; known: {known}")
        return reply({"effects": effects.grouped(self._world.database, filters)})

    async def requests(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "200")
        if not limit.isdigit():
            return problem(400, "Bad limit", f"limit must be a whole number, not {limit!r}")
        return reply({"requests": self._world.log.shown(request.query_params.get("system"), int(limit))})

    async def stats(self, request: Request) -> Response:
        return reply({"systems": self._world.log.stats()})

    async def reset(self, request: Request) -> Response:
        try:
            options = await _json(request)
            self._world.reset(options)
        except (wire.BadJson, ValueError) as error:
            return problem(400, "Bad reset", str(error))
        return reply({"reset": True, "seeded": self._world.seeded_with()})

    async def faults(self, request: Request) -> Response:
        engine = self._world.faults
        if request.method == "GET":
            return reply({"faults": [fault.shown() for fault in engine.armed()]})
        if request.method == "DELETE":
            engine.disarm()
            return reply({"disarmed": "all"})
        try:
            given = await _json(request)
            specs = given if isinstance(given, list) else [given]
            for spec in specs:  # all or none
                parse(spec, engine.systems)
            return reply({"armed": [engine.arm(spec).id for spec in specs]})
        except (wire.BadJson, BadFault) as error:
            kinds = {kind: behaviour.meaning for kind, behaviour in KINDS.items()}
            return problem(400, "Bad fault", str(error), known_kinds=kinds)

    async def disarm(self, request: Request) -> Response:
        fault_id = request.path_params["id"]
        if not self._world.faults.disarm(fault_id):
            return problem(404, "No such fault", f"no armed fault has id {fault_id}; see GET /_faults")
        return reply({"disarmed": fault_id})

    async def webhooks(self, request: Request) -> Response:
        return reply({"webhooks": self._world.webhooks.shown()})

    async def subscriptions(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._world.unsubscribe_all()
        if request.method == "POST":
            try:
                given = await _json(request)
                self._world.subscribe(_target(given, list(self._world.emulators)))
            except (wire.BadJson, BadSubscription) as error:
                return problem(400, "Bad subscription", str(error))
        shown = [{"system": t.system, "url": t.url, "scheme": t.scheme} for t in self._world.webhooks.targets]
        return reply({"subscriptions": shown})

    async def objects(self, request: Request) -> Response:
        return await self._screen(request, None)

    async def record(self, request: Request) -> Response:
        return await self._screen(request, request.path_params["id"])

    async def _screen(self, request: Request, record_id: str | None) -> Response:
        """What a person sees or does in the vendor's screens."""
        system, object_name = request.path_params["system"], request.path_params["object"]
        emulator = self._world.emulators.get(system)
        if emulator is None:
            known = ", ".join(self._world.emulators)
            return problem(404, "No such system", f"{system!r} is not emulated here; known: {known}")
        if request.method == "GET":
            rows = list(emulator.store.rows(object_name))
            shown = [emulator.shown(row) for row in rows if record_id in (None, row.id)]
            if record_id is None:
                return reply({"records": shown})
            return reply(shown[0]) if shown else problem(404, "No such record", f"{object_name} {record_id}")
        try:
            fields = await _json(request)
            if not isinstance(fields, dict):
                raise ValueError("the body must be a JSON object of fields")
            return reply(emulator.shown(self._world.by_hand(emulator, object_name, record_id, fields)))
        except KeyError as error:
            return problem(404, "No such record", str(error.args[0]))
        except (wire.BadJson, UniqueClash, ValueError) as error:
            return problem(400, "Refused", str(error))


def _target(given: Any, systems: list[str]) -> WebhookTarget:
    known = ("system", "url", "secret", "scheme")
    if not isinstance(given, dict) or not isinstance(given.get("url"), str) or set(given) - set(known):
        raise BadSubscription(f"a subscription is an object with url and optionally {', '.join(known)}")
    if given.get("system", "*") not in ("*", *systems):
        raise BadSubscription(f"unknown system {given['system']!r}; known: *, {', '.join(systems)}")
    return WebhookTarget(**{name: str(value) for name, value in given.items()})
