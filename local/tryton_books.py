"""The books of the example firm in a new Tryton database, written over its own JSON-RPC.

Years are relative to the day of the set-up: the last, this and the next, twelve periods each, all open.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pycountry

from domain.money import minor_units
from local.tryton_chart import (
    BANK,
    CHART,
    COMPANIES,
    CURRENCIES,
    KINDS,
    LEGAL_NOTICES,
    PAYABLE,
    RECEIVABLE,
    TAX,
    TERMS,
    Account,
    Company,
)
from local.tryton_rpc import Rpc

Ids = dict[str, int]


def set_up(rpc: Rpc, today: date) -> None:
    """Everything a process of ours needs to find. Raises `tryton_rpc.RpcError`."""
    countries = _countries(rpc)
    currencies = _currencies(rpc, date(today.year - 1, 1, 1))
    # A session sees the records of all its companies; the company of a call stands in its context.
    rpc.write("res.user", [_user(rpc)], {"company_filter": "all"})
    rpc.create("project.work.status", {"name": "Cancelled", "types": ["project", "task"]})
    terms = [_term(name, days) for name, days in TERMS.items()]
    rpc.create("account.invoice.payment_term", *terms)
    companies = {company.code: _company(rpc, company, countries, currencies) for company in COMPANIES}
    for company in COMPANIES:
        company_id = companies[company.code]
        rpc.write("res.user", [_user(rpc)], {"companies": [["add", [company_id]]], "company": company_id})
        rpc.context = {"company": company_id}
        accounts = _chart(rpc, company_id)
        _taxes(rpc, company, company_id, accounts)
        _payment_method(rpc, company_id, accounts)
        for year in (today.year - 1, today.year, today.year + 1):
            _fiscal_year(rpc, company, company_id, year)
    rpc.context = {}


def _countries(rpc: Rpc) -> Ids:
    known = sorted(pycountry.countries, key=lambda each: str(each.alpha_2))
    made = rpc.create("country.country", *({"name": each.name, "code": each.alpha_2} for each in known))
    return {str(each.alpha_2): made[n] for n, each in enumerate(known)}


def _currencies(rpc: Rpc, since: date) -> Ids:
    """Each with one rate, valid from the first day of the books."""
    records = [
        {
            "name": name,
            "code": code,
            "symbol": code,
            "digits": minor_units(code),
            "rounding": Decimal(1).scaleb(-minor_units(code)),
            "rates": [["create", [{"date": since, "rate": rate}]]],
        }
        for code, (name, rate) in CURRENCIES.items()
    ]
    return dict(zip(CURRENCIES, rpc.create("currency.currency", *records), strict=True))


def _term(name: str, days: int) -> dict[str, Any]:
    after = {"days": days, "weeks": 0, "months": 0}
    line = {"type": "remainder", "relativedeltas": [["create", [after]]]}
    return {"name": name, "lines": [["create", [line]]]}


def _company(rpc: Rpc, company: Company, countries: Ids, currencies: Ids) -> int:
    """The company; the code of its party is the code of the legal entity."""
    kind, number = company.tax_id
    party = {
        "name": company.name,
        "code": company.code,
        "addresses": [["create", [{"country": countries[company.country]}]]],
        "identifiers": [["create", [{"type": kind, "code": number}]]],
    }
    (party_id,) = rpc.create("party.party", party)
    (made,) = rpc.create("company.company", {"party": party_id, "currency": currencies[company.currency]})
    return made


def _user(rpc: Rpc) -> int:
    (found,) = rpc.search("res.user", [["login", "=", "admin"]], "login")
    return int(found["id"])


def _chart(rpc: Rpc, company: int) -> Ids:
    """Account codes -> ids; receivables and payables of the customers and suppliers are set."""
    kinds = [{"name": name, "company": company, **flags} for name, flags in KINDS.items()]
    types = dict(zip(KINDS, rpc.create("account.account.type", *kinds), strict=True))
    made = rpc.create("account.account", *(_account(each, company, types) for each in CHART))
    accounts = {each.code: made[n] for n, each in enumerate(CHART)}
    (configuration,) = rpc.search("account.configuration", [], "id") or [{"id": 0}]
    values = {
        "default_account_receivable": accounts[RECEIVABLE],
        "default_account_payable": accounts[PAYABLE],
        "tax_rounding": "line",
    }
    if configuration["id"]:
        rpc.write("account.configuration", [configuration["id"]], values)
    else:
        rpc.create("account.configuration", values)
    return accounts


def _account(account: Account, company: int, types: Ids) -> dict[str, Any]:
    return {
        "code": account.code,
        "name": account.name,
        "company": company,
        "type": types[account.kind],
        "reconcile": account.reconcile,
        "party_required": account.party,
    }


def _taxes(rpc: Rpc, company: Company, company_id: int, accounts: Ids) -> None:
    taxes = [
        {
            "name": name,
            "description": name,
            "company": company_id,
            "type": "percentage",
            "rate": Decimal(percent) / 100,
            "invoice_account": accounts[TAX],
            "credit_note_account": accounts[TAX],
            "legal_notice": LEGAL_NOTICES.get(name),
        }
        for name, percent in company.taxes
    ]
    rpc.create("account.tax", *taxes)


def _payment_method(rpc: Rpc, company: int, accounts: Ids) -> None:
    (journal,) = rpc.search("account.journal", [["type", "=", "cash"]], "name")
    bank = accounts[BANK]
    method = {"name": "Bank", "company": company, "journal": journal["id"]}
    rpc.create("account.invoice.payment.method", method | {"credit_account": bank, "debit_account": bank})


def _fiscal_year(rpc: Rpc, company: Company, company_id: int, year: int) -> None:
    """One year with its twelve periods, and gapless numbers of its own for moves and documents."""
    moves = _sequence(rpc, "Account Move", f"Moves {company.code} {year}", company_id, "")
    invoices = _sequence(
        *(rpc, "Invoice", f"Invoices {company.code} {year}", company_id, f"{company.code}-{year}-")
    )
    numbers = dict.fromkeys(
        f"{way}_{kind}_sequence" for way in ("in", "out") for kind in ("invoice", "credit_note")
    )
    (made,) = rpc.create(
        "account.fiscalyear",
        {
            "name": str(year),
            "company": company_id,
            "start_date": date(year, 1, 1),
            "end_date": date(year, 12, 31),
            "move_sequence": moves,
            "invoice_sequences": [["create", [{"company": company_id, **dict.fromkeys(numbers, invoices)}]]],
        },
    )
    rpc.call("model.account.fiscalyear.create_period", [made])


def _sequence(rpc: Rpc, kind: str, name: str, company: int, prefix: str) -> int:
    (found,) = rpc.search("ir.sequence.type", [["name", "=", kind]], "name")
    sequence = {
        "name": name,
        "sequence_type": found["id"],
        "company": company,
        "prefix": prefix,
        "padding": 5,
    }
    (made,) = rpc.create("ir.sequence.strict", sequence)
    return made
