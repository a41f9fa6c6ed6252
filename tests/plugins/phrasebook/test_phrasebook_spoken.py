"""The interpreter is spoken to, on embedded engines alone."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import aclosing

from mynah import LISTENING, OutletOptions, SessionOptions, SpeechChunk, TurnFinished
from mynah.audio import read_audio

SAID = {
    "where does it hurt": "¿Dónde le duele?",
    "my left knee hurts": "Me duele la rodilla izquierda.",
    "take two tablets a day": "Tome 2 pastillas al día.",
}


async def test_english_phrases_are_heard_and_said_in_spanish(run_hub, tmp_path):
    async with run_hub(installed=["phrasebook", "pocketsphinx", "espeak", "vad"]) as hub:
        session = hub.open_session(SessionOptions(persona="interpreter"))
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            for said, put in SAID.items():
                clip = tmp_path / "said.wav"
                speak = ["flite", "-voice", "slt", "-t", said, "-o", str(clip)]
                await asyncio.to_thread(subprocess.run, speak, check=True)
                session.listen(LISTENING)
                for chunk in read_audio(clip, LISTENING):
                    session.feed(chunk.data)
                session.end_listening()
                sounded_ms = 0.0
                async for output in outputs:
                    sounded_ms += output.audio.ms if isinstance(output, SpeechChunk) else 0.0
                    if isinstance(output, TurnFinished):
                        assert output.reply == put
                        break
                assert sounded_ms > 500


async def test_a_sentence_is_heard_in_spanish_while_the_next_is_being_said(run_hub, tmp_path):
    pause, spoken = bytes(LISTENING.pcm_bytes(900)), b""
    for said in ("where does it hurt", "my left knee hurts"):
        clip = tmp_path / "said.wav"
        await asyncio.to_thread(subprocess.run, ["flite", "-voice", "slt", "-t", said, "-o", str(clip)], check=True)
        spoken += b"".join(chunk.data for chunk in read_audio(clip, LISTENING)) + pause
    async with run_hub(installed=["phrasebook", "pocketsphinx", "espeak", "vad"]) as hub:
        session = hub.open_session(SessionOptions(persona="interpreter"))
        async with asyncio.timeout(60), aclosing(session.outputs(OutletOptions())) as outputs:
            session.listen(LISTENING)
            for at in range(0, len(spoken), 3_200):
                session.feed(spoken[at : at + 3_200])
            # The button is still held.
            async for output in outputs:
                if isinstance(output, SpeechChunk):
                    break
            session.end_listening()
            async for output in outputs:
                if isinstance(output, TurnFinished):
                    assert output.reply == "¿Dónde le duele? Me duele la rodilla izquierda."
                    break
