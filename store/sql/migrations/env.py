"""Alembic's entry: runs the revisions on the connection that `store.sql.migrate` hands over."""

from alembic import context

from store.sql.billing_tables import ContractRecord

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=ContractRecord.metadata,  # of all tables: these build on `store.sql.tables`
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
