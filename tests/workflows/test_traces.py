"""One trace from a signed webhook, through Temporal, to the call of a vendor; and nothing personal in it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from connectors.errors import Rejected
from connectors.http import spans
from connectors.http.auth import StaticBearer
from connectors.http.resolution import Resolution
from connectors.http.transport import VendorHttp
from domain.selling import Deal
from gateway import traces
from gateway.app import build_gateway
from runtime.discreet_spans import DiscreetExporter
from runtime.plugin import FairleadPlugin
from runtime.temporal_spans import TemporalSpans
from runtime.tracing import CORRELATION, ENABLED_BY, CannotTrace, configure_tracing
from tests.support.activation_firm import running_firm
from tests.unit.gateway.gateway_parts import NOW, GatewayTestFirm, encoded, event, settings, signed

CALLER = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{CALLER}-b7ad6b7169203331-01"
CANARY = "canary.person@people.example"


@dataclass(frozen=True)
class Traced:
    """Where all spans of this process go."""

    exporter: InMemorySpanExporter
    tracer: trace.Tracer

    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        return next(span for span in self.spans() if span.name == name)

    def path(self, span: ReadableSpan) -> list[str]:
        """Names from the root to `span`."""
        by_id = {one.context.span_id: one for one in self.spans() if one.context}
        names = [span.name]
        while span.parent and span.parent.span_id in by_id:
            span = by_id[span.parent.span_id]
            names.insert(0, span.name)
        return names


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(DiscreetExporter(exporter)))
    tracer = provider.get_tracer("test")
    monkeypatch.setattr(spans, "_tracer", tracer)
    monkeypatch.setattr(traces, "_tracer", tracer)
    yield Traced(exporter, tracer)
    provider.shutdown()


def vendor(status: int = 200) -> VendorHttp:
    """A system that repeats in its errors what it was sent."""

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"error": CANARY})

    return VendorHttp(
        system="salesforce",
        base_url="http://127.0.0.1:1/crm",
        auth=StaticBearer("a-token-of-the-test"),
        table=Resolution("salesforce", lambda status, body: (), ()),
        transport=httpx.MockTransport(answer),
    )


@pytest.fixture
async def client(temporal_env: WorkflowEnvironment, traced: Traced) -> Client:
    plugin = FairleadPlugin(failure_types=[Exception], observers=[TemporalSpans(traced.tracer)])
    return await Client.connect(temporal_env.client.service_client.config.target_host, plugins=[plugin])


async def test_one_trace_from_the_webhook_to_the_vendor(
    client: Client, store: Any, traced: Traced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_firm(client, store) as firm:
        http, deal = vendor(), firm.crm.deal

        async def read(deal_id: str) -> Deal:
            path = f"/deals/{deal_id}?email={CANARY}"
            await http.call("GET", path, operation=f"read deal {deal_id}", write=False)
            assert deal is not None
            return deal

        monkeypatch.setattr(firm.crm, "read_deal", read)

        async def start(*_: Any, **__: Any) -> Any:
            await firm.start()
            return type("Started", (), {"workflow_id": firm.process, "joined": False})

        async def connected() -> Client:
            return client

        app = build_gateway(
            settings(tmp_path), GatewayTestFirm(), store, connected, start=start, now=lambda: NOW
        )
        traces.install(app)
        body = encoded(event(subject=firm.deal_id))
        headers = signed(body) | {"traceparent": TRACEPARENT, "baggage": f"person={CANARY}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://gateway.test"
        ) as sender:
            answer = await sender.post("/hooks/crm", content=body, headers=headers)
        assert answer.status_code == 202
        await app.state.gateway.background.idle()
        await firm.reached("awaiting staffing")
        await http.aclose()
    call = traced.named("salesforce: read deal")
    assert traced.path(call)[:2] == ["POST /hooks/{source}", "StartWorkflow:ProjectActivation"]
    assert traced.path(call)[-2:] == ["RunActivity:crm.read_deal", "salesforce: read deal"]
    assert trace.format_trace_id(call.context.trace_id) == CALLER
    assert dict(call.attributes or {}) == {
        "fairlead.system": "salesforce",
        "fairlead.operation": "read deal",
        "http.request.method": "GET",
        "http.response.status_code": 200,
    }
    assert call.kind is SpanKind.CLIENT
    activity = traced.named("RunActivity:crm.read_deal")
    assert (activity.attributes or {})[CORRELATION] == firm.process
    request = traced.named("POST /hooks/{source}")
    assert (request.attributes or {})["http.response.status_code"] == 202
    assert CANARY not in "".join(span.to_json() for span in traced.spans())


async def test_of_a_refused_call_its_status_is_told_and_not_its_text(traced: Traced) -> None:
    http = vendor(422)
    with pytest.raises(Rejected):
        await http.call("POST", "/users", operation=f"invite {CANARY}", write=True, json={"mail": CANARY})
    await http.aclose()
    (call,) = traced.spans()
    assert call.name == "salesforce: invite"
    assert (call.attributes or {})["http.response.status_code"] == 422
    assert CANARY not in call.to_json()


async def test_a_failed_activity_tells_no_text(traced: Traced) -> None:
    span = traced.tracer.start_span("activity")
    span.set_status(StatusCode.ERROR, CANARY)
    span.record_exception(ValueError(CANARY))
    span.end()
    (told,) = traced.spans()
    assert told.status.status_code is StatusCode.ERROR
    assert [dict(one.attributes or {})["exception.type"] for one in told.events] == ["ValueError"]
    assert CANARY not in told.to_json()


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("match customer Polaris Ltd", "match customer"),
        ("look up invoice invoice/acme/1", "look up invoice"),
        ("submit 5 timeBill records", "submit"),
        ("4711", "call"),
        ("read invoices of project DE01", "read invoices"),
    ],
)
def test_a_span_says_what_is_done_and_not_to_whom(operation: str, said: str) -> None:
    assert spans.kind_of(operation) == said


def test_nothing_is_traced_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configure_tracing("fairlead-worker", {}) == []
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(CannotTrace, match=r"install fairlead\[telemetry\]"):
        configure_tracing("fairlead-worker", {ENABLED_BY: "http://127.0.0.1:4318"})
