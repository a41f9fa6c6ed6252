"""Questions to people, and answers to what they said."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION, ActionSpec, MynahError, Run
from mynah_automation.actions.speakers import WHERE, sessions_at
from mynah_automation.config import TEXT
from mynah_automation.sentences import Grammar, Said
from mynah_automation.shapes import many
from mynah_automation.triggers.conversation import SENTENCES


async def ask(run: Run, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask, and wait for an answer: its `id`, `sentence` and `slots`; the id is None where none came in time.

    Raises `MynahError` where the speaker goes away.
    """
    part = run.house.hub.parts["automation"]
    session = sessions_at(run, data)[0]
    answers = data["answers"]
    sets = {index: many(answer["sentences"]) for index, answer in enumerate(answers)}
    grammar = Grammar(sets, part.slot_lists()) if sets else None
    heard: asyncio.Future[Mapping[str, Any] | None] = asyncio.get_running_loop().create_future()

    def said(text: str) -> bool:
        found = grammar.match(text) if grammar else (0, Said(text, {}))
        if found is None or heard.done():
            return False
        index, answer = found
        id = answers[index]["id"] if answers else ""
        heard.set_result({"id": id, "sentence": answer.sentence, "slots": dict(answer.slots)})
        return True

    def closed(event: Mapping[str, Any]) -> None:
        if event["session_id"] == session.id and not heard.done():
            heard.set_result(None)

    stops = [part.questions.ask(session.id, said), run.house.on_event("SessionClosed", closed)]
    try:
        session.say(data["question"], language=data.get("language"))
        async with asyncio.timeout(data["timeout"]):
            answer = await heard
    except TimeoutError:
        run.note(answer="none in time")
        return {"id": None, "sentence": "", "slots": {}}
    finally:
        for stop in stops:
            stop()
    if answer is None:
        raise MynahError("the speaker went away before it had an answer")
    run.note(answer=answer["id"], sentence=answer["sentence"])
    return answer


async def respond(run: Run, data: Mapping[str, Any]) -> None:
    """Answer to the sentence that began this run."""
    respond = (run.variables.get("trigger") or {}).get("respond")
    if respond is not None and not respond.done():
        respond.set_result(data["set_conversation_response"] or "")


SPECS: Final = (
    ActionSpec(
        name="ask",
        run=ask,
        schema={
            vol.Required("question", description="What is asked."): TEXT,
            **WHERE,
            vol.Optional("language", description="Its language."): TEXT,
            vol.Optional("answers", default=list, description="What may be answered; none: anything."): [
                {
                    vol.Required("id", description="What the answer is called."): TEXT,
                    vol.Required("sentences", description="Sentences that mean it."): SENTENCES,
                }
            ],
            vol.Optional("timeout", default=30, description="How long to wait for an answer."): DURATION,
        },
        short="question",
        description="Ask a question and wait for the answer, which is the response.",
    ),
    ActionSpec(
        name="set_conversation_response",
        run=respond,
        schema={
            vol.Required("set_conversation_response", description="What is said; null: nothing."): vol.Any(None, str)
        },
        description="Answer to the sentence that began this run.",
    ),
)
