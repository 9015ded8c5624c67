"""Billing: contracts, billables, their problems and adjustments, events, coverage, invoices, movements.

Types are plain here, because a revision must not change when the code's own types do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "contracts",
    "billables",
    "intake_problems",
    "adjustments",
    "billing_events",
    "coverage",
    "invoices",
    "invoice_movements",
)


def upgrade() -> None:
    _contracts()
    _billables()
    _problems_and_adjustments()
    _events_and_coverage()
    _invoices()


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name)


def _texts(names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names.split()]


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _amount(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _day(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Date(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _partial(name: str, table: str, *columns: str, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        table,
        list(columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _contracts() -> None:
    op.create_table(
        "contracts",
        *_texts("project"),
        _number("revision"),
        *_texts("entity currency"),
        _long("body"),
        sa.PrimaryKeyConstraint("project", "revision", name="pk_contracts"),
    )
    _index("contracts", "entity", "project")


def _billables() -> None:
    op.create_table(
        "billables",
        *_texts("key content_hash"),
        _instant("version", nullable=True),
        *_texts("project"),
        _number("line"),
        *_texts("entity source kind resource"),
        _day("work_date"),
        *_texts("cause"),
        _number("minutes"),
        *_texts("currency"),
        _amount("amount_minor"),
        _number("approval_days", nullable=True),
        _instant("taken_at"),
        *_texts("invoice"),
        _long("body"),
        _long("review"),
        sa.PrimaryKeyConstraint("key", name="pk_billables"),
    )
    _partial(
        "ix_billables_reviewable",
        "billables",
        *("project", "work_date", "key"),
        where="invoice = '' AND cause != 'not_billable'",
    )
    _partial(
        "ix_billables_free",
        "billables",
        *("project", "entity", "currency", "cause", "work_date", "minutes", "amount_minor", "invoice"),
        where="invoice = ''",
    )
    _index("billables", "taken_at", "approval_days")
    _index("billables", "resource", "work_date")


def _problems_and_adjustments() -> None:
    op.create_table(
        "intake_problems",
        *_texts("key project owner"),
        _instant("found_at"),
        _instant("healed_at", nullable=True),
        _long("body"),
        sa.PrimaryKeyConstraint("key", name="pk_intake_problems"),
    )
    _partial("ix_intake_problems_unhealed", "intake_problems", "found_at", "key", where="healed_at IS NULL")
    op.create_table(
        "adjustments",
        *_texts("decision entry"),
        _long("asked"),
        _instant("at"),
        sa.PrimaryKeyConstraint("decision", "entry", name="pk_adjustments"),
    )


def _events_and_coverage() -> None:
    op.create_table(
        "billing_events",
        *_texts("key project"),
        _day("due_on"),
        sa.Column("void", sa.Boolean(), nullable=False),
        *_texts("invoice"),
        _long("body"),
        sa.PrimaryKeyConstraint("key", name="pk_billing_events"),
    )
    _index("billing_events", "project", "due_on", "key")
    op.create_table(
        "coverage",
        _number("sequence"),
        *_texts("invoice kind item"),
        _instant("covered_at"),
        _instant("released_at", nullable=True),
        sa.PrimaryKeyConstraint("sequence", name="pk_coverage"),
    )
    _partial("uq_coverage_live", "coverage", "kind", "item", where="released_at IS NULL", unique=True)
    _index("coverage", "invoice", "kind", "item")


def _invoices() -> None:
    op.create_table(
        "invoices",
        *_texts("id project customer stage credits"),
        _instant("updated_at"),
        _long("body"),
        sa.PrimaryKeyConstraint("id", name="pk_invoices"),
    )
    for column in ("project", "customer", "stage"):
        _index("invoices", column, "updated_at")
    _index("invoices", "credits")
    op.create_table(
        "invoice_movements",
        *_texts("invoice kind"),
        _number("line"),
        _amount("amount_minor"),
        sa.PrimaryKeyConstraint("invoice", "kind", "line", name="pk_invoice_movements"),
    )
