"""Playing in step: announcements on real sockets, to speakers whose clocks, formats and buffers differ."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from mynah import AudioFormat
from mynah.testing import run_hub, scripted_engines
from mynah.testing.engines import ScriptedTextToSpeech
from mynah.testing.speaker import FakeSpeaker

SKEW_MS = 20.0
SPEAKERS = {
    "kitchen": (0.0, AudioFormat("pcm_s16le", 16_000, 1), 300.0),
    "hall": (-86_400.0, AudioFormat("pcm_s16le", 24_000, 1), 500.0),
    "attic": (12_345.678, AudioFormat("ima_adpcm", 16_000, 1), 400.0),
    "cellar": (0.25, AudioFormat("mp3", 24_000, 1), 800.0),
    "porch": (-3.0, AudioFormat("pcm_s16le", 48_000, 2), None),
}
TEXT = "The zoo closes in ten minutes. Please come to the gates now, and good night."


async def test_speakers_with_clocks_of_their_own_play_an_announcement_in_step(tmp_path, record_property):
    config = {"speakers": {name: {} for name in SPEAKERS}}
    specs = scripted_engines(tts=ScriptedTextToSpeech(0.1, 0.15))
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(
            run_hub(tmp_path, specs=specs, config=config, installed=["http", "websocket"])
        )
        speakers = {}
        for name, (ahead_s, plays, buffer_ms) in SPEAKERS.items():

            def clock(ahead_s: float = ahead_s) -> float:
                return time.monotonic() + ahead_s

            speakers[name] = await stack.enter_async_context(
                FakeSpeaker(
                    hub.addresses["http"],
                    speaker=name,
                    plays=(plays,),
                    buffer_ms=buffer_ms,
                    playback="real_time",
                    clock=clock,
                )
            )
            await speakers[name].sync_clock()
        report = await hub.announce(TEXT, "all").finished()
        assert set(report.heard) == set(SPEAKERS)
        await asyncio.sleep(0.2)
        began = {name: one.loudspeaker.began_at("t1") - SPEAKERS[name][0] for name, one in speakers.items()}
        ended = {name: one.loudspeaker.through_at("t1") - SPEAKERS[name][0] for name, one in speakers.items()}
        began["cellar"] += 1.105 / 24  # an MP3 stream begins with silence, of which the hub knows
        del ended["cellar"]  # and ends with some
        skew_ms = {
            what: (max(at.values()) - min(at.values())) * 1000 for what, at in (("begin", began), ("end", ended))
        }
        record_property("skew_ms", skew_ms)
        assert skew_ms["begin"] <= SKEW_MS
        assert skew_ms["end"] <= SKEW_MS
        assert all(one.loudspeaker.gap_ms == 0 for one in speakers.values())


async def test_a_reply_that_sounds_on_one_of_them_does_not_put_them_out_of_step(tmp_path):
    config = {"speakers": {"kitchen": {}, "hall": {}}}
    specs = scripted_engines(tts=ScriptedTextToSpeech(0.02, 0.05))
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(
            run_hub(tmp_path, specs=specs, config=config, installed=["http", "websocket"])
        )
        kitchen, hall = [
            await stack.enter_async_context(
                FakeSpeaker(hub.addresses["http"], speaker=name, buffer_ms=buffer_ms, playback="real_time")
            )
            for name, buffer_ms in (("kitchen", 600.0), ("hall", 300.0))
        ]
        for one in (kitchen, hall):
            await one.sync_clock()
        await kitchen.say("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.")
        report = await hub.announce("The zoo closes in ten minutes.", "all").finished()
        assert set(report.heard) == {"kitchen", "hall"}
        skew_s = kitchen.loudspeaker.began_at("t2") - hall.loudspeaker.began_at("t1")
        assert abs(skew_s) * 1000 <= SKEW_MS
        assert kitchen.loudspeaker.began_at("t2") > kitchen.loudspeaker.began_at("t1") + 0.5
        reply = kitchen.turns["t1"]
        assert not reply.all("interrupted")
