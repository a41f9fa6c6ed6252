"""The speaker over MQTT: takes commands, does them once, tells its state (docs/mqtt.md)."""

import asyncio
import gc
import json
import time

from commands import Done, Wrong, check, parse, scalar
from micropython import const
from mqtt import Mqtt

_STATE_MS = const(60000)
_EACH_MS = const(20)
_WAITING = const(4)
_LARGEST = const(1024)


def reply_text(id, command, error=None, code="failed"):
    """Return a reply as JSON."""
    reply = {"id": id, "command": command, "ok": error is None, "by": "speaker"}
    if error is not None:
        reply["code"] = code
        reply["message"] = error[:200]
    return json.dumps(reply)


class Control:
    """The MQTT side of a speaker.

    `body` is what does them: the Speaker, or what has its methods state, info, set, stop, hold, update and restart.
    """

    def __init__(self, settings, body):
        self._settings = settings
        self._body = body
        self._here = settings.text("base") + "/speaker/" + settings.text("id") + "/"
        self._mqtt = Mqtt(
            settings.text("broker"),
            settings.text("id"),
            settings.text("token"),
            (self._here + "availability", "offline"),
            ca=settings.blob("ca"),
        )
        self._mqtt.follow(self._here + "cmd", self._here + "+/set")
        self._mqtt.on_message = self._take
        self._mqtt.on_connect = self._greet
        self._done = Done(settings.text("done"))
        self._waiting = []
        self._stale = False
        self._updating = None

    @property
    def connected(self):
        """Whether the broker is there."""
        return self._mqtt.connected

    def run(self, log):
        """Return the coroutines that serve, each until cancelled."""
        return [self._mqtt.run(log), self._work(), self._tell()]

    def changed(self):
        """The state is another: publish it soon."""
        self._stale = True

    async def event(self, name, **fields):
        """Publish an event, where there is a connection."""
        fields["event"] = name
        await self._mqtt.publish(self._here + "event", json.dumps(fields))

    # ------------------------------------------------------------ telling

    async def _greet(self):
        await self._publish("info", self._body.info())
        await self._publish("state", self._body.state())
        await self._mqtt.publish(self._here + "availability", "online", 1, True)

    async def _publish(self, name, value):
        await self._mqtt.publish(self._here + name, json.dumps(value), 1, True)

    async def _tell(self):
        told_at = time.ticks_ms()
        while True:
            await asyncio.sleep_ms(_EACH_MS)
            if not self._stale and time.ticks_diff(time.ticks_ms(), told_at) < _STATE_MS:
                continue
            # Before the state is read: what changes from here on is told next time.
            self._stale = False
            told_at = time.ticks_ms()
            if self._mqtt.connected:
                await self._publish("state", self._body.state())
            await asyncio.sleep_ms(500)

    async def _answer(self, text):
        await self._mqtt.publish(self._here + "reply", text, 1)

    # ------------------------------------------------------------ commands

    async def _take(self, topic, payload, retained):
        if retained:
            return
        name = topic[len(self._here) :]
        if payload is None or len(payload) > _LARGEST:
            await self._answer(reply_text(None, name, "at most 1024 bytes, please", "too_big"))
        elif name == "cmd":
            command = parse(payload)
            if command is not None:
                await self._queue(command)
        elif name.endswith("/set") and name[:-4] in ("volume", "mute", "microphone"):
            await self._set(name[:-4], payload)

    async def _queue(self, command):
        known, reply = self._done.find(command["id"])
        if known:
            if reply:
                await self._answer(reply if reply[0] == "{" else reply_text(command["id"], reply))
        elif len(self._waiting) >= _WAITING:
            await self._answer(reply_text(command["id"], command["command"], "too many commands at once", "busy"))
        else:
            self._done.add(command["id"], None)
            self._waiting.append(command)

    async def _set(self, name, payload):
        try:
            self._body.set(name, scalar(name, payload), True)
            self.changed()
        except (Wrong, UnicodeError) as error:
            await self._answer(reply_text(None, name + "/set", str(error), "invalid"))

    async def _work(self):
        while True:
            while self._waiting:
                await self._do(self._waiting.pop(0))
                gc.collect()
            await asyncio.sleep_ms(_EACH_MS)

    async def _do(self, command):
        name, id = command["command"], command["id"]
        after = None
        try:
            check(command)
            after = self._start(name, command)
            kept, reply = name, reply_text(id, name)
        except Wrong as error:
            kept = reply = reply_text(id, name, str(error), error.code)
        self._done.add(id, None if after is not None and name == "update" else kept)
        if name in ("reboot", "update"):
            self._settings.put("done", self._done.ids(id))
            self._settings.save()
        if after is None or name == "reboot":
            await self._answer(reply)
        if after is not None:
            await after
        self.changed()

    def _start(self, name, command):
        """Do a command; return what is to be awaited after its reply."""
        body = self._body
        if name == "stop":
            body.stop()
        elif name == "volume":
            body.set("volume", command["volume"], command.get("keep", True))
        elif name == "mute":
            body.set("mute", command["mute"], True)
        elif name == "listen":
            body.hold(command.get("seconds", 8))
        elif name == "reboot":
            return self._reboot()
        else:
            return self._update(command)
        return None

    async def _reboot(self):
        await asyncio.sleep(1)  # for the reply
        self._body.restart()

    async def _update(self, command):
        """Updates take long: a task does it, so that the speaker can still be silenced."""
        if self._updating is not None and not self._updating.done():
            text = reply_text(command["id"], "update", "another update is under way", "busy")
            self._done.add(command["id"], text)
            await self._answer(text)
        else:
            self._updating = asyncio.create_task(self._install(command))

    async def _install(self, command):
        version = command["version"]
        try:
            await self.event("update", status="loading", version=version)
            await self._body.update((command["url"], version, command["size"], bytes.fromhex(command["mac"])))
            text = reply_text(command["id"], "update")
        except ValueError as error:
            text = reply_text(command["id"], "update", str(error), "refused")
        except (OSError, MemoryError, asyncio.TimeoutError) as error:
            text = reply_text(command["id"], "update", "could not be loaded: " + str(error))
        self._done.add(command["id"], text)
        await self._answer(text)
        if '"ok": true' in text:
            await self.event("update", status="rebooting", version=version)
            await asyncio.sleep(2)
            self._body.restart()
