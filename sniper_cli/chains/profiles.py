"""Chains that Sniper knows, and where exchanges stand on them.

Every address was compared with what its project publishes: Uniswap's with the SDK's `addresses.ts` and the deployment
pages of its docs, PancakeSwap's with its developer docs, the others' with several independent users of them
(docs/guides/seeing.md names the sources). They stand in EIP-55 spelling, whose checksum a test recomputes.

Left out on purpose: what looks like Uniswap and is not. Aerodrome's, Velodrome's and QuickSwap V3's factories tell of a
pool in another event, Camelot's router asks for a referrer, PancakeSwap V3's pools tell of a swap in another event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from sniper_cli.chains.abi import UNISWAP_V2_INIT_CODE_HASH
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol

PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
"""Uniswap's Permit2, at the same place on every chain."""
UNISWAP_V3_INIT_CODE_HASH = "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
SUSHISWAP_INIT_CODE_HASH = "0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303"
PANCAKESWAP_INIT_CODE_HASH = "0x57224589c67f3f30a6b0d7a1b54cf3153ab84563bc609ef41dfb34f8b2974d2d"
"""On every chain but its first."""
PANCAKESWAP_BSC_INIT_CODE_HASH = "0x00fb7f630766e6a796048ea87d01acd3068e8ff67d078148a3fa3f4a84f69bd5"
PANCAKESWAP_FEE = 2500
"""A quarter of a percent, where Uniswap V2 takes 0.3."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """An exchange on a chain, in EIP-55 spelling; the fields are those of `Exchange`."""

    protocol: Protocol
    name: str
    factory: str
    router: str
    position_manager: str = ""
    init_code_hash: str = ""
    fee: int = 3000

    def exchange(self, chain: ChainProfile) -> Exchange:
        """As the rest of the program knows it: in lower case, with the chain's coin."""
        return Exchange(
            chain_id=chain.chain_id,
            wrapped=chain.wrapped.lower(),
            factory=self.factory.lower(),
            router=self.router.lower(),
            coin=chain.coin,
            init_code_hash=self.init_code_hash,
            protocol=self.protocol,
            name=self.name,
            fee=self.fee,
            position_manager=self.position_manager.lower(),
            permit2=PERMIT2.lower() if self.protocol is Protocol.V4 else "",
        )


@dataclass(frozen=True, slots=True)
class ChainProfile:
    """A chain: its coin, its pace, its rules of fees, its exchanges."""

    name: str
    chain_id: int
    coin: str
    wrapped: str
    block_seconds: Decimal
    deployments: tuple[Deployment, ...]
    l1_fee: bool = False
    """Whether a transaction also pays for its place on the chain below, beyond its own gas."""
    minimum_tip_gwei: Decimal = Decimal(0)
    """What the chain's nodes refuse to pass on less than."""
    finality: str = ""
    """When a block can no longer go."""

    @property
    def exchanges(self) -> Exchanges:
        return Exchanges(tuple(each.exchange(self) for each in self.deployments))


def _v2(
    name: str, factory: str, router: str, code: str = UNISWAP_V2_INIT_CODE_HASH, fee: int = 3000
) -> Deployment:
    return Deployment(Protocol.V2, name, factory, router, init_code_hash=code, fee=fee)


def _sushi(factory: str, router: str) -> Deployment:
    return _v2("sushiswap", factory, router, SUSHISWAP_INIT_CODE_HASH)


def _pancake(factory: str, router: str, code: str = PANCAKESWAP_INIT_CODE_HASH) -> Deployment:
    return _v2("pancakeswap", factory, router, code, PANCAKESWAP_FEE)


def _v3(factory: str, router: str, position_manager: str) -> Deployment:
    return Deployment(Protocol.V3, "uniswap", factory, router, position_manager, UNISWAP_V3_INIT_CODE_HASH)


def _v4(pool_manager: str, universal_router: str, position_manager: str) -> Deployment:
    return Deployment(Protocol.V4, "uniswap", pool_manager, universal_router, position_manager)


KNOWN: tuple[ChainProfile, ...] = (
    ChainProfile(
        "ethereum",
        1,
        "ETH",
        "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        Decimal(12),
        (
            _v2(
                "uniswap",
                "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f",
                "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D",
            ),
            _v3(
                "0x1F98431c8aD98523631AE4a59f267346ea31F984",
                "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
                "0xC36442b4a4522E871399CD717aBDD847Ab11FE88",
            ),
            _v4(
                "0x000000000004444c5dc75cB358380D2e3dE08A90",
                "0x66a9893cC07D91D95644AEDD05D03f95e1dBA8Af",
                "0xbD216513d74C8cf14cf4747E6AaA6420FF64ee9e",
            ),
            _sushi(
                "0xC0AEe478e3658e2610c5F7A4A2E1777cE9e4f2Ac", "0xd9e1cE17f2641f24aE83637ab66a2cca9C378B9F"
            ),
            _pancake(
                "0x1097053Fd2ea711dad45caCcc45EfF7548fCB362", "0xEfF92A263d31888d860bD50809A8D171709b7b1c"
            ),
        ),
        finality="two epochs, 64 blocks",
    ),
    ChainProfile(
        "base",
        8453,
        "ETH",
        "0x4200000000000000000000000000000000000006",
        Decimal(2),
        (
            _v2(
                "uniswap",
                "0x8909Dc15e40173Ff4699343b6eB8132c65e18eC6",
                "0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24",
            ),
            _v3(
                "0x33128a8fC17869897dcE68Ed026d694621f6FDfD",
                "0x2626664c2603336E57B271c5C0b26F421741e481",
                "0x03a520b32C04BF3bEEf7BEb72E919cf822Ed34f1",
            ),
            _v4(
                "0x498581fF718922c3f8e6A244956aF099B2652b2b",
                "0x6fF5693b99212Da76ad316178A184AB56D299b43",
                "0x7C5f5A4bBd8fD63184577525326123B519429bDc",
            ),
            _sushi(
                "0x71524B4f93c58fcbF659783284E38825f0622859", "0x6BDED42c6DA8FBf0d2bA55B2fa120C5e0c8D7891"
            ),
            _pancake(
                "0x02a84c1b3BBD7401a5f7fa98a384EBC70bB5749E", "0x8cFe327CEc66d1C090Dd72bd0FF11d690C33a2Eb"
            ),
        ),
        l1_fee=True,
        finality="with the L1 block of its batch",
    ),
    ChainProfile(
        "arbitrum",
        42161,
        "ETH",
        "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1",
        Decimal("0.25"),
        (
            _v2(
                "uniswap",
                "0xf1D7CC64Fb4452F05c498126312eBE29f30Fbcf9",
                "0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24",
            ),
            _v3(
                "0x1F98431c8aD98523631AE4a59f267346ea31F984",
                "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
                "0xC36442b4a4522E871399CD717aBDD847Ab11FE88",
            ),
            _v4(
                "0x360E68faCcca8cA495c1B759Fd9EEe466db9FB32",
                "0xA51afAFe0263b40EdaEf0Df8781eA9aa03E381a3",
                "0xd88F38F930b7952f2DB2432Cb002E7abbF3dD869",
            ),
            _sushi(
                "0xc35DADB65012eC5796536bD9864eD8773aBc74C4", "0x1b02dA8Cb0d097eB8D57A175b88c7D8b47997506"
            ),
            _pancake(
                "0x02a84c1b3BBD7401a5f7fa98a384EBC70bB5749E", "0x8cFe327CEc66d1C090Dd72bd0FF11d690C33a2Eb"
            ),
        ),
        l1_fee=True,
        finality="with the L1 block of its batch",
    ),
    ChainProfile(
        "optimism",
        10,
        "ETH",
        "0x4200000000000000000000000000000000000006",
        Decimal(2),
        (
            _v2(
                "uniswap",
                "0x0c3c1c532F1e39EdF36BE9Fe0bE1410313E074Bf",
                "0x4A7b5Da61326A6379179b40d00F57E5bbDC962c2",
            ),
            _v3(
                "0x1F98431c8aD98523631AE4a59f267346ea31F984",
                "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
                "0xC36442b4a4522E871399CD717aBDD847Ab11FE88",
            ),
            _v4(
                "0x9a13F98Cb987694C9F086b1F5eB990EeA8264Ec3",
                "0x851116D9223fabED8E56C0E6b8Ad0c31d98B3507",
                "0x3C3Ea4B57a46241e54610e5f022E5c45859A1017",
            ),
        ),
        l1_fee=True,
        finality="with the L1 block of its batch",
    ),
    ChainProfile(
        "bsc",
        56,
        "BNB",
        "0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c",
        Decimal("0.75"),
        (
            _pancake(
                "0xcA143Ce32Fe78f1f7019d7d551a6402fC5350c73",
                "0x10ED43C718714eb63d5aA57B78B54704E256024E",
                PANCAKESWAP_BSC_INIT_CODE_HASH,
            ),
            _v2(
                "uniswap",
                "0x8909Dc15e40173Ff4699343b6eB8132c65e18eC6",
                "0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24",
            ),
            _v3(
                "0xdB1d10011AD0Ff90774D0C6Bb92e5C5c8b4461F7",
                "0xB971eF87ede563556b2ED4b1C0b0019111Dd85d2",
                "0x7b8A01B39D58278b5DE7e48c8449c9f4F5170613",
            ),
            _v4(
                "0x28e2Ea090877bF75740558f6BFB36A5ffeE9e9dF",
                "0x1906c1d672b88cD1B9aC7593301cA990F94Eae07",
                "0x7A4a5c919aE2541AeD11041A1AEeE68f1287f95b",
            ),
        ),
        finality="fast finality, two blocks",
    ),
    ChainProfile(
        "polygon",
        137,
        "POL",
        "0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270",
        Decimal(2),
        (
            _v2(
                "quickswap",
                "0x5757371414417b8C6CAad45bAeF941aBc7d3Ab32",
                "0xa5E0829CaCEd8fFDD4De3c43696c57F7D7A678ff",
            ),
            _v2(
                "uniswap",
                "0x9e5A52f57b3038F1B8EeE45F28b3C1967e22799C",
                "0xedf6066a2b290C185783862C7F4776A2C8077AD1",
            ),
            _v3(
                "0x1F98431c8aD98523631AE4a59f267346ea31F984",
                "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
                "0xC36442b4a4522E871399CD717aBDD847Ab11FE88",
            ),
            _v4(
                "0x67366782805870060151383F4BbFF9daB53e5cD6",
                "0x1095692A6237d83C6a72F3F5eFEdb9A670C49223",
                "0x1Ec2eBf4F37E7363FDfe3551602425af0B3ceef9",
            ),
            _sushi(
                "0xc35DADB65012eC5796536bD9864eD8773aBc74C4", "0x1b02dA8Cb0d097eB8D57A175b88c7D8b47997506"
            ),
        ),
        minimum_tip_gwei=Decimal(25),
        finality="milestones, seconds later",
    ),
)

PROFILES: Mapping[str, ChainProfile] = MappingProxyType({each.name: each for each in KNOWN})
"""By name."""
