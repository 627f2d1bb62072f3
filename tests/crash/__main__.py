"""`python -m tests.crash [ROUNDS]`: rounds of kill -9 on SQLite, and on the Postgres that DATABASE_URL names."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from state import schema
from state.database import Database
from tests.crash.rounds import run_rounds


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    urls = [url for url in (os.environ.get("DATABASE_URL"),) if url]
    with tempfile.TemporaryDirectory() as folder:
        for url in [f"sqlite:///{folder}/crash.db", *urls]:
            begun = time.perf_counter()
            with Database(url) as database:
                schema.upgrade(database)
                work = Path(folder) / database.url.get_backend_name()
                work.mkdir()
                tally = run_rounds(database, work, rounds)
            print(
                f"{database.url.get_backend_name()}: {tally.rounds} rounds of two processes killed, "
                f"{tally.acknowledged} orders acknowledged, {tally.recorded} recorded, none lost, none twice; "
                f"{tally.records} records whole, books agree ({time.perf_counter() - begun:.0f} s)"
            )


if __name__ == "__main__":
    main()
