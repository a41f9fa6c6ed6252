"""Every example of docs/automations.md is loaded and runs, in virtual time, and does what the page says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import astral.sun  # noqa: F401  # imported here, as virtual time does not wait for the thread that would
import hassil  # noqa: F401
import icalendar  # noqa: F401
import pytest
import recurring_ical_events  # noqa: F401
from paho.mqtt.client import topic_matches_sub

from mynah import ComponentSpec, Happened, OutletOptions, SessionOptions, TurnFinished, read_yaml
from mynah.conversation import sessions
from mynah.engines import speech_cache
from mynah.testing import run_hub, run_in_virtual_time, scripted_engines
from mynah_automation import entities, kept
from mynah_automation.actions import ACTIONS
from mynah_automation.automations import MODES
from mynah_automation.conditions import CONDITIONS
from mynah_automation.triggers import TRIGGERS

PAGE = (Path(__file__).parents[2] / "docs" / "automations.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```yaml\n# example: (.+?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
FILES = dict(re.findall(r"^```yaml\n# file: (.+?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//zoo//feedings//EN
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/Berlin:20260601T113000
DTEND;TZID=Europe/Berlin:20260601T120000
RRULE:FREQ=DAILY
SUMMARY:Lions
END:VEVENT
END:VCALENDAR
"""
START = datetime(2026, 6, 1, 8, 0, tzinfo=ZoneInfo("Europe/Berlin"))
"""A Monday."""

TOLD = ("told", "house_awake", "house_awake_too", "timer.started", "timer.paused", "timer.cancelled", "timer.finished",
        "timer.restarted")  # fmt: skip


class LocalMessages:
    """What the mqtt plugin offers, without a broker."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str, bool]] = []
        self._followers: list[tuple[str, Callable[[str, str], None]]] = []

    def publish(self, topic: str, payload: str, *, qos: int = 0, retain: bool = False) -> None:
        self.published.append((topic, payload, retain))

    def follow(self, topic: str, receive: Callable[[str, str], None]) -> Callable[[], None]:
        self._followers.append((topic, receive))
        return lambda: self._followers.remove((topic, receive))

    def receive(self, topic: str, payload: str) -> None:
        for wanted, receive in self._followers:
            if topic_matches_sub(wanted, topic):
                receive(topic, payload)


@dataclass
class House:
    """A hub on an example: what was heard where, and which events automations sent."""

    hub: Any
    messages: LocalMessages
    heard: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    sessions: dict[str, Any] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)

    @property
    def part(self):
        return self.hub.parts["automation"]

    def state(self, entity_id: str) -> str:
        return self.part.house.state(entity_id).state

    def set(self, entity_id: str, state: str) -> None:
        self.part.house.set_state(entity_id, state)

    async def fire(self, event: str, **data: Any) -> None:
        self.hub.bus.publish(Happened(name=event, data=data))
        await self.sleep(0.5)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, clock: str) -> None:
        """Sleep until it is that time of day, today or tomorrow."""
        now = self.part.house.now()
        hour, minute = (int(part) for part in clock.split(":"))
        seconds = (hour - now.hour) * 3600 + (minute - now.minute) * 60 - now.second
        await asyncio.sleep(seconds if seconds >= 0 else seconds + 86_400)

    async def listen(self, speaker: str) -> None:
        async with aclosing(self.sessions[speaker].outputs(OutletOptions(buffer_ms=1000))) as outputs:
            async for output in outputs:
                if isinstance(output, TurnFinished) and output.reply:
                    self.heard.append(output.reply)

    async def follow(self, ready: asyncio.Event) -> None:
        with self.hub.bus.subscribe(Happened, name="test") as events:
            ready.set()
            async for event in events:
                if event.name in TOLD:
                    self.told.append(str(event.data.get("text", event.data.get("n", event.name))))


def play(folder: Path, name: str, scenario: Any, start: datetime = START) -> House:
    """Run an example from the beginning of a Monday morning."""
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "feedings.ics").write_text(CALENDAR, encoding="utf-8")
    (folder / "example.yaml").write_text(EXAMPLES[name], encoding="utf-8")
    config = read_yaml(folder / "example.yaml").data
    config.setdefault("automation", {})["time_zone"] = "Europe/Berlin"
    config["sessions"] = {"idle_timeout": 604_800, "max_age": 2_000_000}
    config["speakers"] = {id: {"area": "savanna"} for id in ("lion_house", "giraffe_deck")}
    messages = LocalMessages()

    async def broker(hub, config, ready):
        hub.parts["mqtt"] = messages
        ready()
        await asyncio.Event().wait()

    async def main() -> House:
        mqtt = ComponentSpec(name="mqtt", run=broker, schema={"base": str})
        config["mqtt"] = {"base": "mynah"}
        started: list[str] = []
        async with run_hub(folder, specs=[mqtt, *scripted_engines()], config=config, installed=["automation"]) as hub:
            house = House(hub, messages, told=started)
            ready = asyncio.Event()
            tasks = [asyncio.create_task(house.follow(ready))]
            await ready.wait()
            for id in ("lion_house", "giraffe_deck"):
                house.sessions[id] = hub.open_session(SessionOptions(speaker=id, persona="sparrow"))
                tasks.append(asyncio.create_task(house.listen(id)))
            await asyncio.sleep(1)
            await scenario(house)
            await asyncio.sleep(1)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            return house

    return run_in_virtual_time(main(), wall=start.timestamp())


SCENARIOS: dict[str, Any] = {}


def example(name: str) -> Any:
    def keep(scenario: Any) -> Any:
        SCENARIOS[name] = scenario
        return scenario

    return keep


@example("first")
async def _(house):
    await house.sleep(7 * 86_400)  # a week: it is Saturday and Sunday once
    assert house.heard == ["In five minutes we feed the lions."] * 2


@example("trigger variables")
async def _(house):
    await house.fire("north_opened", people=3)
    await house.fire("north_opened", people=10)
    assert house.heard == ["A crowd at the north gate."]


@example("trigger event")
async def _(house):
    await house.fire("gate_opened", gate="south")
    await house.fire("GateOpened", gate="north")
    assert house.heard == ["Welcome at the north gate."]


@example("trigger state")
async def _(house):
    house.set("input_boolean.night", "on")
    await house.sleep(300)
    house.set("input_boolean.night", "off")
    await house.sleep(600)
    assert house.heard == []
    house.set("input_boolean.night", "on")
    await house.sleep(601)
    assert house.heard == ["Good night."]


@example("trigger numeric_state")
async def _(house):
    for count in ("2", "3", "4", "2", "5"):
        house.set("counter.visitors", count)
        await house.sleep(5)
    assert house.heard == ["The house is full."] * 2


@example("trigger time")
async def _(house):
    await house.sleep(7 * 86_400)
    assert house.heard == ["It is 09:00.", "It is 13:30."] * 2


@example("trigger time told")
async def _(house):
    await house.until("08:55")
    assert house.heard == ["Good morning."]  # at 08:50, ten minutes before what the text says
    house.set("input_text.opening", "10:00")
    house.set("sensor.phone_next_alarm", "2026-06-01T09:30:00+02:00")
    await house.until("11:00")
    assert house.heard == ["Good morning."] * 3


@example("trigger time_pattern")
async def _(house):
    await house.sleep(86_400)
    assert house.heard == ["12 o'clock", "18 o'clock", "0 o'clock", "6 o'clock"]


@example("trigger sun")
async def _(house):
    await house.until("20:45")  # the sun sets at 21:20 there
    assert house.heard == []
    await house.until("20:55")
    assert house.heard == ["The zoo closes soon."]


@example("trigger mqtt")
async def _(house):
    house.messages.receive("zoo/pond/water", '{"level": 30}')
    house.messages.receive("zoo/pond/water", "not json")
    house.messages.receive("zoo/lake/water", '{"level": 10}')
    await house.sleep(3)
    assert house.heard == ["Low water at lake."]


@example("trigger webhook")
async def _(house):
    told = house.part.webhooks.tell(
        "delivery_4711", {"method": "POST", "local": True, "json": {"what": "hay"}, "data": "", "query": {}}
    )
    assert told
    assert not house.part.webhooks.tell("another_id", {"method": "POST", "local": True})
    await house.sleep(3)
    assert house.heard == ["A delivery of hay."]


@example("trigger template")
async def _(house):
    for entity, value in (("north", "60"), ("south", "50"), ("south", "60"), ("north", "0"), ("north", "90")):
        house.set(f"input_number.{entity}", value)
        await house.sleep(3)
    assert house.heard == ["More than a hundred."] * 2


@example("trigger conversation")
async def _(house):
    session = house.sessions["lion_house"]
    session.set_volume(50)
    session.submit("Please make it louder.")
    await house.sleep(3)
    assert session.volume == 65
    assert house.heard == ["Louder now."]


@example("trigger hub")
async def _(house):
    traces = [
        house.part.find(name).traces for name in ("automation.good_morning", "Good morning, Home Assistant's way")
    ]
    assert [trace[-1].outcome for trace in traces] == ["finished", "finished"]


@example("trigger calendar")
async def _(house):
    await house.until("11:24")
    assert house.heard == []
    await house.until("11:26")
    await house.sleep(86_400)
    assert house.heard == ["Soon: Lions."] * 2


@example("condition and or not")
async def _(house):
    await house.fire("gate_opened")
    house.set("input_boolean.rain", "on")
    await house.fire("gate_opened")
    await house.fire("gate_opened", umbrella=True)
    await house.sleep(3)
    house.set("input_boolean.open", "off")
    await house.fire("gate_opened", umbrella=True)
    await house.sleep(3)
    assert house.heard == ["Come in."] * 2


@example("condition state")
async def _(house):
    house.set("input_boolean.open", "on")
    await house.fire("gate_opened")
    await house.sleep(60)
    await house.fire("gate_opened")
    assert house.heard == ["It has been open for a minute."]


@example("condition numeric_state")
async def _(house):
    for _ in range(4):
        await house.fire("gate_opened")
        await house.sleep(3)
    assert house.heard == ["Number 1", "Number 2"]


@example("condition time")
async def _(house):
    for clock in ("21:59", "22:00", "05:59", "06:00"):
        await house.until(clock)
        await house.fire("gate_opened")
    await house.sleep(86_400)
    await house.until("23:00")  # Wednesday
    await house.fire("gate_opened")
    assert house.heard == ["It is late."] * 2


@example("condition sun")
async def _(house):
    for clock in ("12:00", "22:00", "03:00", "06:00"):
        await house.until(clock)
        await house.fire("gate_opened")
    assert house.heard == ["Mind the step."] * 2


@example("condition template")
async def _(house):
    for people in (5, 11):
        await house.fire("gate_opened", people=people)
    assert house.heard == ["What a crowd."]


@example("condition trigger")
async def _(house):
    await house.fire("south_opened")
    await house.fire("north_opened")
    assert house.heard == ["The north gate."]


@example("action say announce play")
async def _(house):
    await house.fire("go")
    await house.sleep(60)
    assert house.heard == ["First.", "Second.", "Second.", "Heard by 2.", "Last."]


@example("action ask")
async def _(house):
    for answer in ("Yes!", "no they do not", "perhaps"):
        await house.fire("go")
        await house.sleep(3)
        house.sessions["lion_house"].submit(answer)
        await house.sleep(40)
    assert [text for text in house.heard if text != "Do lions live in groups?"][:2] == ["Right!", "They do."]
    assert house.heard[-1] == "Maybe later."


@example("action volume silence persona context")
async def _(house):
    await house.fire("go")
    session = house.sessions["lion_house"]
    assert session.volume == 30
    assert session.context["exhibit"] == "tiger"


@example("action listen")
async def _(house):
    await house.fire("go")
    ((topic, payload, _),) = house.messages.published
    assert topic == "mynah/speaker/lion_house/cmd"
    assert '"command": "listen"' in payload
    assert '"seconds": 5' in payload


@example("action mqtt event http")
async def _(house):
    await house.fire("go", n=4)
    await house.sleep(5)
    assert house.messages.published == [("zoo/told", '{"n": 4}', True)]
    assert house.told[-1] == "5"
    assert "error" in house.part.find("Tell others").traces[-1].describe(str)["steps"][-1]


@example("action waiting")
async def _(house):
    await house.fire("go")
    await house.sleep(120)
    await house.fire("visitor")
    await house.sleep(30)
    house.set("input_boolean.door", "on")
    await house.sleep(5)
    assert house.heard == ["came", "The door is open."]
    house.set("input_boolean.door", "off")
    await house.fire("go")
    await house.sleep(500)
    assert house.heard[2:] == ["nobody"]


@example("action if choose")
async def _(house):
    for n in (1, 9):
        await house.fire("go", n=n)
        await house.sleep(5)
    assert [text for text in house.heard if text in ("one", "other")] == ["one", "other"]
    assert {"few", "many"} >= set(house.heard) - {"one", "other"}


@example("action repeat")
async def _(house):
    await house.fire("go")
    expected = "count 1, count 2, each lion, each tiger, while 1, while 2, until 3, until 4"
    assert house.told == expected.split(", ")


@example("action parallel sequence variables condition stop")
async def _(house):
    await house.fire("go", name="Ada")
    await house.sleep(3)
    assert house.told == ["fast", "slow", "Hello, Ada"]
    house.told.clear()
    await house.fire("go", name="Bob")
    await house.sleep(3)
    assert house.told == ["fast", "slow"]
    assert house.part.find("Steering").traces[-1].message == "That is all."


@example("action script automation")
async def _(house):
    await house.fire("go")
    await house.sleep(120)
    assert house.told == ["Hello Ada", "3 letters", "Hello Bob", "other"]


@example("action helpers")
async def _(house):
    await house.fire("go", word="savanna")
    await house.sleep(30)
    states = {name: house.state(name) for name in ("input_boolean.lamp", "input_number.level", "input_text.word",
                                                  "counter.visitors", "timer.feeding")}  # fmt: skip
    assert list(states.values()) == ["on", "6.0", "savanna", "6", "idle"]
    expected = "started paused restarted cancelled started finished"
    assert house.told == [f"timer.{name}" for name in expected.split()]


@example("modes")
async def _(house):
    expected = {
        "go": "begin 1, end 1",
        "go_restart": "begin 1, begin 2, begin 3, end 3",
        "go_queued": "begin 1, end 1, begin 2, end 2",
        "go_parallel": "begin 1, begin 2, end 1, end 2",
    }
    for event, steps in expected.items():
        house.told.clear()
        for n in (1, 2, 3):
            await house.fire(event, n=n)
        await house.sleep(40)
        assert ", ".join(house.told) == steps, event


@example("spoken")
async def _(house):
    house.sessions["giraffe_deck"].submit("Announce feeding time in the lion house")
    await house.sleep(5)
    assert sorted(house.heard) == ["Announced.", "It is feeding time."]
    house.sessions["giraffe_deck"].submit("What do lions eat?")
    await house.sleep(5)
    assert len(house.heard) > 2


@example("blueprint")
async def _(house):
    await house.until("11:31")
    assert house.heard == ["The lions are fed now."]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_the_page_says(tmp_path, monkeypatch, name):
    # What is looked at every few seconds is not what a week is to be made of.
    for module, attribute in ((sessions, "REAP_S"), (speech_cache, "WATCH_S"), (entities, "IDLE_S"), (kept, "LATER_S")):
        monkeypatch.setattr(module, attribute, 600.0)
    assert name in SCENARIOS, f"no scenario for the example {name!r}"
    play(tmp_path, name, SCENARIOS[name])


@pytest.mark.parametrize(
    "spec", [*TRIGGERS, *CONDITIONS, *ACTIONS], ids=lambda spec: f"{type(spec).__name__} {spec.name}"
)
def test_each_kind_stands_in_a_table_and_in_an_example(spec):
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert any(f"`{spec.name}`" in row for row in rows)
    assert any(re.search(rf"(?<![\w.]){re.escape(spec.name)}(?![\w])", text) for text in EXAMPLES.values())


def test_each_mode_stands_in_the_table():
    assert [mode for mode in MODES if f"\n| `{mode}` |" not in PAGE] == []
