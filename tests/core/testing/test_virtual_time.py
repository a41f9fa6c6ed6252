from __future__ import annotations

import asyncio
import time

import pytest

from mynah import OutletOptions, SessionOptions, SpeechChunk, TurnFinished
from mynah.testing import (
    ScriptedLanguageModel,
    ScriptedTextToSpeech,
    run_hub,
    run_in_virtual_time,
    scripted_engines,
)

QUESTIONS = 3
TOKENS = (*[f" word{number}" for number in range(20)], ".")


def test_half_a_minute_of_conversation_passes_in_less_than_a_second(tmp_path):
    engines = {"llm": ScriptedLanguageModel(TOKENS, first_s=0.5, each_s=0.25), "tts": ScriptedTextToSpeech(0.2, 1.0)}

    async def converse() -> tuple[list[object], float]:
        outputs = []
        async with run_hub(tmp_path, specs=scripted_engines(**engines)) as hub:
            began = time.monotonic()
            session = hub.open_session(SessionOptions())
            stream = session.outputs(OutletOptions(buffer_ms=1000))
            for number in range(QUESTIONS):
                session.submit(f"question {number}")
                async for output in stream:
                    outputs.append(output)
                    if isinstance(output, TurnFinished):
                        break
                await asyncio.sleep(5)
            await stream.aclose()
            return outputs, time.monotonic() - began

    began = time.perf_counter()
    outputs, virtual_s = run_in_virtual_time(converse())
    assert time.perf_counter() - began < 1.0
    assert virtual_s > 30
    assert sum(isinstance(output, TurnFinished) for output in outputs) == QUESTIONS
    assert sum(isinstance(output, SpeechChunk) for output in outputs) >= QUESTIONS


def test_sleeps_end_in_the_order_of_their_times():
    async def main() -> list[str]:
        woken: list[str] = []

        async def sleeper(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            woken.append(name)

        await asyncio.gather(sleeper("day", 86_400), sleeper("moment", 0.001), sleeper("hour", 3600))
        return woken

    assert run_in_virtual_time(main()) == ["moment", "hour", "day"]


def test_a_sleep_takes_exactly_as_long_as_it_says_by_every_clock_of_mynah():
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        by_loop, by_clock = loop.time(), time.monotonic()
        await asyncio.sleep(7.25)
        return loop.time() - by_loop, time.monotonic() - by_clock

    assert run_in_virtual_time(main()) == (pytest.approx(7.25), pytest.approx(7.25))


def test_a_timeout_strikes_at_its_time():
    async def main() -> float:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.get_running_loop().create_future()
        return time.monotonic() - began

    assert run_in_virtual_time(main()) == pytest.approx(60)


def test_what_the_coroutine_raises_comes_out_and_the_clock_is_real_again():
    async def main() -> None:
        await asyncio.sleep(1)
        raise LookupError("as it is")

    real = time.monotonic
    with pytest.raises(LookupError, match="as it is"):
        run_in_virtual_time(main())
    assert time.monotonic is real
