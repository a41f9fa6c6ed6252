"""Where everything that comes over MQTT goes: to who does it, once, and the answer back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from voluptuous import Required

from mynah import Hub, InputError, MynahError
from mynah_mqtt.alarms import Alarms
from mynah_mqtt.devices import Devices
from mynah_mqtt.groups import announced, command_group, members
from mynah_mqtt.kinds import one_of, whole
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.payloads import COMMANDS, LAPSE_S, PROPERTIES, REPLY, Doer
from mynah_mqtt.reading import (
    LARGEST,
    LARGEST_COMMAND,
    Command,
    Refusal,
    Remembered,
    answer,
    read_command,
    read_fields,
    read_scalar,
)
from mynah_mqtt.requests import Requests
from mynah_mqtt.said import Said
from mynah_mqtt.speaking import Speaking
from mynah_mqtt.topics import Address, Topics
from mynah_mqtt.updates import Updates

log = logging.getLogger(__name__)

UNDER_WAY: Final = 1_000
UNDER_WAY_EACH: Final = 16
"""Commands of one speaker or group that may be under way at once."""

MEMORIES: Final = 4_000
REPLY_S: Final = 10.0
"""How long a member of a group has to do its part of a command that it does itself."""

SOUNDING: Final = ("say", "announce", "play", "alarm")
STOP_S: Final = 2.0
"""How long what is to sound waits for a speaker that was told to stop before."""

SETTLE_S: Final = 0.05
"""How much later than its reply over MQTT what a speaker says over its session may come."""


class Desk:
    """Takes messages from the link and puts answers into the outbox. `late()` says that what comes may be old."""

    def __init__(
        self,
        hub: Hub,
        topics: Topics,
        outbox: Outbox,
        devices: Devices,
        speaking: Speaking,
        alarms: Alarms,
        late: Callable[[], bool] = lambda: False,
    ) -> None:
        self.late = late
        self._hub = hub
        self._topics = topics
        self._outbox = outbox
        self._devices = devices
        self._speaking = speaking
        self._said = Said()
        self._noted: dict[str, Mapping[str, Any]] = {}
        self._alarms = alarms
        self.updates = Updates(hub, topics, outbox, devices)
        self._requests = Requests(hub, devices, self.updates)
        self._memories: OrderedDict[str, Remembered] = OrderedDict()
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}
        self._awaited: dict[tuple[str, str], asyncio.Future[Mapping[str, Any]]] = {}
        self._stopping: dict[str, asyncio.Future[None]] = {}

    async def close(self) -> None:
        """Stop what is under way."""
        tasks = [task for each in self._tasks.values() for task in each]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2)

    # ------------------------------------------------------------ what comes

    def receive(self, topic: str, payload: bytes, retained: bool) -> None:
        """Take one message."""
        address = self._topics.read(topic)
        match address:
            case Address(place="speaker", leaf="availability" | "info" | "state"):
                again = self._devices.take(address.name, address.leaf, payload)
                if again is not None:
                    self._outbox.restore(topic, again)
                self._note(address.name)
            case _ if retained:
                if not self._said.lately(topic):
                    log.warning(
                        "a retained message on %s was passed over; commands are not to be retained",
                        ascii(topic[:200]),
                    )
            case Address(place="speaker" | "group", leaf="cmd") if payload:
                self._command(address, payload)
            case Address(place="speaker", leaf="set") if payload:
                self._set(address, payload)
            case Address(place="speaker", leaf="event"):
                self._note_wake(address.name, payload)
                self._devices.take_update(address.name, payload)
            case Address(place="speaker", leaf="reply"):
                self._note_reply(address.name, payload)
            case Address(place="request"):
                self._begin("requests", self._respond(address.name, payload), f"request {address.name[:64]}")

    async def _respond(self, name: str, payload: bytes) -> None:
        response = await self._requests.respond(name, payload)
        self._log_refusal(f"the request {name[:64]!a}", response)
        self._outbox.send(self._topics.hub(f"response/{name[:64]}"), response)

    def _begin(self, key: str, doing: Coroutine[Any, Any, None], name: str) -> None:
        """Have something done, unless too much is being done already."""
        if sum(map(len, self._tasks.values())) >= UNDER_WAY:
            doing.close()
            if not self._said.lately("busy"):
                log.warning("%d commands are under way; a %s was passed over", UNDER_WAY, name)
            return
        task = asyncio.get_running_loop().create_task(doing, name=f"mqtt: {name}")
        self._tasks.setdefault(key, set()).add(task)
        task.add_done_callback(lambda done: self._ended(key, done))

    def too_large(self, topic: str, size: int) -> None:
        """Answer something that the broker threw away for its size."""
        address = self._topics.read(topic)
        if address is not None and address.leaf == "cmd":
            self._reply(address, answer(None, None, Refusal("too_big", f"{size} bytes are too many")))

    def _reply(self, address: Address, reply: Mapping[str, Any]) -> None:
        self._log_refusal(f"a command for {address.name}", reply)
        place = self._topics.group if address.place == "group" else self._topics.speaker
        self._outbox.send(place(address.name, "reply"), reply)

    def _log_refusal(self, what: str, reply: Mapping[str, Any]) -> None:
        """Have the log say what was not done and why; of what was sent only the command's name, of each kind seldom."""
        code, name = reply.get("code"), reply.get("command")
        if code is None or self._said.lately(f"{what} {code}"):
            return
        named = f" ({name[:40]!a})" if name else ""
        log.warning("%s%s was not done: %s: %s", what, named, code, ascii(reply.get("message", ""))[1:-1])

    def _note(self, id: str) -> None:
        """Have the hub know of a speaker that has MQTT."""
        device = self._devices.get(id)
        if device is None:
            self._noted.pop(id, None)
            return
        info = device.info
        facts = {
            "online": device.online,
            "formats": list(info.get("plays", ())),
            "firmware": info.get("firmware", ""),
        }
        if facts == self._noted.get(id):
            return
        self._noted[id] = facts
        try:
            self._hub.note_speaker(id, facts)
        except MynahError as error:
            log.warning("the speaker %s is not noted: %s", id, error)

    def _note_wake(self, id: str, payload: bytes) -> None:
        try:
            event = read_fields(payload, {Required("event"): one_of("wake"), Required("level"): whole(0, 32767)})
            self._hub.note_wake(id, event["level"])
        except InputError:
            return  # another event

    # ------------------------------------------------------------ commands

    def _command(self, address: Address, payload: bytes) -> None:
        try:
            self._check_size(address, payload)
            command = read_command(payload)
        except Refusal as error:
            if error.code == "too_big" and self._devices.is_online(address.name):
                return  # it says so itself
            if not self._is_invalid_for_its_doer(address, error):
                self._reply(address, answer(error.id, error.command, error))
            return
        memory = self._memory(address)
        if memory.knows(command.id):
            known = memory.reply(command.id)
            if known is not None:
                self._reply(address, known)
            return
        if command.name == "stop":
            with contextlib.suppress(Refusal):  # of a group that there is not; that is answered below
                self._note_stop([address.name] if address.place == "speaker" else members(self._hub, address.name))
        if address.place == "group":
            self._start(address, memory, command, self._for_group(address.name, command))
        elif (trouble := self._not_there(address.name, command.shape.doer)) is not None:
            self._reply(address, answer(command.id, command.name, trouble))
        elif command.shape.doer == "hub" or self._devices.get(address.name) is None:
            self._start(address, memory, command, self._for_speaker(address.name, command))

    def _check_size(self, address: Address, payload: bytes) -> None:
        most = LARGEST_COMMAND if address.place == "speaker" else LARGEST
        if len(payload) > most:
            raise Refusal("too_big", f"{len(payload)} bytes are too many; a command has up to {most}")

    def _is_invalid_for_its_doer(self, address: Address, error: Refusal) -> bool:
        """Whether a speaker that is there answers by itself to a command of its own that does not fit."""
        from_device = address.place == "speaker" and self._devices.is_online(address.name)
        return from_device and error.id is not None and is_for_device(error.command)

    def _not_there(self, id: str, doer: Doer) -> Refusal | None:
        """Return why a speaker cannot be commanded, if it cannot."""
        device = self._devices.get(id)
        if device is None and id not in {each["id"] for each in self._hub.speakers()}:
            return Refusal("unknown", f"there is no speaker {id}")
        if device is not None and not device.online and doer == "speaker":
            return Refusal("offline", f"{id} is not connected; the broker may keep this for it")
        return None

    def _start(
        self, address: Address, memory: Remembered, command: Command, doing: Coroutine[Any, Any, dict[str, Any]]
    ) -> None:
        key = f"{address.place}/{address.name}"
        if len(self._tasks.get(key, ())) >= UNDER_WAY_EACH or sum(map(len, self._tasks.values())) >= UNDER_WAY:
            doing.close()
            self._reply(address, answer(command.id, command.name, Refusal("busy", "too much is under way; try again")))
            return
        memory.begin(command.id)
        self._begin(key, self._finish(address, memory, command, doing), f"{command.name} for {address.name}")

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        tasks = self._tasks.get(key, set())
        tasks.discard(task)
        if not tasks:
            self._tasks.pop(key, None)

    async def _finish(
        self, address: Address, memory: Remembered, command: Command, doing: Awaitable[dict[str, Any]]
    ) -> None:
        try:
            reply = await doing
        except Refusal as error:
            reply = answer(command.id, command.name, error)
        except Exception:
            # Whatever is wrong with one command, whoever sent it must hear of it and the next one is to be done.
            log.exception("%s for %s failed", command.name, address.name)
            reply = answer(command.id, command.name, Refusal("failed", "an internal error; see the hub's log"))
        memory.end(command.id, reply)
        self._reply(address, reply)

    def _note_stop(self, ids: Iterable[str]) -> None:
        """Note that speakers are about to stop by themselves, so that what comes later is not stopped with it."""
        for id in ids:
            if self._devices.is_online(id) and id not in self._stopping:
                self._stopping[id] = asyncio.get_running_loop().create_future()

    async def _after_stop(self, ids: Iterable[str], command: Command) -> None:
        """Wait until speakers that were told to stop have done so, where the command is one that sounds."""
        stopping = {id: self._stopping[id] for id in ids if id in self._stopping}
        if not stopping or command.name not in SOUNDING:
            return
        await asyncio.wait(stopping.values(), timeout=STOP_S)
        for id, future in stopping.items():
            if self._stopping.get(id) is future:
                del self._stopping[id]
        await asyncio.sleep(SETTLE_S)

    async def _for_speaker(self, id: str, command: Command) -> dict[str, Any]:
        self._check_time(command)
        await self._after_stop([id], command)
        if command.name == "alarm":
            self._alarms.set(id, [id], command)
        else:
            await self._speaking.do(id, command)
        return answer(command.id, command.name)

    async def _for_group(self, name: str, command: Command) -> dict[str, Any]:
        self._check_time(command)
        ids = members(self._hub, name)
        await self._after_stop(ids, command)
        if command.name == "alarm":
            return announced(ids, command, self._alarms.set(name, ids, command))
        if command.name in ("announce", "play"):
            return announced(ids, command, await self._speaking.announce(name, ids, command))
        return await command_group(ids, command, self._for_member)

    def _check_time(self, command: Command) -> None:
        if command.expires is not None and command.expires < time.time():
            raise Refusal("expired", "it came too late")
        if command.expires is None and command.name in LAPSE_S and self.late():
            raise Refusal("expired", "the hub was away for too long")

    async def _for_member(self, id: str, command: Command) -> None:
        """Do a group's command for one member, by itself or by having it told."""
        if command.shape.doer == "hub" or self._devices.get(id) is None:
            await self._speaking.do(id, command)
            return
        await self.tell(id, command)

    async def tell(self, id: str, command: Command) -> None:
        """Have a speaker do a command by itself. Raises `Refusal` where it does not."""
        if not self._devices.is_online(id):
            raise Refusal("offline", f"{id} is not connected")
        reply = await self._ask(id, command)
        if not reply["ok"]:
            raise Refusal(reply.get("code", "failed"), reply.get("message", "it could not do it"))

    async def _ask(self, id: str, command: Command) -> Mapping[str, Any]:
        key = (id, command.id)
        if command.name == "stop":
            self._note_stop([id])
        future = self._awaited[key] = asyncio.get_running_loop().create_future()
        try:
            order = {"id": command.id, "command": command.name, **command.fields}
            self._outbox.send(self._topics.speaker(id, "cmd"), order)
            async with asyncio.timeout(REPLY_S):
                reply: Mapping[str, Any] = await future
        except TimeoutError:
            raise Refusal("failed", f"{id} did not answer within {REPLY_S:g} s") from None
        finally:
            self._awaited.pop(key, None)
        return reply

    def _note_reply(self, id: str, payload: bytes) -> None:
        try:
            reply = read_fields(payload, REPLY)
        except Refusal:
            return
        if reply["by"] != "speaker":
            return
        self._log_refusal(f"a command at {id}", reply)
        if reply["command"] == "stop" and (stopping := self._stopping.pop(id, None)) is not None:
            stopping.set_result(None)
        future = self._awaited.get((id, reply["id"] or ""))
        if future is not None and not future.done():
            future.set_result(reply)

    def _memory(self, address: Address) -> Remembered:
        key = f"{address.place}/{address.name}"
        memory = self._memories.pop(key, None) or Remembered()
        self._memories[key] = memory
        if len(self._memories) > MEMORIES:
            self._memories.popitem(last=False)
        return memory

    # ------------------------------------------------------------ properties

    def _set(self, address: Address, payload: bytes) -> None:
        id, name = address.name, address.property
        device = self._devices.get(id)
        if name in PROPERTIES and PROPERTIES[name][0] == "speaker" and device is not None and device.online:
            return  # it does so itself
        try:
            doer = PROPERTIES[name][0] if name in PROPERTIES else "hub"
            if (trouble := self._not_there(id, doer)) is not None:
                raise trouble
            value = read_scalar(name, payload)
            if name == "firmware":
                self._begin(f"speaker/{id}", self._update(address, value), f"update of {id}")
            else:
                self._speaking.set(id, name, value)
        except Refusal as error:
            self._reply(address, answer(None, f"{name[:40]}/set", error))
        except InputError as error:
            self._reply(address, answer(None, f"{name[:40]}/set", Refusal("invalid", str(error))))

    async def _update(self, address: Address, version: str) -> None:
        try:
            await self.updates.send(address.name, version)
        except Refusal as error:
            self._reply(address, answer(None, "firmware/set", error))


def is_for_device(command: str | None) -> bool:
    """Whether speakers do the command of that name themselves."""
    return command is not None and command in COMMANDS and COMMANDS[command].doer == "speaker"
