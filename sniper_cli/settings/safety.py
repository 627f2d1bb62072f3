"""How much each line of a dossier weighs; the ready-made levels stand in `safety/levels.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sniper_cli.settings.kinds import Table

Weighing = Annotated[str, Field(pattern="^((refuse|warn|ignore)(,(refuse|warn|ignore))?)?$")]
"""`refuse`, `warn` or `ignore`: for a failed line and one not proven alike; `refuse,warn` for each."""


class DossierPolicy(Table):
    """What one line of a dossier weighs, where it shall be otherwise than the level says; empty: as the level says.

    `"refuse"`, `"warn"` or `"ignore"`, or two of them: for a line that failed, and for one not proven.
    """

    seizes: Weighing = ""
    """The owner can take a holder's tokens."""
    blocks_sales: Weighing = ""
    """The owner can block sales: a pause, a list, a limit."""
    raises_tax: Weighing = ""
    """The owner can raise what a sale costs."""
    mints: Weighing = ""
    """The owner can make new tokens."""
    opens_sales: Weighing = ""
    """Sales go through only after the owner has acted."""
    takes_ownership: Weighing = ""
    """An ownership that was given up can be taken back."""
    hidden_powers: Weighing = ""
    """Somebody whom the token does not show has one of these powers."""
    powers_of_anybody: Weighing = ""
    """Everybody has one of these powers."""
    unknown_authority: Weighing = ""
    """A function that governs trading has a guard that nobody can read."""
    powers_tried: Weighing = ""
    """Whether powers could be tried at all, and in time."""
    upgradeable: Weighing = ""
    """Other code can be put behind the token."""
    hooks: Weighing = ""
    """A v4 pool's hooks can refuse swaps, take from them or set their fee."""
    liquidity_held: Weighing = ""
    """Liquidity that can be taken away today."""
    deployer_record: Weighing = ""
    """What became of the deployer's other launches."""
    impersonation: Weighing = ""
    """A name or symbol that passes for a well-known token's."""
    decimals: Weighing = ""
    """Decimals that no ordinary token has."""
    holders_sell: Weighing = ""
    """Whether those who hold it now can sell."""
    goplus: Weighing = ""
    """GoPlus's opinion, where it is asked."""
    honeypot_is: Weighing = ""
    """honeypot.is's opinion, where it is asked."""
