"""The configuration file as `sniper init` writes it: every setting, commented out, with its default and its words."""

from __future__ import annotations

import json
from typing import Any

from sniper_cli.output.formats import plain
from sniper_cli.settings.keys import descriptions, known_keys

HEAD = """\
# Sniper's settings. A flag beats the environment (SNIPER_SNIPING__AMOUNT=0.05), that beats a profile, that
# beats [default], and that beats the defaults shown here. `sniper config validate` checks this file.

# The profile in force when no -p and no SNIPER_PROFILE names one.
# active = "paper"
"""

PROFILES = """
# A profile of your own. `sniper profile create NAME` writes one; paper and devnet are built in.
#
# [profile.mainnet]
# mode = "live"
# [profile.mainnet.chain]
# chain_id = 1
# rpc_url = "https://your-node.example"
"""


def commented_config() -> str:
    """The whole file: nothing in it is in force until its # is taken away."""
    words = descriptions()
    lines = [HEAD, "[default]"]
    table = ""
    for key, field in known_keys().items():
        parent, _, leaf = key.rpartition(".")
        if parent != table:
            table = parent
            lines += ["", *_comment(words.get(parent, "")), f"# [default.{parent}]"]
        lines += [
            *_comment(words.get(key, "")),
            f"# {leaf} = {_toml(field.get_default(call_default_factory=True))}",
        ]
    return "\n".join(lines) + "\n" + PROFILES


def _comment(text: str) -> list[str]:
    from textwrap import wrap

    return [f"# {line}" for line in wrap(text, 108)]


def _toml(value: Any) -> str:
    spelled = plain(value)
    return '"0x…"' if spelled is None else json.dumps(spelled, ensure_ascii=False)
