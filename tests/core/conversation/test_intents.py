"""Words that a plugin answers before a language model is asked."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from mynah.automation import IntentSpec
from mynah.errors import MynahError
from mynah.outputs import Interrupted, PhraseReady, ReplyToken, TurnFailed, TurnFinished
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.testing import ScriptedLanguageModel, run_hub, run_in_virtual_time, scripted_engines


def turn(folder, answer, text="turn it up"):
    """Say `text` to a hub with one intent; return the turn's outputs and what the language model was asked."""
    llm = ScriptedLanguageModel(("Hello", " there", "."))

    async def converse():
        specs = (*scripted_engines(llm=llm), IntentSpec(name="mine", answer=answer))
        async with run_hub(folder, specs=specs) as hub:
            session = hub.open_session(SessionOptions())
            async with aclosing(session.outputs(OutletOptions())) as outputs:
                session.submit(text)
                told = []
                async for output in outputs:
                    told.append(output)
                    if isinstance(output, TurnFinished | TurnFailed):
                        break
                return told

    return run_in_virtual_time(converse()), llm


def asked(llm) -> int:
    return llm.calls.begun


async def louder(hub, session, text, language):
    return "Louder." if text == "turn it up" else None


def test_an_intent_answers_and_the_language_model_is_not_asked(tmp_path):
    told, llm = turn(tmp_path, louder)
    assert [output.text for output in told if isinstance(output, PhraseReady)] == ["Louder."]
    assert told[-1].reply == "Louder."
    assert asked(llm) == 0


def test_words_that_an_intent_declines_go_to_the_persona(tmp_path):
    told, llm = turn(tmp_path, louder, "what do lions eat")
    assert told[-1].reply == "Hello there."
    assert asked(llm) == 1


def test_a_plain_function_may_decline_at_once_or_give_what_is_to_be_awaited(tmp_path):
    def decide(hub, session, text, language):
        return louder(hub, session, text, language) if "up" in text else None

    told, llm = turn(tmp_path / "declined", decide, "what do lions eat")
    assert (told[-1].reply, asked(llm)) == ("Hello there.", 1)
    told, llm = turn(tmp_path / "answered", decide)
    assert (told[-1].reply, asked(llm)) == ("Louder.", 0)


def test_an_intent_may_act_without_a_word(tmp_path):
    async def silently(hub, session, text, language):
        return ""

    told, _ = turn(tmp_path, silently)
    assert isinstance(told[-1], TurnFinished)
    assert told[-1].phrases == 0


def test_an_intent_that_cannot_do_it_says_why(tmp_path):
    async def refuse(hub, session, text, language):
        raise MynahError("the loudspeaker has no volume")

    told, _ = turn(tmp_path, refuse)
    assert isinstance(told[-1], TurnFailed)
    assert "no volume" in told[-1].message


def test_a_defect_of_an_intent_leaves_the_words_to_the_persona(tmp_path, caplog):
    async def broken(hub, session, text, language):
        raise ZeroDivisionError

    told, _ = turn(tmp_path, broken)
    assert told[-1].reply == "Hello there."
    assert "intent mine failed" in caplog.text


def test_an_intent_that_waits_for_something_that_is_cancelled_leaves_the_words_to_the_persona(tmp_path, caplog):
    async def stray(hub, session, text, language):
        waited_for = asyncio.get_running_loop().create_future()
        waited_for.cancel()
        return await waited_for

    told, _ = turn(tmp_path, stray)
    assert told[-1].reply == "Hello there."
    assert "intent mine failed" in caplog.text


def test_an_intent_that_takes_a_cancellation_for_a_failure_does_not_change_what_is_remembered(tmp_path):
    begun = asyncio.Event()

    async def stubborn(hub, session, text, language):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise MynahError("the house did not answer") from None

    async def converse():
        specs = (*scripted_engines(), IntentSpec(name="mine", answer=stubborn))
        async with run_hub(tmp_path, specs=specs) as hub:
            session = hub.open_session(SessionOptions())
            session.submit("turn it up")
            await begun.wait()
            session.interrupt()
            await asyncio.sleep(1)  # of virtual time: all that was under way is over
            return [(exchange.user, exchange.outcome) for exchange in session.history]

    assert run_in_virtual_time(converse()) == [("turn it up", "interrupted")]


# ------------------------------------------------------------ what it does to its own session, in the turn's first step


def acting(folder, act):
    """Say "go" to a hub whose intent then does `act(session)`, and declines.

    Return the outputs, and what `act` gave.
    """
    gave = []

    def answer(hub, session, text, language):
        if text == "go":
            gave.append(act(session))

    async def converse():
        llm = ScriptedLanguageModel(("Hello", " there", "."), first_s=0.1)
        specs = (*scripted_engines(llm=llm), IntentSpec(name="mine", answer=answer))
        async with run_hub(folder, specs=specs) as hub:
            session = hub.open_session(SessionOptions(policy="queue"))
            told = []

            async def listen():
                async with aclosing(session.outputs(OutletOptions())) as outputs:
                    async for output in outputs:
                        told.append(output)

            listening = asyncio.create_task(listen())
            await asyncio.sleep(0)
            session.submit("go")
            await asyncio.sleep(10)
            listening.cancel()
            return list(told)

    return run_in_virtual_time(converse()), gave


def test_an_intent_may_have_something_said_beside(tmp_path):
    told, _ = acting(tmp_path, lambda session: session.say("One moment."))
    ended = {output.turn_id: output.reply for output in told if isinstance(output, TurnFinished)}
    assert ended == {"t1": "Hello there.", "t2": "One moment."}


def test_an_intent_may_stop_the_reply_that_it_is_asked_for(tmp_path):
    told, gave = acting(tmp_path, lambda session: session.interrupt("enough"))
    assert gave == [True]
    (stopped,) = [output for output in told if isinstance(output, Interrupted)]
    assert (stopped.turn_id, stopped.reason) == ("t1", "enough")
    assert not any(isinstance(output, ReplyToken | TurnFinished) for output in told)


def test_an_intent_sees_that_its_session_is_busy(tmp_path):
    _, gave = acting(tmp_path, lambda session: (session.busy, session.phase, session.describe()["pending_replies"]))
    assert gave == [(True, "thinking", 1)]
