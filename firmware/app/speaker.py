"""The application: puts the parts together and runs them."""

import asyncio
import gc
import sys
import time

import machine
from button import Button
from ears import Ears
from lights import Lights
from microphone import Microphone
from micropython import const
from player import Player
from ring import Ring
from session import Session
from settings import Settings
from watchdog import Watchdog
from wifi import Wifi

VERSION = "0.1.0"
_PROVEN_S = const(30)
_EACH = const(1024)
_FORGET_MS = const(10000)
ROOT = getattr(machine, "FOLDER", "") + "/"  # a simulated speaker's files are in a folder


def log(text):
    """Say something on the serial line."""
    print("%9d %s" % (time.ticks_ms(), text))


def once(name):
    """Import a module that is not needed again once its work is done: then its memory is free."""
    module = __import__(name)
    del sys.modules[name]
    return module


class Speaker:
    """All of a speaker that is set up."""

    def __init__(self, settings, slots):
        gc.threshold(_EACH)  # bytes: collected so often, what is short-lived leaves no holes between what stays
        self.settings = settings
        self.slots = slots
        self.profile = profile = once("boards").board(settings.text("board"))
        memory = bytearray(settings.number("ring"))
        self._microphone = Microphone(profile, settings.number("gain"), self._take_turns("sink"))
        self.sink = self._make_sink(profile)
        if not profile.get("shared"):  # memory in one piece is there now, and may not be later
            self.sink.open()
            self._microphone.open()
        self._ring = Ring(memory)
        self.player = Player(self.sink, self._ring)
        self.player.volume = settings.number("volume")
        self.player.mute = bool(settings.number("mute"))
        if hasattr(self.sink, "volume"):
            self.sink.volume(0 if self.player.mute else self.player.volume)
        self.session = Session(settings, self.player, len(memory), self._codecs())
        self.ears = Ears(self._microphone, self.player, memory, profile.get("shared"))
        self.ears.mode = settings.text("microphone")
        self.wifi = Wifi(settings.text("ssid"), settings.text("password"))
        self.lights = Lights(profile)
        self.button = Button(profile["button"])
        self.control = self._updating = None
        self._pressed_at = 0
        self._tasks = set()
        self._wire()

    def _take_turns(self, other):
        """Return what one of the two does before it opens an I2S that they share."""
        if not self.profile.get("shared"):
            return None
        return lambda: (self.sink if other == "sink" else self._microphone).close()

    def _make_sink(self, profile):
        if "vs1053" in profile:
            from vs1053 import Vs1053

            return Vs1053(profile)
        from loudspeaker import Loudspeaker

        blocking = self.settings.text("sink") == "blocking"
        return Loudspeaker(profile, blocking, self._take_turns("microphone"))

    def _codecs(self):
        first = self.settings.text("codec")
        if first == "ima_adpcm" and first in self.sink.codecs:
            return (first,)  # named beside it, an engine's PCM would come through as it is, at four times the bytes
        return self.sink.codecs

    def _wire(self):
        self.button.on_press = lambda: self._later(self.press())
        self.button.on_release = lambda: self._later(self.release())
        self.player.on_underrun = self._underrun
        self.player.on_phase = self.session.on_change = self._changed
        self.ears.on_wake = lambda level: self._event("wake", level=level)
        self.session.mode = "open" if self.ears.mode == "open" else None
        if self.settings.text("broker") and self.settings.text("id"):
            from control import Control

            self.control = Control(self.settings, self)

    def _later(self, work):
        task = asyncio.create_task(work)
        self._tasks = {task for task in self._tasks if not task.done()}
        self._tasks.add(task)

    def _event(self, name, **fields):
        if self.control:
            self._later(self.control.event(name, **fields))

    def _underrun(self, turn, count, ms, late):
        log("underrun %d in %s: %d ms, %d after the last audio came" % (count, turn, ms, late))
        self._event("underrun", turn=turn, count=count, ms=ms, late=late)

    def _changed(self):
        self.lights.phase = self.phase if self.session.connected else "connecting"
        if self.player.mute and self.lights.phase == "idle":
            self.lights.phase = "muted"
        if self.control:
            self.control.changed()

    # ------------------------------------------------------------ the button

    async def press(self):
        """The button goes down: be quiet and listen."""
        self._pressed_at = time.ticks_ms()
        self._event("button", action="press")
        if self.ears.mode == "off":
            return
        self.ears.held = True
        if self.player.playing or self.session.thinking:
            self.player.drop()
            await self.session.say("interrupt", reason="button")
        await self.session.say("listen", mode="push_to_talk")
        self._changed()

    async def release(self):
        """The button comes up: that was the question."""
        self._event("button", action="release")
        if time.ticks_diff(time.ticks_ms(), self._pressed_at) > _FORGET_MS:
            self._forget()
        if not self.ears.held:
            return
        self.ears.held = False
        await asyncio.sleep_ms(60)  # what is being recorded
        await self.session.say("end_listening")
        if self.ears.mode == "open":
            await self.session.say("listen", mode="open")
        self._changed()

    def _forget(self):
        """The button was down for long: the Wi-Fi is another, so start anew with setting up."""
        self.settings.put("ssid", None)
        self.settings.save()
        machine.reset()

    # ------------------------------------------------------------ what Control asks for

    @property
    def phase(self):
        """What it does: a phase of the state."""
        if self._updating:
            return "updating"
        if self.player.playing:
            return "speaking"
        if self.ears.hears:
            return "listening"
        return "thinking" if self.session.thinking else "idle"

    def state(self):
        """Return the state."""
        state = {
            "phase": self.phase,
            "volume": self.player.volume,
            "mute": self.player.mute,
            "microphone": self.ears.mode,
            "hub": self.session.connected,
            "rssi": self.wifi.signal,
            "underruns": self.player.underruns,
            "buffer_ms": self.player.held_ms,
            "heap": self._free(),
            "uptime": time.ticks_ms() // 1000,
        }
        if self.player.turn:
            state["turn"] = self.player.turn
        return state

    def _free(self):
        gc.collect()  # without, it says how long ago the last collection was
        return gc.mem_free()

    def info(self):
        """Return what does not change."""
        return {
            "id": self.settings.text("id"),
            "board": self.settings.text("board"),
            "firmware": VERSION,
            "slot": self.slots.active,
            "mpy": sys.implementation._mpy,
            "protocol": 1,
            "plays": self._codecs(),
            "records": True,
            "buffer_ms": self.session.buffer_ms,
            "ip": self.wifi.address,
            "mac": self.wifi.hardware,
        }

    def set(self, name, value, keep):
        """Set volume, mute or microphone."""
        if name == "microphone":
            self._set_microphone(value)
        else:
            setattr(self.player, name, value)
            if hasattr(self.sink, "volume"):
                self.sink.volume(0 if self.player.mute else self.player.volume)
        if keep:
            self.settings.put(name, value)
            self.settings.save()
        self._changed()

    def _set_microphone(self, mode):
        before, self.ears.mode = self.ears.mode, mode
        self.session.mode = "open" if mode == "open" else None
        if mode == "open":
            self._later(self.session.say("listen", mode="open"))
        elif before == "open":
            self._later(self.session.say("end_listening"))

    def stop(self):
        """Be quiet."""
        self.player.drop()
        self._later(self.session.say("interrupt", reason="stop"))

    def hold(self, seconds):
        """Listen as if the button were down for so long."""
        self._later(self._hold(seconds))

    async def _hold(self, seconds):
        await self.press()
        await asyncio.sleep(seconds)
        await self.release()

    async def update(self, update):
        """Install an update; see update.install. The conversation rests meanwhile, and its memory is the update's."""
        self._updating = True
        self._changed()
        try:
            await self.session.rest(True)
            while not self.player.idle:
                await asyncio.sleep_ms(20)
            gc.collect()
            install = once("update").install  # first: its names stay, and shall not lie where the audio's memory was
            self._lay(b"")
            gc.collect()
            await install(self.settings, self.session.where, self.slots, VERSION, ROOT, update)
        except BaseException:  # what is installed is started soon
            await self._go_on()
            raise

    def _lay(self, memory):
        """Give the audio this memory; an empty one takes it away."""
        self._ring.lay(memory)
        self.ears.lay(memory)

    async def _go_on(self):
        """Let the conversation go on where it was; if its memory is not there in one piece any more, start anew."""
        gc.collect()
        try:
            self._lay(bytearray(self.settings.number("ring")))
        except MemoryError:
            log("no memory for audio")
            return self._later(self._start_anew())
        self._updating = None
        await self.session.rest(False)
        self._changed()

    async def _start_anew(self):
        await asyncio.sleep(2)  # for the reply that tells why
        self.restart()

    def restart(self):
        """Start the chip again."""
        machine.reset()

    # ------------------------------------------------------------ running

    async def _prove(self):
        """A new copy that has reached the hub, and kept running, is good."""
        while not self.session.connected:
            await asyncio.sleep(1)
        if self.slots.on_trial:
            await asyncio.sleep(_PROVEN_S)
            self.slots.confirm()
            self._event("update", status="confirmed", version=VERSION)
        elif self.slots.rolled_back():
            self._event("update", status="rolled_back", version=VERSION)

    async def run(self):
        """Run until something fails that should not."""
        dog = Watchdog({"audio": (lambda: self.player.busy_at, 8000), "network": (lambda: self.session.seen_at, 40000)})
        work = [self.player.run(), self.ears.run(self.session), self.session.run(log), self.lights.run()]
        work += [self.button.run(), dog.run(), self.wifi.run(), self._prove()]
        if self.control:
            work += self.control.run(log)
        gc.collect()
        gc.threshold(max(_EACH, gc.mem_free() // 4))
        await asyncio.gather(*work)


async def _main(slots):
    settings = Settings()
    if not settings.text("ssid") or not settings.text("hub"):
        log("not set up: join the Wi-Fi called Mynah")
        lights = Lights(once("boards").board(settings.text("board")), "setup")
        blinking = asyncio.create_task(lights.run())
        await once("provisioning").Provisioning(settings, "Mynah").run()
        blinking.cancel()
        return
    speaker = Speaker(settings, slots)
    await speaker.wifi.join()
    await speaker.run()


def start(slots):
    """Run the speaker, or its set-up; returns when the chip is to start again."""
    asyncio.run(_main(slots))
