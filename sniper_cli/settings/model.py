"""Every setting Sniper has, with its default in code.

Precedence: flag > environment `SNIPER_…` > profile > `[default]` in the TOML file > the defaults here.
Amounts are Decimals of whole assets; shares are basis points. A misspelt key is an error, never ignored.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import Field, model_validator

from sniper_cli.settings.chains import ChainSettings
from sniper_cli.settings.endpoints import EndpointSettings
from sniper_cli.settings.exits import ExitSettings
from sniper_cli.settings.fees import FeeSettings
from sniper_cli.settings.kinds import Bps, Table, Words
from sniper_cli.settings.safety import DossierPolicy
from sniper_cli.settings.screens import ScreenSettings


class Mode(StrEnum):
    """What a profile trades with. Only `live` can lose money."""

    PAPER = "paper"
    DEVNET = "devnet"
    LIVE = "live"


class PaperSettings(Table):
    """How kind the paper market is, and what a new paper account begins with."""

    deposit: Decimal = Field(default=Decimal(100_000), ge=0)
    """USDT that a new account opens with."""
    margin: Decimal = Field(default=Decimal(0), ge=0, le=100)
    """Leverage of a new account: 0 trades with its own money and cannot be short, 3 holds three times its equity."""
    maker_bps: Bps = 2
    taker_bps: Bps = 10
    latency_ms: int = Field(default=0, ge=0, le=60_000)
    """From the order until the market sees it."""
    slippage_bps: Bps = 0
    """Every price that a taker gets is worse by so much."""
    impact_bps: Bps = 0
    """… and by so much more where it takes the whole visible side of the book, in proportion where it takes less."""


class SnipingSettings(Table):
    """What the launch sniper buys, and what it refuses."""

    amount: Decimal = Field(default=Decimal("0.1"), gt=0)
    """Coins per launch."""
    sizing: str = Field(default="fixed", pattern="^(fixed|risk)$")
    """`fixed` buys every launch for `amount`; `risk` for what its stop may lose of the equity, `amount` at most."""
    risk_pct: Decimal = Field(default=Decimal(1), gt=0, le=100)
    """Percent of the account's equity that one launch may lose at its stop-loss; without one, all of it is at risk."""
    wallets: Words = ()
    """Further wallets that buy and sell beside the profile's own, each with an account of its own."""
    spreading: str = Field(default="split", pattern="^(split|rotate)$")
    """`split` divides each launch's stake among all wallets, `rotate` lets one after the other buy a launch."""
    trial_amount: Decimal = Field(default=Decimal(0), ge=0)
    """Coins of `amount` that are bought first and really sold again; only then the rest is bought. 0: no trial."""
    max_open_positions: int = Field(default=20, ge=1)
    max_total_spend: Decimal = Field(default=Decimal(5), gt=0)
    """Coins standing in open positions together."""
    max_buy_tax_bps: Bps = 1000
    max_sell_tax_bps: Bps = 1000
    min_liquidity: Decimal = Field(default=Decimal(1), ge=0)
    """Coins in the pool."""
    max_share_of_pool_bps: Bps = 1000
    """Our purchase as a share of the pool's coins."""
    max_sell_gas: int = Field(default=2_000_000, ge=21_000)
    slippage_bps: Bps = 1500
    priority_fee_gwei: Decimal = Field(default=Decimal(2), ge=0)
    max_fee_gwei: Decimal = Field(default=Decimal(300), gt=0)
    """Never bid more per gas than this, whatever the base fee."""
    max_gas_per_trade: Decimal = Field(default=Decimal(0), ge=0)
    """Coins that a purchase's gas may cost at most; 0: no cap but that of the fee."""
    max_gas_per_day: Decimal = Field(default=Decimal(0), ge=0)
    """Coins for all gas of an account in a day (UTC), before another purchase is refused; 0: no cap."""
    same_block: str = Field(default="off", pattern="^(off|on)$")
    """`on`: a listing that waits in the mempool is judged as though it were mined, and bought right behind it."""
    recheck_blocks: int = Field(default=20, ge=0)
    """A token not open for trading, or a pool without liquidity, is judged again for so many blocks."""
    level: str = Field(default="standard", pattern="^(cautious|standard|daring)$")
    """How much the lines of a dossier weigh: `cautious`, `standard` or `daring` (`sniper snipe levels`)."""
    dossier_budget_ms: int = Field(default=50, ge=0, le=60_000)
    """How long a launch's dossier may take; what is not in by then is not proven."""
    opinions: Words = ()
    """Second opinions that are asked: `goplus`, `honeypot_is`. They never make a token safe."""
    policy: DossierPolicy = DossierPolicy()
    exits: ExitSettings = ExitSettings()

    @model_validator(mode="after")
    def _agree(self) -> SnipingSettings:
        parts = 1 + len(self.wallets) if self.spreading == "split" else 1
        if self.trial_amount and self.trial_amount >= self.amount / parts:
            of = (
                f"below {self.amount / parts:f}, one wallet's part of amount" if parts > 1 else "below amount"
            )
            raise ValueError(f"trial_amount must stay {of}: it is a part of it")
        return self


class PortfolioSettings(Table):
    """What a portfolio shall consist of, and how far it may stray before it is brought back."""

    targets: Words = ()
    """Weights in percent of the equity, `["BTC/USDT=50", "ETH/USDT=30"]`; the rest stays cash."""
    band_pct: Decimal = Field(default=Decimal(1), ge=0, le=50)
    """Percentage points that a weight may be away from its target without a trade."""


class SecretSettings(Table):
    """Where secrets come from, tried in this order."""

    stores: Words = ("environment", "file", "command", "keyring", "encrypted")
    directory: str = ""
    """One file a secret, mode 0600; systemd's $CREDENTIALS_DIRECTORY when empty."""
    command: str = ""
    """Prints the secret whose name replaces `{name}`: `pass show sniper/{name}`."""


class Settings(Table):
    """All settings of one profile."""

    mode: Mode = Mode.PAPER
    database_url: str = ""
    """Empty: `sniper.db` in the data folder."""
    durability: str = Field(default="auto", pattern="^(auto|normal|full)$")
    """SQLite: `normal` survives kill -9, `full` also a power cut; `auto` is full where the mode is live."""
    account: str = ""
    """The account orders go to when none is named; the profile's own when empty."""
    wallet: str = ""
    """The wallet that signs on a chain."""
    market_seed: int = 7
    """Which simulated market the paper venue shows."""
    paper: PaperSettings = PaperSettings()
    portfolio: PortfolioSettings = PortfolioSettings()
    chain: ChainSettings = ChainSettings()
    endpoints: EndpointSettings = EndpointSettings()
    sniping: SnipingSettings = SnipingSettings()
    fees: FeeSettings = FeeSettings()
    secrets: SecretSettings = SecretSettings()
    screens: ScreenSettings = ScreenSettings()

    @property
    def synchronous(self) -> str:
        """The durability in force: `normal` or `full`."""
        if self.durability != "auto":
            return self.durability
        return "full" if self.mode is Mode.LIVE else "normal"
