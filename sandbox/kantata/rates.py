"""What an hour costs the customer: by the project's rate card, else by the account's of its currency."""

from typing import TYPE_CHECKING

from sandbox.core.records import Record, RecordStore
from sandbox.kantata.money import base_unit

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm

CARD_ROLES = "rate_card_roles"


def seed(plan: "Firm", store: RecordStore, roles: dict[str, str]) -> None:
    """The firm's rate cards with their rates per role and grade."""
    cards: dict[str, str] = {}
    for card, currency in sorted({(rate.card, rate.currency) for rate in plan.rate_roles}):
        cards[card] = store.create("rate_cards", {"title": card, "currency": currency, "active": True}).id
    for rate in plan.rate_roles:
        unit = base_unit(rate.currency)
        data = {
            "rate_card_id": cards[rate.card],
            "role_id": roles[rate.role],
            "grade": rate.grade,
            "rate_in_cents": int(rate.price * unit),
            "cost_rate_in_cents": int(rate.cost_rate * unit),
        }
        store.create(CARD_ROLES, data)


def of(store: RecordStore, workspace: Record, user: Record | None, role_id: str | None) -> tuple[int, int]:
    """Bill and cost rate of an hour in base units; zero where no card has the role."""
    card_id = workspace.get("rate_card_id") or _card_of(store, workspace["currency"])
    found = store.find(CARD_ROLES, "card_role", (card_id, role_id)) if card_id and role_id else []
    if not found:
        return 0, 0
    grade = str(user["headline"]).partition(" ")[0] if user else ""
    chosen = next((row for row in found if row["grade"] == grade), found[0])
    return chosen["rate_in_cents"], chosen["cost_rate_in_cents"]


def _card_of(store: RecordStore, currency: str) -> str | None:
    return next((card.id for card in store.rows("rate_cards") if card["currency"] == currency), None)
