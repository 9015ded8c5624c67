"""What goes over the wire and what is made of the answers, without a server."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import Ambiguous, Conflict, Rejected, Throttled, Transient, Unauthenticated
from connectors.http import exact_json
from connectors.tryton.client import TrytonClient, build
from connectors.tryton.drafts import _exact
from connectors.tryton.errors import explain
from connectors.tryton.parties import spellings
from connectors.tryton.settings import TrytonSettings
from domain.billing_commands import DraftLine, PostInvoice
from domain.commands import CreateCustomer, OpenProject
from domain.money import Money

Answer = Callable[[str, list[Any]], Any]


class Server:
    """Answers calls by a function of method and parameters; an `Exception` in place of a result is raised."""

    def __init__(self, answer: Answer) -> None:
        self.calls: list[tuple[str, list[Any]]] = []
        self.headers: list[httpx.Headers] = []
        self.logins = 0
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = exact_json.decode(request.content)
        assert set(body) == {"id", "method", "params"}, "other keys change the form of Tryton's answers"
        method, params = body["method"], body["params"]
        if method == "common.db.login":
            self.logins += 1
            return httpx.Response(200, json={"id": 0, "result": [1, f"token{self.logins}", None]})
        self.calls.append((method, params))
        self.headers.append(request.headers)
        result = self._answer(method, params)
        if isinstance(result, httpx.Response):
            return result
        if isinstance(result, Exception):
            raise result
        said = result if isinstance(result, dict) and "error" in result else {"result": result}
        return httpx.Response(200, content=exact_json.encode({"id": body["id"], **said}))

    def client(self, **changes: Any) -> TrytonClient:
        given = {"base_url": "http://tryton.test", "username": "fairlead", "password": "pass-word"}
        settings = TrytonSettings.model_validate(given | changes)
        return build("tryton", settings, transport=httpx.MockTransport(self))


INVOICE = {
    "id": 7,
    "state": "draft",
    "party": 3,
    "account": 23,
    "create_date": "2026-11-23T00:00:00Z",
    "untaxed_amount": "10.00",
    "tax_amount": "1.90",
    "total_amount": "11.90",
    "amount_to_pay": "0",
    "currency.": {"id": 1, "code": "EUR"},
    "company.": {"id": 2, "party.": {"id": 2, "code": "DE01"}},
}


async def test_the_context_comes_last_and_asks_for_english() -> None:
    server = Server(lambda method, params: [])
    await server.client().api.rows("party.party", [["code", "=", "x"]], ["name"], operation="look")
    method, params = server.calls[0]
    assert method == "model.party.party.search_read"
    assert params[0] == [["code", "=", "x"], ["id", ">", 0]]
    assert params[-1] == {"language": "en"}
    assert server.headers[0]["authorization"].startswith("Session ")


async def test_pages_go_on_behind_the_last_id() -> None:
    pages = iter([[{"id": 3}, {"id": 9}], [{"id": 12}]])
    server = Server(lambda method, params: next(pages))
    rows = await server.client(page_size=2).api.rows("party.party", [], ["name"], operation="look")
    assert [row["id"] for row in rows] == [3, 9, 12]
    assert server.calls[1][1][0] == [["id", ">", 9]]


async def test_an_old_session_is_renewed_once() -> None:
    first = iter([httpx.Response(401, text="<h1>Unauthorized</h1>")])
    server = Server(lambda method, params: next(first, []))
    client = server.client()
    await client.api.rows("party.party", [], ["name"], operation="look")
    assert server.logins == 2
    assert len({headers["authorization"] for headers in server.headers}) == 2


async def test_a_login_without_a_session_is_told() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"id": 0, "result": None})

    settings = TrytonSettings(base_url="http://tryton.test", username="fairlead", password="pass-word")
    client = build("tryton", settings, transport=httpx.MockTransport(handle))
    with pytest.raises(Rejected, match="is the database named right"):
        await client.invoice("7")
    assert [check.ok for check in await client.check()] == [False], "nothing else is tried"


async def test_an_answer_without_a_result_is_ambiguous_for_a_write() -> None:
    def answer(method: str, params: list[Any]) -> Any:
        return [{"id": 2}] if method.endswith("search_read") else httpx.Response(200, json={"id": 1})

    with pytest.raises(Ambiguous):
        await Server(answer).client().apply(CreateCustomer(name="A", crm_id="1", entity="DE01"), "k/1")


async def test_a_posted_invoice_is_not_posted_again() -> None:
    server = Server(lambda method, params: [INVOICE | {"state": "posted", "number": "N1"}])
    record = await server.client().apply(PostInvoice(invoice_external_id="7", entity="DE01"), "k/1")
    assert record.number == "N1"
    assert not [method for method, _ in server.calls if method.endswith(".post")]


async def test_a_failure_behind_the_posting_is_no_failure_of_it() -> None:
    """Tryton writes the document after it has committed the posting, in the same call."""
    states = iter(["draft", "posted", "posted"])

    def answer(method: str, params: list[Any]) -> Any:
        if method.endswith(".post"):
            return {"error": ["'NoneType' object has no attribute 'report'", ""]}
        return [INVOICE | {"state": next(states)}]

    record = await Server(answer).client().apply(PostInvoice(invoice_external_id="7", entity="DE01"), "k/1")
    assert record.fields == {"posted": "true"}


async def test_a_refused_posting_stays_refused() -> None:
    def answer(method: str, params: list[Any]) -> Any:
        return {"error": ["UserError", ["No.", "", None]]} if method.endswith(".post") else [INVOICE]

    with pytest.raises(Rejected, match=r"a rule of Tryton says no: No\."):
        await Server(answer).client().apply(PostInvoice(invoice_external_id="7", entity="DE01"), "k/1")


async def test_two_records_under_one_key_are_a_conflict() -> None:
    party = {"id": 4, "name": "A", "code": "x"}
    server = Server(lambda method, params: [party, party | {"id": 5}])
    with pytest.raises(Conflict) as twice:
        await server.client().find(CreateCustomer(name="A", crm_id="1", entity="DE01"), "k/1")
    assert twice.value.rule == "key.twice"


async def test_a_change_names_the_version_it_read() -> None:
    work = {
        "id": 5, "name": "P", "number": "DE01-1", "timesheet_available": False, "_timestamp": "17.5",
        "status.": {"id": 1, "name": "Open"}, "comment": "Call Anna",
        "company.": {"id": 2, "party.": {"id": 2, "code": "DE01"}, "currency.": {"id": 1, "code": "EUR"}},
    }  # fmt: skip

    def answer(method: str, params: list[Any]) -> Any:
        if method.endswith(".write"):
            return {"error": ["ConcurrencyException", "Records were modified in the meanwhile"]}
        return [work]

    server = Server(answer)
    with pytest.raises(Transient):
        await server.client().apply(OpenProject(project_external_id="5"), "k/open/1")
    method, params = server.calls[-1]
    assert method == "model.project.work.write"
    assert params[1] == {"timesheet_available": True, "comment": "Call Anna\nOpened by: k/open/1"}
    assert params[-1]["_timestamp"] == {"project.work,5": "17.5"}


async def test_a_busy_database_is_throttling_and_a_dead_server_is_not() -> None:
    async def failing(text: str) -> None:
        server = Server(lambda method, params: httpx.Response(503, text=text))
        await server.client().api.create("party.party", [{}], operation="write")

    with pytest.raises(Throttled):
        await failing("<p>could not obtain lock on row</p>")
    with pytest.raises(Ambiguous):
        await failing("<p>upstream is down</p>")


async def test_an_unknown_user_is_unauthenticated_and_unseen() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, text="<p>pass-word is wrong</p>")

    settings = TrytonSettings(base_url="http://tryton.test", username="fairlead", password="pass-word")
    client = build("tryton", settings, transport=httpx.MockTransport(handle))
    with pytest.raises(Unauthenticated) as refused:
        await client.trial_balance("DE01", date(2026, 1, 1))
    assert "pass-word" not in str(refused.value)


@pytest.mark.parametrize("body", [None, 7, [], {}, {"error": []}, {"error": None}, {"error": "x"}])
def test_a_body_without_an_error_explains_nothing(body: Any) -> None:
    assert explain(200, body) == ()


@pytest.mark.parametrize(
    "body",
    [{"error": [7]}, {"error": ["UserError"]}, {"error": ["UserWarning", []]}, {"error": [None, None]}],
)
def test_an_error_of_any_shape_is_one_problem(body: Any) -> None:
    assert len(explain(200, body)) == 1


def test_an_empty_defect_is_still_a_defect() -> None:
    (problem,) = explain(200, {"error": ["", ["trace"]]})
    assert (problem.code, problem.text) == ("defect", "trace")


@pytest.mark.parametrize(
    ("quantity", "price", "net", "kept"),
    [
        ("80", "125", "10000.00", True),
        ("7.25", "99.99", "724.93", False),
        ("0.333", "300", "99.90", False),
        ("3", "0.33333", "1.00", False),
        ("-2", "5.0000", "-10.00", True),
    ],
)
def test_quantity_and_price_are_sent_only_when_they_make_the_amount(
    quantity: str, price: str, net: str, kept: bool
) -> None:
    line = DraftLine(
        ref="1",
        kind="time",
        description="x",
        net=Money.of(net, "EUR"),
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        contract_line=1,
    )
    assert _exact(line) is kept


def test_tax_ids_are_searched_in_every_spelling() -> None:
    assert spellings("de 123.456-789") == ["de 123.456-789", "DE123.456-789", "DE123456789"]
    assert spellings(None) == []
