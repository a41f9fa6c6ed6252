"""The hub: builds everything from the configuration, supervises it, and stops it in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, cast

from mynah import __version__
from mynah.archive import Archive
from mynah.bus import EventBus
from mynah.commanding import Commanding
from mynah.components import Components, end, in_order
from mynah.config.check import Config, load_config, redacted, with_overrides
from mynah.conversation.announcement import Announcements, Announcing, Manner
from mynah.conversation.arbitration import Arbitration
from mynah.conversation.listening import ListeningOptions
from mynah.conversation.media import Media
from mynah.conversation.persona import Persona
from mynah.conversation.scene import Latency, TurnLimits
from mynah.conversation.session import Conversation
from mynah.conversation.sessions import Sessions, SessionsLimits
from mynah.conversation.stock import Rehearsal, stock_phrases
from mynah.conversation.surroundings import SessionLimits, Surroundings
from mynah.conversation.tools import Tools
from mynah.engines.chain import Chain, OpenEngine
from mynah.engines.protocols import KnowsVoices
from mynah.engines.speech_cache import SpeechCache
from mynah.engines.speech_store import speech_folder
from mynah.engines.translations import Translations
from mynah.errors import InputError, MynahError, StorageError
from mynah.events import ConfigChanged, HubStarted, HubStopping
from mynah.firmware import Firmware, Packing, firmware_version
from mynah.health import status, troubles
from mynah.hub_protocol import CommandReport, Control, Reloaded, SpeakerSecrets
from mynah.knowledge import Knowledge
from mynah.logs import redact
from mynah.plugins import Plugins
from mynah.registry import Registry
from mynah.session_protocol import SessionOptions, Urgency
from mynah.speakers import Speaker, Speakers
from mynah.specs import ENGINE_KINDS, Access, EngineKind, PersonaSpec, RouteSpec, Spec
from mynah.statistics import Statistics
from mynah.storage import Storage
from mynah.timeline import now
from mynah.warming import Warming

log = logging.getLogger(__name__)

EXPIRE_EVERY_S: Final = 3600.0
"""How often it is looked for what was kept for long enough."""


class MynahHub:
    """The hub behind `mynah.hub_protocol.Hub`; see there for what its public methods do."""

    def __init__(
        self, config: Config, plugins: Plugins, personas: Mapping[str, Persona], *, with_components: bool = True
    ) -> None:
        values = config.values
        self._specs = in_order(plugins.components if with_components else plugins.renewing(personas))
        self.config: Mapping[str, Any] = values
        self.bus = EventBus()
        self.plugins = plugins
        self.addresses: dict[str, str] = {}
        self.parts: dict[str, Any] = {}
        self.storage = Storage(Path(values["data"]))
        self._personas = personas
        self._file = config.file
        self._overrides = config.overrides
        self._secrets = config.secrets
        self._config_folder = config.folder
        self._speakers = Speakers(values["speakers"], values["groups"])
        self._registry = Registry(self._speakers, self.storage)
        keeping = {name: values["sessions"][name] for name in ("keep_days", "audio_days", "audio_mb")}
        self._speech = SpeechCache(
            speech_folder(self.storage.folder),
            memory_bytes=values["speech_cache"]["memory_mb"] << 20,
            disk_bytes=values["speech_cache"]["disk_mb"] << 20,
        )
        self._archive = Archive(self.storage, **keeping, forget_speech=self._speech.forget)
        self._statistics = Statistics()
        self._translations = Translations(values["translation"]["cache"], values["translation"]["glossary"])
        self._chains = {kind: self._chain(kind) for kind in ENGINE_KINDS}
        self._latency = Latency(**values["latency"])
        self._around = self._surroundings(values)
        lifetimes = {each.name: values["sessions"][each.name] for each in fields(SessionsLimits)}
        self._sessions = Sessions(self._around, self._speakers, SessionsLimits(**lifetimes), values["persona"])
        self._announcements = Announcements(self._around, self._speakers, self._sessions)
        self._commanding = Commanding(self._speakers, self._sessions)
        self._components = Components(self, self.bus)
        self._warming = Warming(self._all_engines(), personas, self.bus, self._expected_personas)
        self._engine_tasks: list[asyncio.Task[None]] = []
        self._started_at = now()
        self._ready = False
        self._stopping = False
        self._packing = Packing()

    # ------------------------------------------------------------ building

    def _chain(self, kind: EngineKind) -> Chain:
        specs = {spec.name: spec for spec in self.plugins.engines if spec.kind == kind}
        entries = self.config["engines"][kind]
        engines = [
            OpenEngine(
                self._translations.keeping(self._speech.keeping(specs[entry["engine"]])),
                entry,
                self._engine_folder(entry["engine"]),
                self.bus,
            )
            for entry in entries
        ]
        return Chain(kind, engines, self.bus)

    def _engine_folder(self, name: str) -> Path:
        folder = self.storage.folder / "engines" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _surroundings(self, values: Mapping[str, Any]) -> Surroundings:
        limits, listening = dict(values["limits"]), dict(values["listening"])
        arbitration = Arbitration(
            self._speakers.area_of,
            window_ms=listening.pop("arbitration_ms"),
            buttons=listening.pop("arbitration_buttons"),
        )
        session_limits = SessionLimits(
            history_turns=values["sessions"]["history_turns"],
            utterance_seconds=limits.pop("utterance_seconds"),
            chunk_bytes=limits.pop("chunk_kb") << 10,
            text_chars=limits.pop("text_chars"),
        )
        media = Media(
            self.storage.folder / "media",
            max_bytes=limits.pop("play_mb") << 20,
            seconds=limits.pop("play_seconds"),
        )
        return Surroundings(
            hub=self,
            tools=Tools.of(self.plugins.tools),
            intents=self.plugins.intents,
            media=media,
            arbitration=arbitration,
            archive=self._archive,
            statistics=self._statistics,
            latency=self._latency,
            chains=self._chains,
            personas=self._personas,
            bus=self.bus,
            turn_limits=TurnLimits(**limits),
            limits=session_limits,
            listening=ListeningOptions(**listening),
        )

    # ------------------------------------------------------------ running

    @asynccontextmanager
    async def running(self) -> AsyncIterator[MynahHub]:
        """Start everything, in order; on the way out drain and stop it, in reverse."""
        reaper = asyncio.get_running_loop().create_task(self._sessions.reap(), name="sessions")
        expirer = asyncio.get_running_loop().create_task(self._expire(), name="archive")
        watcher = asyncio.get_running_loop().create_task(
            self._speech.watch(self._translations.forget), name="speech cache"
        )
        others = [reaper, expirer, watcher]
        try:
            for engine in self._all_engines():
                self._engine_tasks.append(
                    asyncio.get_running_loop().create_task(engine.keep_open(), name=f"engine {engine.spec.name}")
                )
            if (rehearsal := self._rehearsal()) is not None:
                # Among the engines' tasks, as the last: it must end before the engine that it uses.
                self._engine_tasks.append(
                    asyncio.get_running_loop().create_task(self._warming.rehearse(rehearsal), name="stock phrases")
                )
            for spec in self._specs:
                await self._components.start(spec, self.config.get(spec.name) or {})
            # Only now: it would take the processor from what the start waits for.
            warm_up = self._warming.run(models=self._latency.warm_up)
            others.append(asyncio.get_running_loop().create_task(warm_up, name="warm-up"))
            self._ready = True
            self.bus.publish(HubStarted())
            log.info("ready in %.2f s", now() - self._started_at)
            yield self
        finally:
            await self._stop(*others)

    async def _expire(self) -> None:
        """Delete what was kept for long enough; runs until cancelled."""
        while True:
            try:
                await self._archive.expire({session.id for session in self._sessions})
            except StorageError as error:
                log.warning("what was kept for long enough is not deleted: %s", error)
            await asyncio.sleep(EXPIRE_EVERY_S)

    def _expected_personas(self) -> set[str]:
        """Return who will speak: the default persona, those of known speakers, and those of open sessions."""
        default = self.config["persona"] or next(iter(self._personas), "")
        open_ = {session.persona.spec.name for session in self._sessions}
        return {speaker.persona or default for speaker in self._speakers} | open_ | {default}

    def _rehearsal(self) -> Rehearsal | None:
        """Return what has the first voice say what personas say by themselves, so that it is there when needed."""
        voices = self._chains["tts"].engines
        if not (voices and self._speech.keeps(voices[0].spec) and self.config["speech_cache"]["stock_phrases"]):
            return None
        return Rehearsal(
            voices[0],
            lambda: stock_phrases(
                self._personas, self._speakers, self.config["persona"], early=self._latency.early_phrase
            ),
            lambda: any(session.busy for session in self._sessions),
            self.config["limits"]["speak"],
        )

    async def _stop(self, *tasks: asyncio.Task[None]) -> None:
        self._ready, self._stopping = False, True
        self.bus.publish(HubStopping())
        await self._sessions.drain(self.config["shutdown"]["grace"])
        await self._announcements.close()
        await self._components.stop()
        for task in (*reversed(self._engine_tasks), *tasks):
            await end(task, task.get_name())
        await self._speech.close()
        self._archive.close()
        self.storage.close()
        log.info("stopped")

    # ------------------------------------------------------------ what plugins may ask

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.storage.folder

    @property
    def config_folder(self) -> Path:
        """The folder of the configuration."""
        return self._config_folder

    @property
    def specs(self) -> Sequence[Spec]:
        """Everything that plugins declare."""
        return self.plugins.specs

    def redacted(self, text: str) -> str:
        """Return `text` without secrets."""
        return redacted(text, self._secrets)

    def reload(self) -> Reloaded:
        """Read the configuration again, and say what of it is taken over at once."""
        read = load_config(self._file, self.plugins.specs, plugins=self.plugins.names)
        fresh = with_overrides(read.values, self._overrides)
        self._secrets |= read.secrets  # what was one may still be in use
        redact(read.secrets)
        for warning in read.warnings:
            log.warning("%s", warning)
        following: set[str] = set()
        for spec in (part.spec for part in self._components if part.spec.reloads):
            following |= {spec.name, *map(str, spec.sections)}
        changed = sorted(name for name in fresh if fresh[name] != self.config.get(name))
        taken = tuple(name for name in changed if name in following)
        self.config = {**self.config, **{name: fresh[name] for name in taken}}
        if taken:
            self.bus.publish(ConfigChanged(sections=taken))
        return Reloaded(taken, tuple(name for name in changed if name not in following))

    @property
    def routes(self) -> Sequence[RouteSpec]:
        """Every plugin's routes."""
        return self.plugins.routes

    def health(self) -> Mapping[str, Any]:
        """Return the state of the hub and of each of its parts."""
        found = troubles(self._components, self._chains, self.storage)
        return {
            "status": status(ready=self._ready, stopping=self._stopping, troubled=bool(found)),
            "ready": self._ready,
            "troubles": found,
            "version": __version__,
            "uptime_s": round(now() - self._started_at, 1),
            "sessions": len(self._sessions),
            "storage": {"waiting": self.storage.waiting, "error": self.storage.trouble},
            "components": {part.spec.name: {"state": part.state, "error": part.error} for part in self._components},
            "engines": self.engines(),
            "speech_cache": self._speech.describe(),
            "plugins": {"failed": {plugin.name: plugin.error for plugin in self.plugins.problems}},
        }

    def engines(self) -> Sequence[Mapping[str, Any]]:
        """Return what is known of each configured engine."""
        return [engine.describe() for engine in self._all_engines()]

    def personas(self) -> Sequence[PersonaSpec]:
        """Return every persona that can speak."""
        return [persona.spec for persona in self._personas.values()]

    def knows_voice(self, name: str) -> bool:
        """Return whether the first voice says that it knows one of that name."""
        voices = [engine.engine for engine in self._chains["tts"].engines[:1] if engine.state == "ready"]
        return any(isinstance(voice, KnowsVoices) and voice.knows_voice(name) for voice in voices)

    def renew_knowledge(self, persona: str, knowledge: Sequence[Knowledge]) -> None:
        """Put knowledge over what a persona's files say."""
        found = self._sessions.persona(persona)
        if not found.spec.renewable:
            raise InputError(f"the knowledge of {persona!r} may not be renewed: its plugin does not say so")
        found.renew(knowledge)

    def speakers(self) -> Sequence[Mapping[str, Any]]:
        """Return every known speaker."""
        talking = {session.speaker: session for session in self._sessions if session.speaker}
        states = self._commanding.describe(tuple(self._speakers))
        return [
            {
                "id": speaker.id,
                "name": speaker.name or speaker.id,
                "area": speaker.area,
                **self._conversing(speaker, talking.get(speaker.id)),
                "session": talking[speaker.id].id if speaker.id in talking else None,
                "configured": speaker.configured,
                "online": self._registry.is_online(speaker.id)
                or (speaker.id in talking and talking[speaker.id].attached),
                "formats": list(speaker.formats),
                "firmware": speaker.firmware,
                "last_seen": speaker.last_seen,
                **states[speaker.id],
            }
            for speaker in self._speakers
        ]

    @staticmethod
    def _conversing(speaker: Speaker, session: Conversation | None) -> Mapping[str, Any]:
        if session is None:
            return {"persona": speaker.persona, "context": dict(speaker.context)}
        return {"persona": session.persona.spec.name, "context": dict(session.context)}

    def note_speaker(self, id: str, facts: Mapping[str, Any]) -> None:
        """Note that a speaker is there, and what it is."""
        self._registry.note(id, facts)

    def note_wake(self, id: str, level: float) -> None:
        """Note how loud a speaker heard somebody begin to speak, by its own account."""
        self._around.arbitration.note_wake(id, level)

    def add_speaker(self, id: str, facts: Mapping[str, Any], *, renew: bool = False) -> SpeakerSecrets:
        """Make a speaker's token and key."""
        return self._registry.add(id, facts, renew=renew)

    def forget_speaker(self, id: str) -> None:
        """Forget a speaker that is not configured; of any, the token and the key."""
        self._registry.forget(id)
        for session in self._sessions:
            if session.speaker == id:
                self.close_session(session.id, "the speaker was removed")

    @property
    def controls(self) -> list[Control]:
        """Ways to speakers beside their sessions."""
        return self._commanding.controls

    async def command(self, where: str, command: str, fields: Mapping[str, Any]) -> CommandReport:
        """Have speakers do something."""
        return await self._commanding.command(where, command, fields)

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """Return what is known of each open session."""
        return [session.describe() for session in self._sessions]

    def open_session(self, options: SessionOptions) -> Conversation:
        """Begin a conversation."""
        if options.speaker:
            self._registry.welcome(options.speaker)
        return self._sessions.open(options)

    def session(self, session_id: str) -> Conversation:
        """Return a session that is open, or that was put away."""
        return self._sessions.get(session_id)

    def close_session(self, session_id: str, reason: str = "closed") -> None:
        """End a conversation."""
        self._sessions.close(session_id, reason)

    async def kept_sessions(self, most: int = 100, before: float | None = None) -> Sequence[Mapping[str, Any]]:
        """Return the sessions that are kept, the one that was active last first."""
        known = {session.id for session in self._sessions}
        return [{**row, "open": row["id"] in known} for row in await self._archive.sessions(most, before)]

    async def export_session(self, session_id: str) -> Mapping[str, Any]:
        """Return all that is kept of a session."""
        found = await self._archive.export(session_id)
        if found is None:
            raise InputError(f"nothing is kept of a session {session_id!r}")
        return {**found, "open": any(session.id == session_id for session in self._sessions)}

    async def export_sessions(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield all that is kept, session by session."""
        for session_id in await self._archive.ids():
            with contextlib.suppress(InputError):  # deleted meanwhile
                yield await self.export_session(session_id)

    def session_audio(self, session_id: str, name: str) -> Path:
        """Return where a recording of a session is."""
        return self._archive.audio.file(session_id, name)

    async def delete_session(self, session_id: str | None = None) -> int:
        """End a session, or all, and delete what is kept of it."""
        known = [session.id for session in self._sessions if session_id in (None, session.id)]
        for id in known:
            self._sessions.close(id, "deleted")
        self._translations.forget()
        count = await self._archive.delete(session_id)
        if session_id is not None and not known and not count:
            raise InputError(f"there is no session {session_id!r}, neither open nor kept")
        return max(count, len(known))

    def statistics(self) -> Mapping[str, Any]:
        """Return how all turns went since the start."""
        return {
            "uptime_s": round(now() - self._started_at, 1),
            **self._statistics.describe(),
            "sessions": dict(self._sessions.by_origin()),
            "queues": self._queues(),
        }

    def _queues(self) -> Mapping[str, Mapping[str, float]]:
        speech = {"waiting_ms": round(sum(session.waiting_ms for session in self._sessions), 1)}
        storage = {"waiting": self.storage.waiting}
        return {"storage": storage, "speech": speech, **self.bus.describe()}

    def announce(
        self,
        text: str,
        where: str,
        *,
        play: str | None = None,
        language: str | None = None,
        urgency: Urgency = "announcement",
        chime: bool = True,
        volume: int | None = None,
        resume: bool = True,
        voice_of: str | None = None,
        repeat_s: float = 0.0,
    ) -> Announcing:
        """Have `text` spoken by every speaker of that name, area or group that is connected."""
        manner = Manner(urgency=urgency, volume=volume, resume=resume, repeat_s=repeat_s)
        return self._announcements.begin(
            text, where, manner, play=play, language=language, chime=chime, voice_of=voice_of
        )

    @property
    def firmware_version(self) -> str:
        """The version of the firmware that there is for speakers."""
        try:
            return firmware_version()
        except MynahError as error:
            log.debug("%s", error)
            return ""

    async def firmware(self, speaker: str, architecture: str) -> Firmware:
        """Return the firmware, packed for a chip and signed for a speaker."""
        key = self.storage.key(speaker)
        if key is None:
            raise InputError(f"{speaker} has no key for updates; make one with: mynah speaker add {speaker}")
        return await self._packing.firmware(speaker, architecture, key)

    def access(self, token: str) -> tuple[Access, str] | None:
        """Return the role that a token gives and for whom."""
        found = self.storage.credential(token)
        if found is None:
            return None
        name, role = found
        return cast(Access, role), name if role == "speaker" else ""

    async def engines_settled(self, within_s: float) -> None:
        """Wait until every engine is open or has failed, for at most `within_s`."""
        await self._warming.engines_settled(within_s)

    async def warm(self, within_s: float) -> None:
        """Wait until the engines that opened are ready for the personas expected at first, for at most `within_s`."""
        await self._warming.warm(within_s)

    def _all_engines(self) -> list[OpenEngine]:
        return [engine for chain in self._chains.values() for engine in chain.engines]
