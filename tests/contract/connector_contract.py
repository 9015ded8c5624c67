"""What every connector must do, whatever its vendor. Each `test_<vendor>_contract.py` inherits it.

    class TestKantataContract(ConnectorContract):
        system = "kantata"                      # prefix of the emulator, and name given to the connector
        renews_tokens = False
        plans = (Plan("create customer", prepare_customer), ...)     # every command of the connector
        refusals = (Refusal("throttled", 429, {...}, Throttled), ...)  # the vendor's documented bodies

        def connect(self, bench, *, transport=None, wrong=False, timeout=5.0): return build("kantata", ...)
        async def read(self, client): ...       # any cheap read
        ...                                     # and the other hooks that raise NotImplementedError

`Plan.prepare(bench, client, tag)` makes what the command needs (a project for its seats) and returns the
command and a variant of it with other content; `tag` is unique per test, for numbers and names. The suite
shares one sandbox per class and gives every test its own effect key and calm faults.
"""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from connectors.errors import (
    Ambiguous,
    ConnectorError,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.http import exact_json
from connectors.ports import SystemPort
from domain.commands import Command, Record
from domain.money import Money
from sandbox.settings import SandboxSettings
from tests.contract.bench import Bench

Prepare = Callable[[Bench, Any, str], Awaitable[tuple[Command, Command]]]


@dataclass(frozen=True)
class Plan:
    """One command the connector supports: how to get at it, with a variant of other content."""

    name: str
    prepare: Prepare


@dataclass(frozen=True)
class Refusal:
    """One error answer as the vendor documents it, and the class it must become."""

    name: str
    status: int
    body: Any
    """JSON value, or text sent as it is."""
    error: type[ConnectorError]
    write: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Attributes the error must have, such as `{"field": "Name", "retry_after": 7.0}`."""

    def response(self) -> httpx.Response:
        content = self.body.encode() if isinstance(self.body, str) else exact_json.encode(self.body)
        return httpx.Response(self.status, content=content, headers=dict(self.headers))


class NoSuchCommand(Command):
    """A command no role knows."""


_tags = itertools.count(1)


class ConnectorContract:
    """Inherit, supply the attributes and hooks, and every test below runs."""

    system: ClassVar[str]
    plans: ClassVar[Sequence[Plan]]
    refusals: ClassVar[Sequence[Refusal]]
    renews_tokens: ClassVar[bool] = True
    """Whether a refused token can be replaced (not with a token given once)."""
    needed_field: ClassVar[str]
    """A field that `read` needs and the fault `missing_field` can take away."""

    # ---- hooks

    @classmethod
    def sandbox_settings(cls, home: Path) -> SandboxSettings:
        return SandboxSettings(home=home, quiet=True)

    def connect(
        self,
        bench: Bench,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        wrong: bool = False,
        timeout: float = 5.0,
    ) -> SystemPort:
        """A client of the emulator, or of `transport`.

        `wrong`: with credentials that the emulator refuses and that hold the text `wrong-secret`.
        """
        raise NotImplementedError

    def secrets(self, bench: Bench) -> Sequence[str]:
        """Texts that may appear in no error."""
        raise NotImplementedError

    def token_response(self, request: httpx.Request) -> httpx.Response | None:
        """The vendor's token answer, when `request` asks for one (for the tests without emulator)."""
        return None

    async def read(self, client: Any) -> object:
        """A read whose records have `needed_field`, of a record that exists in the seeded sandbox."""
        raise NotImplementedError

    async def read_unknown_value(self, client: Any) -> None:
        """Read while the fault `new_enum` is armed, and assert what the connector makes of it."""
        raise NotImplementedError

    def sample_command(self) -> Command:
        """Any command of the connector, for tests in which nothing reaches an emulator."""
        raise NotImplementedError

    async def sample_read(self, client: Any) -> object:
        """Any single read, for tests in which nothing reaches an emulator."""
        raise NotImplementedError

    async def paged(self, bench: Bench) -> tuple[Sequence[str], Sequence[str]]:
        """Read several pages while rows move between them: (ids that must come, ids that came).

        Arm `page_shift` where the connector pages by offset or number; where it pages by keyset, edit rows
        between two pages.
        """
        raise NotImplementedError

    async def amount_read(self, bench: Bench, amount: Money) -> Money:
        """Bring `amount` into a vendor's record and read it back as canonical money."""
        raise NotImplementedError

    # ---- fixtures

    @pytest.fixture(scope="class")
    @classmethod
    async def shared_bench(cls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
        bench = Bench(cls.sandbox_settings(tmp_path_factory.mktemp(cls.system)), cls.system)
        yield bench
        await bench.aclose()

    @pytest.fixture
    async def bench(self, shared_bench: Bench) -> AsyncIterator[Bench]:
        await shared_bench.calm()
        yield shared_bench
        await shared_bench.calm()

    @pytest.fixture
    async def client(self, bench: Bench) -> AsyncIterator[SystemPort]:
        client = self.connect(bench)
        yield client
        await client.aclose()

    @pytest.fixture
    async def hasty(self, bench: Bench) -> AsyncIterator[SystemPort]:
        """A client that waits a quarter of a second for an answer."""
        client = self.connect(bench, timeout=0.25)
        yield client
        await client.aclose()

    @pytest.fixture
    def tag(self) -> str:
        return f"{next(_tags):04d}"

    @pytest.fixture
    def key(self, tag: str) -> str:
        return f"activation/contract/{self.system}-{tag}/step/1"

    # ---- authentication

    async def test_an_expired_token_is_replaced_once(self, bench: Bench, client: SystemPort) -> None:
        await self.read(client)
        before = len(await bench.requests())
        await bench.arm("token_expired", count=1)
        if self.renews_tokens:
            await self.read(client)
            statuses = [request["status"] for request in (await bench.requests())[before:]]
            assert statuses[0] == 401
            assert all(status < 300 for status in statuses[1:]), "one refusal, one token, then it goes on"
        else:
            with pytest.raises(Unauthenticated):
                await self.read(client)

    async def test_wrong_credentials_are_unauthenticated_without_a_secret(self, bench: Bench) -> None:
        client = self.connect(bench, wrong=True)
        with pytest.raises(Unauthenticated) as refused:
            await self.read(client)
        assert "wrong-secret" not in str(refused.value)
        checks = await client.check()
        assert checks
        assert not all(check.ok for check in checks)
        await client.aclose()

    async def test_the_check_is_green_on_a_whole_system(self, client: SystemPort) -> None:
        checks = await client.check()
        assert checks
        assert [check for check in checks if not check.ok] == []

    # ---- reading

    async def test_paging_survives_rows_that_move(self, bench: Bench) -> None:
        expected, came = await self.paged(bench)
        assert len(expected) > 1
        assert len(came) == len(set(came)), "a row came twice"
        assert set(expected) <= set(came), "a row was skipped"

    async def test_unknown_fields_are_ignored(self, bench: Bench, client: SystemPort) -> None:
        await bench.arm("unknown_field")
        await self.read(client)

    async def test_a_missing_field_is_named(self, bench: Bench, client: SystemPort) -> None:
        await bench.arm("missing_field", field=self.needed_field, path=r"^(?!.*(token|oauth)).*$")
        with pytest.raises(Rejected) as drift:
            await self.read(client)
        assert drift.value.rule == "schema.missing_field"
        assert self.needed_field in drift.value.field
        assert self.needed_field in str(drift.value)
        assert self.system in str(drift.value)

    async def test_a_new_enumeration_value_is_handled(self, bench: Bench, client: SystemPort) -> None:
        await bench.arm("new_enum")
        await self.read_unknown_value(client)

    @pytest.mark.parametrize("kind", ["reset", "server_error", "unavailable", "reset_before"])
    async def test_a_failed_read_is_transient(self, bench: Bench, client: SystemPort, kind: str) -> None:
        await self.read(client)
        await bench.arm(kind, count=1)
        with pytest.raises(Transient):
            await self.read(client)
        await self.read(client)

    @pytest.mark.parametrize("kind", ["throttle", "throttle_retry_after", "concurrency"])
    async def test_throttling_is_told_and_not_repeated(
        self, bench: Bench, client: SystemPort, kind: str
    ) -> None:
        await self.read(client)
        before = len(await bench.requests())
        await bench.arm(kind, count=1, **({"seconds": 7} if kind == "throttle_retry_after" else {}))
        with pytest.raises(Throttled) as throttled:
            await self.read(client)
        assert throttled.value.retry_after == (7 if kind == "throttle_retry_after" else None)
        assert len(await bench.requests()) == before + 1

    # ---- writing

    async def test_nothing_is_found_before_it_is_written(
        self, bench: Bench, client: SystemPort, plan: Plan, tag: str, key: str
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        assert await client.find(command, key) is None

    async def test_a_write_lands_once_and_is_found_by_its_key(
        self, bench: Bench, client: SystemPort, plan: Plan, tag: str, key: str
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        before = len(await bench.requests())
        written = await client.apply(command, key)
        writes = _writes(await bench.requests(), before)
        assert len(writes) == 1, f"one HTTP write per apply, not {writes}"
        assert written.external_id
        assert written.fields
        assert written.differences(command) == {}
        found = await client.find(command, key)
        assert found is not None
        assert found.external_id == written.external_id
        assert found.differences(command) == {}
        assert await bench.landed(key) == 1

    async def test_the_same_content_again_doubles_nothing(
        self, bench: Bench, client: SystemPort, plan: Plan, tag: str, key: str
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        first = await client.apply(command, key)
        again = await settled(client, command, key)
        assert again.external_id == first.external_id
        assert await bench.landed(key) == 1

    async def test_other_content_under_the_same_key_shows(
        self, bench: Bench, client: SystemPort, plan: Plan, tag: str, key: str
    ) -> None:
        command, changed = await plan.prepare(bench, client, tag)
        await client.apply(command, key)
        found = await client.find(changed, key)
        assert found is not None
        assert found.differences(changed) != {}

    @pytest.mark.parametrize("kind", ["reset", "error_after_apply", "timeout_applied"])
    async def test_a_lost_answer_is_ambiguous_and_found(
        self, bench: Bench, client: SystemPort, hasty: SystemPort, plan: Plan, tag: str, key: str, kind: str
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        await bench.arm(kind, count=1, only="writes")
        with pytest.raises(Ambiguous) as lost:
            await hasty.apply(command, key)
        assert lost.value.system == self.system
        record = await settled(client, command, key)
        assert record.differences(command) == {}
        assert await bench.landed(key) == 1, "the lost write is found, not repeated"

    @pytest.mark.parametrize("kind", ["server_error", "unavailable", "reset_before", "timeout_not_applied"])
    async def test_a_write_that_never_landed_is_made_once(
        self, bench: Bench, client: SystemPort, hasty: SystemPort, plan: Plan, tag: str, key: str, kind: str
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        await bench.arm(kind, count=1, only="writes")
        with pytest.raises((Ambiguous, Transient)):
            await hasty.apply(command, key)
        assert await bench.landed(key) == 0
        record = await settled(client, command, key)
        assert record.differences(command) == {}
        assert await bench.landed(key) == 1

    @pytest.mark.parametrize(
        ("kind", "error"), [("record_locked", Transient), ("reject", Rejected), ("throttle", Throttled)]
    )
    async def test_a_refused_write_lands_nothing(
        self,
        bench: Bench,
        client: SystemPort,
        plan: Plan,
        tag: str,
        key: str,
        kind: str,
        error: type[ConnectorError],
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        before = len(await bench.requests())
        await bench.arm(kind, count=1, only="writes")
        with pytest.raises(error):
            await client.apply(command, key)
        assert len(_writes(await bench.requests(), before)) == 1, "a connector never repeats"
        assert await bench.landed(key) == 0
        assert await client.find(command, key) is None

    async def test_an_expired_token_during_a_write_doubles_nothing(
        self, bench: Bench, client: SystemPort, plan: Plan, tag: str, key: str
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        await bench.arm("token_expired", count=1, only="writes")
        if self.renews_tokens:
            await client.apply(command, key)
        else:
            with pytest.raises(Unauthenticated):
                await client.apply(command, key)
        assert await bench.landed(key) == (1 if self.renews_tokens else 0)

    async def test_a_stale_read_back_is_not_taken_for_failure(
        self, bench: Bench, client: SystemPort, plan: Plan, tag: str, key: str
    ) -> None:
        command, _ = await plan.prepare(bench, client, tag)
        await bench.arm("stale_read", seconds=3600, only="reads")
        try:
            record = await client.apply(command, key)
            assert record.differences(command) == {}, "what the write itself answered"
        except Ambiguous:
            pass  # "not visible yet" is honest; the runner looks again after the commit limit
        await bench.calm()
        found = await client.find(command, key)
        assert found is not None
        assert found.differences(command) == {}
        assert await bench.landed(key) == 1

    async def test_a_command_of_another_role_is_a_type_error(self, client: SystemPort) -> None:
        for call in (client.find, client.apply):
            with pytest.raises(TypeError, match="NoSuchCommand"):
                await call(NoSuchCommand(), "activation/contract/x/step/1")

    # ---- the vendor's own error bodies

    async def test_each_documented_refusal_has_its_class(self, bench: Bench, refusal: Refusal) -> None:
        client = self.connect(bench, transport=httpx.MockTransport(self._answering(refusal.response())))
        with pytest.raises(ConnectorError) as raised:
            await self._call(client, refusal.write)
        assert type(raised.value) is refusal.error, str(raised.value)
        assert {name: getattr(raised.value, name) for name in refusal.facts} == dict(refusal.facts)
        assert raised.value.system == self.system
        assert raised.value.operation
        await client.aclose()

    async def test_no_error_shows_a_secret(self, bench: Bench) -> None:
        echo = "; ".join(self.secrets(bench))
        for status in (400, 401, 403, 404, 500):
            transport = httpx.MockTransport(self._answering(httpx.Response(status, text=f"you sent {echo}")))
            client = self.connect(bench, transport=transport)
            with pytest.raises(ConnectorError) as raised:
                await self._call(client, write=False)
            for secret in self.secrets(bench):
                assert secret not in str(raised.value)
            await client.aclose()

    @pytest.mark.parametrize(
        ("failure", "error"),
        [(httpx.ConnectError, Transient), (httpx.ReadTimeout, Ambiguous), (httpx.ReadError, Ambiguous)],
    )
    async def test_a_write_that_was_never_sent_is_transient(
        self, bench: Bench, failure: type[httpx.TransportError], error: type[ConnectorError]
    ) -> None:
        def fail(request: httpx.Request) -> httpx.Response:
            if request.method == "GET":
                return httpx.Response(404, json={})
            raise failure("broken", request=request)

        client = self.connect(bench, transport=httpx.MockTransport(self._answering(fail)))
        with pytest.raises(error):
            await client.apply(self.sample_command(), "activation/contract/x/step/1")
        await client.aclose()

    # ---- exact numbers

    @pytest.mark.parametrize(
        "amount",
        [
            Money.of(Decimal("0.1") + Decimal("0.2"), "EUR"),
            Money.of("12345678901.23", "EUR"),
            Money.of("1000", "USD"),
            Money.of("100.001", "BHD"),
            Money.of("5000", "JPY"),
        ],
        ids=str,
    )
    async def test_amounts_are_exact(self, bench: Bench, amount: Money) -> None:
        assert await self.amount_read(bench, amount) == amount

    # ---- inside

    async def _call(self, client: SystemPort, write: bool) -> None:
        if write:
            await client.apply(self.sample_command(), "activation/contract/x/step/1")
        else:
            await self.sample_read(client)

    def _answering(
        self, answer: httpx.Response | Callable[[httpx.Request], httpx.Response]
    ) -> Callable[[httpx.Request], httpx.Response]:
        def handle(request: httpx.Request) -> httpx.Response:
            token = self.token_response(request)
            if token is not None:
                return token
            if callable(answer):
                return answer(request)
            return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

        return handle


async def settled(client: SystemPort, command: Command, key: str) -> Record:
    """What the effect runner does with a doubtful write: look up by key, write only when nothing is there."""
    return await client.find(command, key) or await client.apply(command, key)


def _writes(requests: Sequence[Mapping[str, Any]], start: int) -> list[str]:
    sent = [
        request for request in requests[start:] if request["method"] in ("POST", "PUT", "PATCH", "DELETE")
    ]
    reading = ("token", "query", "suiteql")
    return [
        f"{request['method']} {request['path']}"
        for request in sent
        if not any(word in str(request["path"]).lower() for word in reading)
    ]
