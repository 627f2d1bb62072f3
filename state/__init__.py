"""The ground floor: tables, transactions, migrations and queries, on SQLite and on Postgres.

Nothing here knows a venue, a chain or a screen. This file imports nothing, so that a command which
needs no database pays for none.
"""
