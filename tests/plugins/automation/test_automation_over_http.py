"""The REST API and `mynah automation` on a hub that runs."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout

import aiohttp
import pytest

from mynah.cli.main import main
from mynah.testing import run_hub

CONFIG = {
    "automations": [
        {
            "alias": "Feeding time",
            "triggers": [
                {"trigger": "time", "at": "03:00"},
                {"trigger": "webhook", "webhook_id": "feeding_4711"},
            ],
            "conditions": [{"condition": "state", "entity_id": "input_boolean.open", "state": "on"}],
            "actions": [{"counter.increment": "counter.feedings"}],
        }
    ],
    "input_boolean": {"open": {}},
    "counter": {"feedings": {}},
}


@asynccontextmanager
async def house(folder):
    async with (
        run_hub(folder, config=CONFIG, installed=["automation", "http"]) as hub,
        aiohttp.ClientSession(f"{hub.addresses['http']}/api/v1/") as client,
    ):
        yield hub, client


async def mynah(hub, *arguments: str) -> tuple[int, str]:
    """Run the program in a thread, as the hub runs in this loop."""
    out = io.StringIO()

    def run() -> int:
        with redirect_stdout(out), redirect_stderr(out):
            return main([*arguments, "--url", hub.addresses["http"]])

    return await asyncio.to_thread(run), out.getvalue()


async def test_automations_are_listed_triggered_and_traced(tmp_path):
    async with house(tmp_path) as (hub, client):
        (listed,) = await (await client.get("automations")).json()
        assert (listed["entity_id"], listed["on"], listed["triggers"]) == (
            "automation.feeding_time",
            True,
            ["time", "webhook"],
        )
        started = await (await client.post("automations/feeding_time/trigger", json={})).json()
        assert started["started"]
        await asyncio.gather(*hub.parts["automation"].find("feeding_time").tasks)
        traces = await (await client.get("automations/feeding_time/traces")).json()
        assert [trace["outcome"] for trace in traces] == ["finished"]
        assert [(step["kind"], step["place"], step["name"]) for step in traces[0]["steps"]] == [
            ("action", "actions/0", "counter.increment")
        ]
        states = {state["entity_id"]: state["state"] for state in await (await client.get("states")).json()}
        assert states["counter.feedings"] == "1"


async def test_the_list_has_how_the_last_run_of_each_went(tmp_path):
    async with house(tmp_path) as (hub, client):
        (listed,) = await (await client.get("automations")).json()
        assert (listed["last_run"], listed["last_triggered"]) == (None, None)
        await client.post("automations/feeding_time/trigger", json={})
        await asyncio.gather(*hub.parts["automation"].find("feeding_time").tasks)
        await client.post("automations/feeding_time/trigger", json={"skip_condition": False})
        (listed,) = await (await client.get("automations")).json()
        first, second = reversed(await (await client.get("automations/feeding_time/traces")).json())
        assert listed["last_triggered"] == pytest.approx(first["began"], abs=0.001)
        assert listed["last_run"] == {name: second[name] for name in ("run", "began", "seconds", "outcome", "message")}
        assert (second["run"], second["outcome"], second["message"]) == (2, "refused", "a condition does not hold")
        assert [step["kind"] for step in second["steps"]] == ["condition"]


async def test_a_name_that_nothing_has_is_404_and_names_what_there_is(tmp_path):
    async with house(tmp_path) as (_, client):
        answer = await client.get("automations/feedng/traces")
        assert answer.status == 404
        assert "known are automation.feeding_time" in await answer.text()


async def test_a_webhook_fires_its_automation_and_its_conditions_count(tmp_path):
    async with house(tmp_path) as (hub, client):
        assert (await client.post("webhook/feeding_4711", json={"what": "hay"})).status == 204
        trace = hub.parts["automation"].find("feeding_time").traces[-1].describe(str)
        assert trace["outcome"] == "refused"
        assert trace["trigger"]["json"] == {"what": "hay"}
        assert trace["steps"][0]["result"] == {"holds": False, "state": "off"}
        hub.parts["automation"].house.set_state("input_boolean.open", "on")
        assert (await client.put("webhook/feeding_4711", data="not json")).status == 204
        await asyncio.gather(*hub.parts["automation"].find("feeding_time").tasks)
        assert hub.parts["automation"].house.state("counter.feedings").state == "1"


async def test_a_webhook_is_called_by_get_only_where_it_says_so(tmp_path):
    methods = {"trigger": "webhook", "webhook_id": "button_4711", "allowed_methods": ["GET"]}
    button = {"alias": "Button", "triggers": methods, "actions": []}
    config = {**CONFIG, "automations": [*CONFIG["automations"], button]}
    async with (
        run_hub(tmp_path, config=config, installed=["automation", "http"]) as hub,
        aiohttp.ClientSession(f"{hub.addresses['http']}/api/v1/") as client,
    ):
        calls = (("get", "feeding_4711"), ("get", "button_4711"), ("post", "button_4711"), ("put", "feeding_4711"))
        statuses = [(await client.request(method, f"webhook/{id}?who=Ada")).status for method, id in calls]
        assert statuses == [404, 204, 404, 204]
        (trace,) = hub.parts["automation"].find("button").traces
        assert (trace.trigger["method"], trace.trigger["query"]) == ("GET", {"who": "Ada"})


async def test_a_webhook_takes_a_form_and_json_that_says_to_be_one(tmp_path):
    async with house(tmp_path) as (hub, client):
        traces = hub.parts["automation"].find("feeding_time").traces
        assert (await client.post("webhook/feeding_4711", data={"what": "hay", "how much": "3 kg"})).status == 204
        assert traces[-1].trigger["data"] == {"what": "hay", "how much": "3 kg"}
        form = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl says of all that it sends
        assert (await client.post("webhook/feeding_4711", data='{"what": "hay"}', headers=form)).status == 204
        assert (traces[-1].trigger["json"], traces[-1].trigger["data"]) == ({"what": "hay"}, '{"what": "hay"}')
        assert (await client.post("webhook/feeding_4711", data="a=1&" * 2_000, headers=form)).status == 400


@pytest.mark.parametrize(("id", "size", "status"), [("feeding_0815", 1, 404), ("feeding_4711", 100_000, 413)])
async def test_a_webhook_that_nobody_waits_for_or_too_large_a_call_is_refused(tmp_path, id, size, status):
    async with house(tmp_path) as (_, client):
        assert (await client.post(f"webhook/{id}", data="x" * size)).status == status


async def test_viewers_are_told_what_ran_and_no_words(tmp_path):
    action = {"stop": "They said {{ trigger.json.what }}"}
    open_house = {
        **CONFIG,
        "input_text": {"said": {}},
        "http": {"host": "0.0.0.0", "mdns": False},
        "automations": [
            {
                **CONFIG["automations"][0],
                "conditions": [],
                "actions": [{"variables": {"said": "{{ trigger.json.what }}"}}, action],
            }
        ],
    }
    async with run_hub(tmp_path, config=open_house, installed=["automation", "http"]) as hub:
        url = f"http://127.0.0.1:{hub.addresses['http'].rsplit(':', 1)[1]}/api/v1/"

        async def told(role):
            token = {"Authorization": f"Bearer {hub.storage.issue_token(role, role)}"}
            async with aiohttp.ClientSession(url, headers=token) as client:
                return [
                    await (await client.get(path)).text()
                    for path in ("automations", "automations/feeding_time/traces", "states")
                ]

        live = hub.parts["automation"].find("feeding_time")
        task = live.run({"trigger": {"platform": "webhook", "id": "0", "json": {"what": "hippopotamus"}}})
        await task
        hub.parts["automation"].house.set_state("input_text.said", "hippopotamus")
        assert ["hippopotamus" in text for text in await told("admin")] == [True, True, True]
        listed, traced, states = await told("viewer")
        assert "hippopotamus" not in listed + traced + states
        assert {each["entity_id"]: each["state"] for each in json.loads(states)}["input_text.said"] == "…"
        (trace,) = json.loads(traced)
        assert (trace["trigger"], trace["variables"]) == ({"platform": "webhook", "id": "0"}, {})
        assert [step["kind"] for step in trace["steps"]] == ["action", "action"]


async def test_the_program_lists_triggers_and_traces(tmp_path):
    async with house(tmp_path) as (hub, _):
        code, told = await mynah(hub, "automation", "list")
        assert code == 0
        assert "automation.feeding_time  on      single    last: never  Feeding time" in told
        assert await mynah(hub, "automation", "trigger", "feeding_time") == (0, "run 1 began\n")
        code, told = await mynah(hub, "automation", "trigger", "feeding_time", "--condition")
        assert (code, told) == (1, "it did not run: a condition does not hold\n")
        code, told = await mynah(hub, "automation", "trace", "feeding_time")
        first, *_, last = told.splitlines()
        assert ": refused after " in first
        assert first.endswith(": a condition does not hold")
        assert last.endswith("actions/0: counter.increment")
        _, told = await mynah(hub, "automation", "trace", "feeding_time", "--number", "1", "--json")
        assert [trace["run"] for trace in json.loads(told)] == [1]


async def test_the_program_says_what_is_missing_and_what_is_unknown(tmp_path):
    async with house(tmp_path) as (hub, _):
        assert await mynah(hub, "automation", "trace") == (1, "mynah: say which one: mynah automation trace NAME\n")
        code, told = await mynah(hub, "automation", "trace", "nothing")
        assert code == 1
        assert "there is no automation or script 'nothing'" in told


async def test_reload_takes_over_and_tells_of_mistakes_with_their_lines(tmp_path):
    async with house(tmp_path) as (hub, client):
        file = tmp_path / "config.yaml"
        fresh = {**json.loads(file.read_text()), "counter": {"feedings": {}, "visitors": {}}}
        file.write_text(json.dumps(fresh))
        assert await mynah(hub, "reload") == (0, "taken over: counter\n")
        assert await mynah(hub, "reload") == (0, "nothing differs\n")
        file.write_text("automations:\n  - alias: X\n    actions: [{nope: 1}]\n")
        code, told = await mynah(hub, "reload")
        assert code == 1
        assert "config.yaml:3: automations → 0 → actions → 0: no action named 'nope'" in told
        assert (await client.post("reload", json={})).status == 400
