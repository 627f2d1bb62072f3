"""Second opinions over a loopback server that answers in the services' documented shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from sniper_cli.errors import ConfigurationError
from sniper_cli.safety.opinions import opinions_named, read_goplus, read_honeypot_is
from sniper_cli.safety.report import Outcome

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
    [ask] = opinions_named(["goplus"], {"goplus": service.url})
    line = await ask(1, TOKEN, POOL)
    assert service.asked == [f"/api/v1/token_security/1?contract_addresses={TOKEN}"]
    assert line.outcome is Outcome.PASS
    assert line.evidence[0].to == service.url + service.asked[0]


async def test_honeypot_is_is_asked_for_the_pool(service: Service) -> None:
    service.body = {
        "simulationSuccess": True,
        "honeypotResult": {"isHoneypot": True, "honeypotReason": "BLACKLISTED"},
        "summary": {"risk": "honeypot", "riskLevel": 100, "flags": []},
    }
    [ask] = opinions_named(["honeypot_is"], {"honeypot_is": service.url})
    line = await ask(8453, TOKEN, POOL)
    assert service.asked == [f"/v2/IsHoneypot?address={TOKEN}&pair={POOL}&chainID=8453"]
    assert (line.outcome, "BLACKLISTED" in line.detail) == (Outcome.FAIL, True)


async def test_a_service_that_fails_proves_nothing(service: Service) -> None:
    service.status = 503
    [ask] = opinions_named(["goplus"], {"goplus": service.url})
    assert (await ask(1, TOKEN, POOL)).outcome is Outcome.NOT_PROVEN


async def test_a_service_is_not_pressed(service: Service) -> None:
    service.body = goplus(CLEAN)
    [ask] = opinions_named(["goplus"], {"goplus": service.url})
    await ask(1, TOKEN, POOL)
    line = await ask(1, TOKEN, POOL)
    assert line.outcome is Outcome.NOT_PROVEN
    assert len(service.asked) == 1


@pytest.mark.parametrize("missing", ["is_honeypot", "cannot_buy", "buy_tax", "sell_tax"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_what_goplus_leaves_out_is_unknown(missing: str, how: str) -> None:
    fields = {name: value for name, value in CLEAN.items() if name != missing or how == "empty"}
    if how == "empty":
        fields[missing] = ""
    line = read_goplus(goplus(fields), TOKEN)
    assert line.outcome is Outcome.NOT_PROVEN
    assert missing in line.detail


@pytest.mark.parametrize("body", [{}, {"result": {}}, {"result": {TOKEN: {}}}, [], None, {"code": 4029}])
def test_an_empty_answer_of_goplus_proves_nothing(body: Any) -> None:
    assert read_goplus(body, TOKEN).outcome is Outcome.NOT_PROVEN


def test_an_alarm_of_goplus_fails_even_where_much_is_unknown() -> None:
    line = read_goplus(goplus({"hidden_owner": "1"}), TOKEN)
    assert (line.outcome, line.detail) == (Outcome.FAIL, "goplus: a hidden owner")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({}, Outcome.NOT_PROVEN),
        ({"simulationSuccess": False}, Outcome.NOT_PROVEN),
        ({"simulationSuccess": True, "honeypotResult": {"isHoneypot": False}}, Outcome.PASS),
        (
            {
                "simulationSuccess": True,
                "honeypotResult": {"isHoneypot": False},
                "summary": {"flags": [{"flag": "high_siphon_rate", "severity": "high"}]},
            },
            Outcome.FAIL,
        ),
    ],
)
def test_honeypot_iss_answers(body: Any, outcome: Outcome) -> None:
    assert read_honeypot_is(body, TOKEN).outcome is outcome


def test_an_unknown_opinion_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigurationError):
        opinions_named(["somebody"])
