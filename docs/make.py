"""Writes everything in docs/ that the program says about itself: `python -m docs.make`.

A list of steps, each a function that takes the folder to write to. `--check` writes nothing and fails if the
reference is not what the command tree says today.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).parent

Step = Callable[[Path], None]


def reference(docs: Path) -> None:
    """One page a group, the exit codes and settings, and the man page."""
    from docs.reference_pages import pages

    folder = docs / "reference"
    folder.mkdir(exist_ok=True)
    written = pages()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    for stale in {path.name for path in folder.iterdir()} - set(written):
        (folder / stale).unlink()


def pictures(_: Path) -> None:
    """The pictures of the README and the guides, drawn by the program."""
    if find_spec("docs.pictures") is not None:
        import_module("docs.pictures").make_pictures()


STEPS: tuple[Step, ...] = (reference, pictures)


def differences(docs: Path = DOCS) -> list[str]:
    """Pages of the reference that are not what the command tree says."""
    from docs.reference_pages import pages

    folder = docs / "reference"
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.*")}
    return sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        changed = differences()
        if changed:
            print(f"docs/reference differs: {', '.join(changed)}; run python -m docs.make", file=sys.stderr)
        return int(bool(changed))
    for step in STEPS:
        print(step.__name__, file=sys.stderr)
        step(DOCS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
