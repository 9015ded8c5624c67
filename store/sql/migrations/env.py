"""Alembic's entry: runs the revisions on the connection that `store.sql.migrate` hands over."""

from alembic import context

from store.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
