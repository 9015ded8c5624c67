"""Two identities: one drafts, the other posts, credits and writes journals."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.errors import Unauthenticated
from connectors.netsuite.client import NetSuiteClient, build
from connectors.netsuite.settings import NetSuiteSettings
from domain.billing_commands import PostInvoice
from tests.contract import netsuite_billing as billing
from tests.unit.sandbox.netsuite_account import BASE_URL, CERTIFICATE, CLIENT, Account, private_pem


class Watched(httpx.AsyncBaseTransport):
    """Notes which identity sends which write."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.writes: list[tuple[str, str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method != "GET" and "token" not in path and "suiteql" not in path:
            token = request.headers["authorization"].removeprefix("Bearer ")
            subject = self._account.tokens.subject(token)
            kind = path.split("/record/v1/")[-1].split("/")[0]
            self.writes.append((subject, request.method, kind))
        return await self._account.transport.handle_async_request(request)


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path)
    yield account
    await account.close()


def connect(transport: httpx.AsyncBaseTransport, **changes: Any) -> NetSuiteClient:
    given: dict[str, Any] = {"account": "TSTDRV1", "base_url": BASE_URL, "client_id": CLIENT}
    given |= {"certificate_id": CERTIFICATE, "private_key": private_pem(), "algorithm": "ES256"}
    given |= {"accounts": billing.ACCOUNTS, "tax_codes": billing.TAX_CODES}
    return build("netsuite", NetSuiteSettings.model_validate({**given, **changes}), transport)


def posting(**changes: str) -> dict[str, str]:
    pair = {"post_client_id": f"{CLIENT}-post", "post_certificate_id": f"{CERTIFICATE}-post"}
    return pair | {"post_private_key": private_pem()} | changes


class Alpha:
    """The bench of the contract's commands, on the small account."""

    def __init__(self, account: Account) -> None:
        self.customer_id = account.id_of("customer", "companyName", "Alpha Werke")


@pytest.mark.parametrize("apart", [True, False])
async def test_who_writes_what(account: Account, apart: bool) -> None:
    watched = Watched(account)
    client = connect(watched, **(posting() if apart else {}))
    assert [check for check in await client.check() if not check.ok] == []
    invoice, external_id = await billing.posted(Alpha(account), client, "a")
    part = billing.credit(invoice, external_id, billing.line("200.10", "2"))
    await client.apply(part.with_changes(dated=billing.DATED), "billing/a/credit/1")
    paid = billing.payment(invoice, external_id, "1.00").with_changes(received_on=billing.DATED)
    await client.apply(paid, "billing/a/payment/1")
    await client.apply(billing.journal("a", "1.00"), "billing/a/journal/1")
    poster = f"{CLIENT}-post" if apart else CLIENT
    made = [write for write in watched.writes if write[2] in ("invoice", "journalEntry")]
    assert made == [
        (CLIENT, "PUT", "invoice"),
        (poster, "PATCH", "invoice"),
        (poster, "POST", "invoice"),
        (CLIENT, "POST", "invoice"),
        (poster, "PUT", "journalEntry"),
    ]
    await client.aclose()


async def test_a_refused_second_identity_shows_in_the_check_and_posts_nothing(account: Account) -> None:
    client = connect(account.transport, **posting(post_client_id="somebody-else"))
    red = [check.name for check in await client.check() if not check.ok]
    assert red == ["sign in for posting"]
    _, draft = await billing.drafted(Alpha(account), client, "b")
    with pytest.raises(Unauthenticated):
        await client.apply(
            PostInvoice(invoice_external_id=draft.external_id, entity="DE01"), "billing/b/post/1"
        )
    await client.aclose()


async def test_the_check_names_columns_the_account_lacks(account: Account) -> None:
    client = connect(account.transport, line_ref_field="custcol_unheard_of")
    red = {check.name: check.detail for check in await client.check() if not check.ok}
    assert red == {
        "fields of invoice": "missing: item.custcol_unheard_of",
        "fields of creditMemo": "missing: item.custcol_unheard_of",
    }
    await client.aclose()


async def test_the_check_names_items_codes_and_accounts_the_account_lacks(account: Account) -> None:
    wrong = {"tax_codes": {"x": "XX 99%"}, "accounts": {"*": {"revenue": "9999"}}}
    client = connect(account.transport, **wrong)
    red = {check.name: check.detail for check in await client.check() if not check.ok}
    assert red == {"tax codes": "unknown: XX 99%", "accounts": "unknown: 9999"}
    await client.aclose()


async def test_both_share_one_cap_of_calls_in_flight(account: Account) -> None:
    client = connect(account.transport, **posting(), in_flight=2)
    assert client.api.http.in_flight is client._posting.http.in_flight
    await client.aclose()
