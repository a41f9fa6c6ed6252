"""What automations are while the hub runs: the house, what lives in it, and what others ask of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from mynah import Hub, InputError, Session, State, Stop
from mynah_automation.automations import Live
from mynah_automation.calendars import Calendars
from mynah_automation.clock import local_zone
from mynah_automation.config import HELPERS
from mynah_automation.definitions import Definitions
from mynah_automation.helpers import Helpers
from mynah_automation.house import LiveHouse
from mynah_automation.kept import Kept
from mynah_automation.sentences import Lists, Sentences

log = logging.getLogger(__name__)

KEPT: Final = (*HELPERS, "automation")
RESPONSE_S: Final = 4.0
"""How long a spoken command may take to be answered; it goes on without a word after that."""

PART: Final = "automation"


class Calls:
    """Who waits for calls of which webhook."""

    def __init__(self) -> None:
        self._followers: dict[str, list[Callable[[Mapping[str, Any]], bool]]] = {}

    def follow(self, id: str, called: Callable[[Mapping[str, Any]], bool]) -> Stop:
        """Call `called` for each call of a webhook; it tells whether the call counts."""
        self._followers.setdefault(id, []).append(called)

        def stop() -> None:
            followers = self._followers.get(id, [])
            if called in followers:
                followers.remove(called)
            if not followers:
                self._followers.pop(id, None)

        return stop

    def tell(self, id: str, data: Mapping[str, Any]) -> bool:
        """Tell of a call; return whether anybody waits for such a one."""
        return any([called(data) for called in tuple(self._followers.get(id, ()))])


class Questions:
    """Who waits for an answer in which session; the last one who asked is told first."""

    def __init__(self) -> None:
        self._open: dict[str, list[Callable[[str], bool]]] = {}

    def ask(self, session_id: str, said: Callable[[str], bool]) -> Stop:
        """Offer `said` what is said in a session; it tells whether that was an answer."""
        self._open.setdefault(session_id, []).append(said)

        def stop() -> None:
            waiting = self._open.get(session_id, [])
            if said in waiting:
                waiting.remove(said)
            if not waiting:
                self._open.pop(session_id, None)

        return stop

    def waits_in(self, session_id: str) -> bool:
        """Return whether anybody waits for an answer there."""
        return session_id in self._open

    def offer(self, session_id: str, text: str) -> bool:
        """Return whether `text` was an answer."""
        return any(said(text) for said in reversed(self._open.get(session_id, ())))


class Automations:
    """Everything of one hub; the component runs it, and it is found as `hub.parts["automation"]`."""

    def __init__(self, hub: Hub, blueprints: Path) -> None:
        config = hub.config[PART]
        self.house = LiveHouse(hub, ZoneInfo(config["time_zone"]) if config["time_zone"] else local_zone())
        self.helpers = Helpers(self.house)
        self.sentences = Sentences(self.slot_lists)
        self.webhooks = Calls()
        self.questions = Questions()
        self.calendars = Calendars(config["calendars"], hub.folder)
        self.live: dict[str, Live] = {}
        self._hub = hub
        self._blueprints = blueprints
        self._kept = Kept(hub.folder / "automation" / "states.json")

    # ------------------------------------------------------------ life

    def begin(self) -> None:
        """Put back what was kept, and have all that is configured live."""
        kept = self._kept.load()
        for state in kept.values():
            if state.entity_id.startswith("automation."):
                self.house.states.put(state)
        self.house.on_state(("*",), self._keep)
        self.helpers.begin(self._hub.config, kept)
        self.take()
        gone = [state.entity_id for state in kept.values() if state.entity_id not in self._known()]
        for entity_id in gone:
            self.house.set_state(entity_id, None)
            self._kept.put(entity_id, None)

    def take(self) -> None:
        """Have what the configuration says live: what is new or differs begins, what is gone ends."""
        definitions = Definitions(self._hub.specs, self._blueprints)
        wanted = {each.entity_id: each for each in definitions.read(self._hub.config)}
        for problem in definitions.problems:
            log.error("%s", problem)  # a blueprint that changed since the configuration was checked
        for entity_id, live in list(self.live.items()):
            definition = wanted.get(entity_id)
            if definition is None or definition.raw != live.definition.raw:
                state = self.house.state(entity_id)
                live.end()
                del self.live[entity_id]
                if definition is not None and state is not None:
                    self.house.states.put(state)  # whether it was turned off stays
        for entity_id, definition in wanted.items():
            if entity_id not in self.live:
                self.live[entity_id] = Live(definition, self.house)
                self.live[entity_id].begin()

    def reload(self) -> None:
        """Take over what the configuration says now."""
        self.helpers.begin(self._hub.config, {})
        self.take()

    async def write(self) -> None:
        """Keep what changes until cancelled."""
        await self._kept.run()

    async def end(self, within_s: float) -> None:
        """Stop every run, after what began with the end of the hub has had a moment."""
        tasks = [task for live in self.live.values() for task in live.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
        stopping = [task for live in self.live.values() for task in live.stop("the hub stopped")]
        if stopping:
            await asyncio.wait(stopping, timeout=within_s)
        self.helpers.close()
        self.house.clock.close()
        self._kept.close()

    def _keep(self, old: State | None, new: State | None) -> None:
        entity_id = (new or old).entity_id  # type: ignore[union-attr]  # one of them is there
        domain = entity_id.partition(".")[0]
        if domain in KEPT:
            same = old is not None and new is not None and old.state == new.state
            self._kept.put(entity_id, new, soon=domain != "automation" or not same)

    def _known(self) -> set[str]:
        helpers = {f"{domain}.{name}" for domain in HELPERS for name in self._hub.config[domain]}
        return helpers | self.live.keys()

    # ------------------------------------------------------------ what others ask

    def find(self, name: str) -> Live:
        """Return an automation or script by its entity, its id or its alias. Raises `InputError`."""
        for live in self.live.values():
            definition = live.definition
            if name in (definition.entity_id, definition.id, definition.alias):
                return live
        known = ", ".join(sorted(self.live)) or "none"
        raise InputError(f"there is no automation or script {name!r}; known are {known}")

    def slot_lists(self) -> Lists:
        """Return what may stand in the slots of sentences: the configured lists, and the names of places."""
        speakers = self._hub.speakers()
        names: dict[str, str] = {}
        for speaker in speakers:
            names[str(speaker["name"])] = str(speaker["id"])
            names[str(speaker["id"]).replace("_", " ").replace("-", " ")] = str(speaker["id"])
        areas = {str(each["area"]).replace("_", " "): str(each["area"]) for each in speakers if each["area"]}
        groups = {name.replace("_", " "): name for name in self._hub.config["groups"]}
        everywhere = {"everywhere": "all"}
        own = {"speaker": names, "area": areas, "place": {**groups, **areas, **names, **everywhere}}
        return {**own, **self._hub.config[PART]["sentences"]}

    def listens_to(self, session: Session) -> bool:
        """Return whether anything that is said in a session may be for an automation."""
        return self.sentences.followed or self.questions.waits_in(session.id)

    async def answer(self, session: Session, text: str) -> str | None:
        """Return what is to be answered to what was said, or None where it is for the persona."""
        if self.questions.offer(session.id, text):
            return ""
        if not self.sentences.followed:
            return None
        respond: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        speaker = next((each["id"] for each in self._hub.speakers() if each["session"] == session.id), None)
        runs = {task for live in self.live.values() for task in live.tasks}
        more = {"session": session.id, "speaker": speaker, "respond": respond}
        if not self.sentences.offer(text, more):
            return None
        begun = {task for live in self.live.values() for task in live.tasks} - runs
        await asyncio.wait({respond, *begun}, timeout=RESPONSE_S, return_when=asyncio.FIRST_COMPLETED)
        return respond.result() if respond.done() else ""
