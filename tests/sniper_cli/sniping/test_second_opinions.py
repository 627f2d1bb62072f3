"""Second opinions over a loopback server that answers in the services' documented shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sniper_cli.errors import ConfigurationError
from sniper_cli.safety.report import Outcome
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import home_paths
from sniper_cli.sniping.second_opinions import URLS, SecondOpinions, second_opinions
from state.database import Database
from state.endpoints import Endpoint, EndpointKind

TOKEN = "0x" + "ab" * 20
POOL = "0x" + "cd" * 20
CLEAN = {"is_honeypot": "0", "cannot_buy": "0", "buy_tax": "0", "sell_tax": "0.02", "is_open_source": "1"}


class Service:
    """Answers every question with `body` and `status`."""

    def __init__(self) -> None:
        self.body: Any = {}
        self.status = 200
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        return web.json_response(self.body, status=self.status)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    served = Service()
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    served.url = f"http://127.0.0.1:{port}"
    yield served
    await runner.cleanup()


def goplus(fields: dict[str, str]) -> dict[str, Any]:
    return {"code": 1, "message": "OK", "result": {TOKEN: fields}}


async def test_goplus_is_asked_by_chain_and_token(service: Service) -> None:
    service.body = goplus(CLEAN)
    async with SecondOpinions({"goplus": [service.url]}) as opinions:
        [ask] = opinions.asked
        line = await ask(1, TOKEN, POOL)
    assert service.asked == [f"/api/v1/token_security/1?contract_addresses={TOKEN}"]
    assert line.outcome is Outcome.PASS
    assert line.evidence[0].to == URLS["goplus"] + service.asked[0]


async def test_honeypot_is_is_asked_for_the_pool(service: Service) -> None:
    service.body = {
        "simulationSuccess": True,
        "honeypotResult": {"isHoneypot": True, "honeypotReason": "BLACKLISTED"},
        "summary": {"risk": "honeypot", "riskLevel": 100, "flags": []},
    }
    async with SecondOpinions({"honeypot_is": [service.url]}) as opinions:
        [ask] = opinions.asked
        line = await ask(8453, TOKEN, POOL)
    assert service.asked == [f"/v2/IsHoneypot?address={TOKEN}&pair={POOL}&chainID=8453"]
    assert (line.outcome, "BLACKLISTED" in line.detail) == (Outcome.FAIL, True)


@pytest.mark.parametrize("status", [404, 503])
async def test_a_service_that_fails_proves_nothing(service: Service, status: int) -> None:
    service.status = status
    async with SecondOpinions({"goplus": [service.url]}) as opinions:
        [ask] = opinions.asked
        assert (await ask(1, TOKEN, POOL)).outcome is Outcome.NOT_PROVEN


async def test_where_one_host_is_dead_the_other_is_asked(service: Service) -> None:
    service.body = goplus(CLEAN)
    async with SecondOpinions({"goplus": ["http://127.0.0.1:9", service.url]}) as opinions:
        [ask] = opinions.asked
        lines = [await ask(1, TOKEN, POOL) for _ in range(2)]
    assert Outcome.PASS in {line.outcome for line in lines}


async def test_a_service_is_not_pressed(service: Service) -> None:
    service.body = goplus(CLEAN)
    async with SecondOpinions({"goplus": [service.url]}) as opinions:
        [ask] = opinions.asked
        await ask(1, TOKEN, POOL)
        line = await ask(1, TOKEN, POOL)
    assert line.outcome is Outcome.NOT_PROVEN
    assert len(service.asked) == 1


def resolved(*names: str) -> Resolved:
    return Resolved("mainnet", Settings.model_validate({"sniping": {"opinions": names}}), {})


async def test_the_desk_s_hosts_of_a_service_are_asked_too(home: Path, sqlite_database: Database) -> None:
    del home
    with sqlite_database.write() as session:
        for name, venue, enabled in (
            ("mirror", "goplus", True),
            ("other", "ccxt", True),
            ("off", "goplus", False),
        ):
            url = f"http://{name}.example"
            session.add(Endpoint(name=name, kind=EndpointKind.REST, url=url, venue=venue, enabled=enabled))
    async with second_opinions(resolved("goplus"), home_paths(), sqlite_database) as opinions:
        hosts = [member.shown for member in opinions._services[0].pool.pool.members]

    assert hosts == [URLS["goplus"], "http://mirror.example"]


def test_off_unless_named(home: Path, sqlite_database: Database) -> None:
    del home
    assert second_opinions(resolved(), home_paths(), sqlite_database).asked == []


def test_an_unknown_opinion_is_a_mistake_in_the_settings(home: Path) -> None:
    del home
    with pytest.raises(ConfigurationError):
        second_opinions(resolved("somebody"), home_paths(), None)
