"""What the devnet is made of: npm packages at pinned versions, with the digests their tarballs must have.

The digests are npm's own `integrity` strings (SHA-512, base64) as published; install.py holds every tarball
against them before it opens it, whatever npm itself has checked. Only platforms whose digest has been
verified stand here; on others Sniper runs the anvil that SNIPER_ANVIL names.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from sniper_cli.errors import DevnetMissing

ANVIL_VERSION = "1.7.1"


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """One package, its digest, and which of its files are needed (all others stay in the tarball)."""

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]
    executable: bool = False

    @property
    def spec(self) -> str:
        """As npm wants it: name@version."""
        return f"{self.name}@{self.version}"

    @property
    def folder(self) -> str:
        """The folder it is installed in; the version is in the name, so that a newer one never mixes with it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}"


ANVIL_LINUX_AMD64 = NpmPackage(
    "@foundry-rs/anvil-linux-amd64",
    ANVIL_VERSION,
    "sha512-+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg==",
    ("bin/anvil",),
    executable=True,
)
V2_CORE = NpmPackage(
    "@uniswap/v2-core",
    "1.0.1",
    "sha512-MtybtkUPSyysqLY2U210NBDeCHX+ltHt3oADGdjqoThZaFRDKwM6k1Nb3F0A3hk5hwuQvytFWhrWHOEq6nVJ8Q==",
    ("build/UniswapV2Factory.json", "build/UniswapV2Pair.json"),
)
V2_PERIPHERY = NpmPackage(
    "@uniswap/v2-periphery",
    "1.1.0-beta.0",
    "sha512-6dkwAMKza8nzqYiXEr2D86dgW3TTavUvCR0w2Tu33bAbM8Ah43LKAzH7oKKPRT5VJQaMi1jtkGs1E8JPor1n5g==",
    ("build/WETH9.json", "build/UniswapV2Router02.json"),
)
V3_CORE = NpmPackage(
    "@uniswap/v3-core",
    "1.0.1",
    "sha512-7pVk4hEm00j9tc71Y9+ssYpO6ytkeI0y7WE9P6UcmNzhxPePwyAxImuhVsTqWK9YFvzgtvzJHi64pBl4jUzKMQ==",
    ("artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",),
)
V3_PERIPHERY = NpmPackage(
    "@uniswap/v3-periphery",
    "1.4.4",
    "sha512-S4+m+wh8HbWSO3DKk4LwUCPZJTpCugIsHrWR86m/OrUyvSqGDTXKFfc2sMuGXCZrD1ZqO3rhQsKgdWg3Hbb2Kw==",
    ("artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",),
)
SWAP_ROUTERS = NpmPackage(
    "@uniswap/swap-router-contracts",
    "1.3.1",
    "sha512-mh/YNbwKb7Mut96VuEtL+Z5bRe0xVIbjjiryn+iMMrK2sFKhR4duk/86mEz0UO5gSx4pQIw9G5276P5heY/7Rg==",
    ("artifacts/contracts/SwapRouter02.sol/SwapRouter02.json",),
)
V4_PERIPHERY = NpmPackage(
    "@uniswap/v4-periphery",
    "1.0.3",
    "sha512-JxLL0Djv9XcMvI2PatEnWrCrxuEaYNVhHxstndBOP+aJfh1XLg5ec8SDZ0xyoVfg2ElJTvuKpBgnu90bNValsg==",
    (
        "foundry-out/PoolManager.sol/PoolManager.default.json",
        "foundry-out/PositionManager.sol/PositionManager.json",
        "lib/permit2/test/utils/DeployPermit2.sol",
    ),
)
"""33 MB, of which 0.5 are kept: the only package with PoolManager and PositionManager as they were compiled for the
chains (universal-router carries them too, compiled otherwise), and with Permit2's code at all."""
UNIVERSAL_ROUTER = NpmPackage(
    "@uniswap/universal-router",
    "2.1.0",
    "sha512-rt18RUsZd9xDfyVfIONJo+TEQ8w+olOYxu9+A1g4Thil1R7IMa+8mnyVQjdLPK2REhejScDwjYbOGpeaAce0hg==",
    ("artifacts/contracts/UniversalRouter.sol/UniversalRouter.json",),
)
CONTRACTS = (V2_CORE, V2_PERIPHERY, V3_CORE, V3_PERIPHERY, SWAP_ROUTERS, V4_PERIPHERY, UNIVERSAL_ROUTER)

_ANVIL = {("linux", "x86_64"): ANVIL_LINUX_AMD64, ("linux", "amd64"): ANVIL_LINUX_AMD64}


def anvil_package() -> NpmPackage:
    """The anvil for this machine. Raises DevnetMissing on a platform without a pinned one."""
    machine = (sys.platform, platform.machine().lower())
    if machine not in _ANVIL:
        raise DevnetMissing(
            f"no anvil is pinned for {machine[0]} on {machine[1]}",
            hint="install Foundry, then: export SNIPER_ANVIL=anvil",
        )
    return _ANVIL[machine]
