"""Nothing personal or confidential gets where it does not belong, on the way from a deal to an invoice.

Canaries stand wherever the systems hold a person, pay, a note or a credential. The demo's story is played
with its faults and kills, under the codec, with the worker's logs at debug. Then everything that is kept
or shown outside the systems is searched: histories as stored, visibility, what the Web UI shows, logs,
the gateway's answers, the command line, and every table of the store.
"""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from drill import demo_credit
from drill.demo import LIMITS
from drill.demo_billing import Billing
from drill.demo_credit import Crediting
from drill.demo_scenes import Scenes
from drill.demo_signing import Signing
from drill.demo_work import Working
from drill.lane import Lane, lane
from firm.codec import CodecKeys
from local import process, secrets_setup
from local.launch import SERVICES
from local.ports import free_ports
from local.services import up
from runtime.codec import SealingCodec, new_key
from runtime.connect import connect
from runtime.tracing import ENABLED_BY
from store.sql.tables import METADATA
from tests.e2e.test_cli_walkthrough import Person
from tests.support.canaries import MARK, plant, words_in
from tests.support.collector import Collector

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240)]

ANSWER = f"{MARK}-narrative-edited"
DECLARED = {
    "billables": "an entry as its source said it: who worked, and the note that goes on the invoice",
    "invoices": "lines of an invoice grouped by entry or person are what its customer reads",
}
"""Tables that may hold canaries -> why."""


OF_THE_CORE = ("data", "patch-data")
"""Parts of a marker that Temporal's core writes for itself."""


class ConfidentialWork(Working):
    """The team's notes are confidential."""

    async def sandbox(self, method: str, path: str, **options: Any) -> Any:
        if path.endswith("/worked_time"):
            options["json"]["notes"] = f"{MARK}-note: {options['json']['date']}"
        return await super().sandbox(method, path, **options)


class Searched:
    """The firm after the story, and what is looked for."""

    def __init__(
        self,
        stage: Lane,
        raw: Client,
        keys: CodecKeys,
        secrets: dict[str, str],
        told: tuple[str, str],
        collector: Collector,
    ) -> None:
        self.stage = stage
        self.raw = raw
        self.keys = keys
        self.secrets = secrets
        self.process, self.invoice = told
        self.collector = collector

    def in_bytes(self, stored: bytes) -> set[str]:
        return words_in(stored.decode("utf-8", "replace"), self.secrets)

    def in_text(self, text: str) -> set[str]:
        return words_in(text, self.secrets)


async def _planted(stage: Lane) -> None:
    """Canaries into the sandbox's file while it is down."""
    deals = (await stage.sandbox.get("/_control/salesforce/Opportunity")).json()["records"]
    users = (await stage.sandbox.get("/_control/salesforce/User")).json()["records"]
    deciders = {str(user["Email"]) for user in users} | {str(deal["Project_Manager__c"]) for deal in deals}
    deciders |= set(stage.setup.firm.people) | {"integration@fairlead-sandbox.example"}
    await asyncio.to_thread(process.stop, stage.launch.paths("sandbox"), 0)
    assert plant(next(stage.settings.home.glob("sandbox/*.sqlite")), deciders) > 300
    await up(stage.settings, ["sandbox"], launch=stage.launch)


async def _story(stage: Lane) -> tuple[str, str]:
    """From the signed deal to the rebilled invoice; ids of the activation and of the invoice."""
    scenes = Scenes(stage, lambda line: None, lambda view: None, time.monotonic())
    signed = await scenes.act(Signing).play()
    contract = await scenes.act(ConfidentialWork).play(signed)
    invoice = await scenes.act(Billing).time(signed, contract)
    await scenes.act(Crediting).play(invoice, contract)
    return signed.process, invoice.invoice


@pytest.fixture(scope="module")
async def searched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Searched]:
    key = new_key()
    key_file = tmp_path_factory.mktemp("keys") / "k1"
    key_file.write_text(key, encoding="utf-8")
    codec = {"codec": {"active": '"k1"', "keys": f'{{ k1 = "file:{key_file}" }}'}}
    async with AsyncExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(demo_credit, "ANSWER", ANSWER)
        collector = stack.enter_context(Collector())
        patched.setenv(ENABLED_BY, f"http://127.0.0.1:{collector.port}")
        ours, of_the_sdk = free_ports(2)
        stage = await stack.enter_async_context(
            lane(
                services=SERVICES,
                firm_values={**LIMITS, **codec},
                log_level="debug",
                metrics_address=f"127.0.0.1:{ours}",
                sdk_metrics_address=f"127.0.0.1:{of_the_sdk}",
            )
        )
        await _planted(stage)
        told = await _story(stage)
        raw = await connect(stage.settings)
        secrets = secrets_setup.firm_variables(stage.settings.home, {})
        values = {name: text for name, text in secrets.items() if not text.endswith(".pem")}
        pem = (stage.settings.home / "secrets" / "netsuite.pem").read_text(encoding="utf-8")
        values |= {"codec key": key, "private key": pem.splitlines()[3]}
        yield Searched(stage, raw, CodecKeys("k1", {"k1": key}), values, told, collector)


async def test_faults_were_met_and_the_canaries_arrived(searched: Searched) -> None:
    """Otherwise nothing here proves anything."""
    assert searched.stage.kills >= 2
    assert sum((await searched.stage.faults_fired()).values()) >= 4
    entries = await searched.stage.store.billing.entries_of(searched.invoice)
    assert MARK in entries[0].narrative


async def test_histories_hold_nothing_readable(searched: Searched) -> None:
    """Payloads, failures, stack traces, summaries and headers, as the server stores them."""
    found: dict[str, set[str]] = {}
    sealed = 0
    async for run in searched.raw.list_workflows():
        handle = searched.raw.get_workflow_handle(run.id, run_id=run.run_id)
        events = [event async for event in handle.fetch_history_events()]
        stored = b"".join(event.SerializeToString() for event in events)
        encodings = [one.metadata["encoding"] for event in events for one in _payloads(event)]
        assert set(encodings) <= {b"binary/encrypted"}, f"{run.id} holds a payload that is not sealed"
        sealed += len(encodings)
        words = searched.in_bytes(stored)
        words |= searched.in_bytes((await handle.describe()).raw_description.SerializeToString())
        words |= searched.in_bytes(run.raw_info.SerializeToString())
        if words:
            found[run.id] = words
    assert found == {}
    assert sealed > 200


async def test_histories_hold_no_words_of_an_entry_even_when_opened(searched: Searched) -> None:
    """Notes are confidential to all who may read a history: what a process needs of them is a key."""
    codec = SealingCodec(searched.keys)
    found: set[str] = set()
    opened = 0
    async for run in searched.raw.list_workflows():
        handle = searched.raw.get_workflow_handle(run.id, run_id=run.run_id)
        async for event in handle.fetch_history_events():
            payloads = list(_payloads(event))
            opened += len(payloads)
            texts = [one.data.decode("utf-8", "replace") for one in await codec.decode(payloads)]
            found |= {run.id for text in texts if f"{MARK}-n" in text}
    assert found == set()
    assert opened > 200


def _payloads(message: Any) -> Iterator[Payload]:
    """Every payload in an event, wherever it stands.

    Not what the server has to search by; and not what never goes through a codec: headers, which hold the
    trace, and what the SDK's core notes for itself in its markers.
    """
    for field, value in message.ListFields():
        if field.message_type is None or field.name in ("search_attributes", "header"):
            continue
        if hasattr(value, "items"):
            parts = [part for name, part in value.items() if name not in OF_THE_CORE]
        else:
            parts = value if field.is_repeated else [value]
        for part in parts:
            if isinstance(part, Payload):
                yield part
            elif hasattr(part, "ListFields"):
                yield from _payloads(part)


async def test_what_the_web_ui_shows_names_nobody(searched: Searched) -> None:
    """Summaries and current details, opened with the key: people look at them on shared screens."""
    client = searched.stage.client
    shown: list[str] = []
    async for run in client.list_workflows():
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        described = await handle.describe()
        shown += [await described.static_summary() or "", await described.static_details() or ""]
        async for event in handle.fetch_history_events():
            if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
                payloads = await client.data_converter.decode([event.user_metadata.summary])
                shown.append(str(payloads[0]))
    metadata = await client.get_workflow_handle(searched.process).query("__temporal_workflow_metadata")
    shown.append(str(metadata))
    assert len([text for text in shown if text]) > 50
    assert searched.in_text("\n".join(shown)) == set()


def test_logs_at_debug_name_nobody(searched: Searched) -> None:
    """The sandbox's own log is a vendor's."""
    folder = searched.stage.settings.home / "log"
    logs = [folder / f"{name}.log" for name in ("worker", "gateway", "temporal")]
    text = "\n".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)
    assert "DEBUG" in text, "the worker was to log everything"
    assert searched.in_text(text) == set()


async def test_tables_hold_only_what_they_are_declared_for(searched: Searched) -> None:
    store: Any = searched.stage.store

    def work(connection: Any) -> dict[str, set[str]]:
        return {
            name: searched.in_text("\n".join(map(str, connection.execute(select(table)).all())))
            for name, table in METADATA.tables.items()
        }

    found = {name: words for name, words in (await store._database.read(work)).items() if words}
    undeclared = {name: sorted(words)[:5] for name, words in found.items() if name not in DECLARED}
    assert undeclared == {}
    assert "billables" in found
    assert not any(word.startswith("secret") for words in found.values() for word in words)


async def test_the_gateway_tells_nothing(searched: Searched) -> None:
    stage, texts = searched.stage, []
    body = f'{{"id": "{MARK}-id", "email": "{MARK}@people.example"}}'
    token = {"Authorization": f"Bearer {MARK}-{'x' * 30}"}
    async with httpx.AsyncClient(base_url=stage.settings.gateway_url, trust_env=False, timeout=10) as http:
        for path in ("/", "/healthz", "/readyz", "/openapi.json", "/metrics", "/hooks/nobody"):
            texts.append((await http.get(path, headers=token)).text)
        for path in ("/hooks/salesforce", "/codec/decode", "/nowhere"):
            texts.append((await http.post(path, content=body, headers=token)).text)
    assert searched.in_text("\n".join(texts)) == set()


async def test_figures_are_told_and_name_nobody(searched: Searched) -> None:
    """Of the worker, of its SDK and of the gateway, while they run."""
    settings = searched.stage.settings
    addresses = [f"http://{settings.metrics_address}", f"http://{settings.sdk_metrics_address}"]
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        worker, sdk, gateway = [
            (await http.get(f"{base}/metrics")).text for base in (*addresses, settings.gateway_url)
        ]
    assert re.search(r'fairlead_effects_total{outcome="confirmed",system="netsuite"} [1-9]', worker)
    assert re.search(r'fairlead_activity_seconds_count{outcome="done",system="kantata"} [1-9]', worker)
    assert 'fairlead_running_processes{kind="billing"' in worker
    assert "temporal_workflow_task_execution_latency" in sdk
    assert 'fairlead_gateway_requests_total{method="POST",route="/hooks/{source}",status="202"}' in gateway
    assert searched.in_text(worker + sdk + gateway) == set()
    deal = searched.process.rpartition("/")[2]
    assert deal not in worker + sdk + gateway, "no label holds an id"


async def test_one_trace_crosses_the_processes_and_names_nobody(searched: Searched) -> None:
    """From the webhook at the gateway to the worker's calls of every system, as the collector gets them."""
    await asyncio.to_thread(searched.collector.wait, 10.0)
    spans = searched.collector.spans()
    roots = {span.trace_id for span in spans if span.name == "POST /hooks/{source}"}
    called = {span.name.partition(":")[0] for span in spans if span.trace_id in roots and ": " in span.name}
    assert called >= {"salesforce", "kantata", "netsuite"}
    assert searched.in_bytes(b"".join(searched.collector.bodies)) == set()


async def test_the_codec_endpoint_opens_what_the_web_ui_shows(searched: Searched) -> None:
    """The same bytes that are stored, opened for a firm on one machine."""
    handle = searched.raw.get_workflow_handle(searched.process)
    events = [event async for event in handle.fetch_history_events()]
    payload = events[0].workflow_execution_started_event_attributes.input.payloads[0]
    metadata = {name: base64.b64encode(text).decode() for name, text in payload.metadata.items()}
    body = {"payloads": [{"metadata": metadata, "data": base64.b64encode(payload.data).decode()}]}
    origin = f"http://127.0.0.1:{searched.stage.settings.ui_port}"
    async with httpx.AsyncClient(base_url=searched.stage.settings.gateway_url, trust_env=False) as http:
        answer = await http.post("/codec/decode", json=body, headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    deal = searched.process.rpartition("/")[2]
    assert deal.encode() in base64.b64decode(answer.json()["payloads"][0]["data"])


async def test_the_command_line_names_nobody(searched: Searched) -> None:
    """What an operator sees of processes; the pre-bill, which is the manager's, shows entries on purpose."""
    person = Person(searched.stage.settings)
    deal = searched.process.rpartition("/")[2]
    ended = await asyncio.gather(
        person.fairlead("status", searched.process, "--json"),
        person.fairlead("watch", searched.process),
        person.fairlead("trace", deal),
        person.fairlead("exceptions", "list", "--json"),
        person.fairlead("replay", "--json"),
    )
    assert {one.code for one in ended} <= {0, 6}, [one for one in ended if one.code]
    assert searched.in_text("\n".join(one.out + one.err for one in ended)) == set()
