"""Alembic's entry: runs on the connection and in the transaction that `state.schema` hands over."""

from alembic import context

from state.tables import metadata

connection = context.config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a column: Alembic builds the table anew instead.
    render_as_batch=connection.dialect.name == "sqlite",
    # Both databases roll DDL back; Alembic thinks otherwise of SQLite.
    transactional_ddl=True,
    compare_type=True,
    # Other programs' tables in a shared Postgres are none of our business.
    include_name=lambda name, kind, _parents: kind != "table" or name in metadata.tables,
)

with context.begin_transaction():
    context.run_migrations()
