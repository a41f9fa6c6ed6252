"""Sessions that outlast their hub: put away, found again, gone on with."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import tracemalloc
from contextlib import aclosing

import pytest

from mynah.archive import Archive
from mynah.audio import LISTENING, read_audio
from mynah.errors import InputError, LimitError
from mynah.events import Replied, ReplyFailed, ReplyInterrupted, SessionOpened, TurnOver
from mynah.outputs import Interrupted, SpeechChunk, SpeechEnded, TurnFinished
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.storage import Storage
from mynah.testing.engines import ScriptedLanguageModel, ScriptedTextToSpeech
from mynah.testing.hubs import run_hub, scripted_engines
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now

LONG = ["Lions eat meat. ", "They hunt at night in groups. ", "A lion sleeps twenty hours a day. "]


def engines():
    return scripted_engines(llm=ScriptedLanguageModel(LONG), tts=ScriptedTextToSpeech(0.05, 0.2))


async def ask(session, text="what do lions eat"):
    """Ask, and wait for the turn's end."""
    async with aclosing(session.outputs(OutletOptions())) as outputs:
        session.submit(text)
        async for output in outputs:
            if isinstance(output, TurnFinished):
                return output
    raise AssertionError("it did not end")


def in_hubs(tmp_path, *scenarios, config=None):
    """Run each scenario in a hub of its own on the same folder, one after the other, in virtual time."""
    carried = None

    async def main(scenario, carried):
        async with run_hub(tmp_path, specs=engines(), config=config) as hub:
            return await scenario(hub, carried)

    for scenario in scenarios:
        carried = run_in_virtual_time(main(scenario, carried))


def test_a_conversation_goes_on_after_a_restart_as_it_was(tmp_path):
    async def first(hub, _):
        session = hub.open_session(
            SessionOptions(language="de", context={"exhibit": "lion"}, policy="queue", origin="study", max_age=500.0)
        )
        await ask(session)
        return session.describe()

    async def second(hub, before):
        assert hub.sessions() == []
        session = hub.session(before["id"])
        told = session.describe()
        same = ("id", "origin", "persona", "language", "context", "created", "entries", "history")
        assert {name: told[name] for name in same} == {name: before[name] for name in same}
        assert (session.policy, session.options.max_age) == ("queue", 500.0)
        assert hub.session(before["id"]) is session
        ended = await ask(session, "and where?")
        assert ended.turn_id not in ("t1", "t2")
        assert [entry["user"] for entry in session.describe()["history"]] == ["what do lions eat", "and where?"]

    in_hubs(tmp_path, first, second)


def test_a_language_model_is_told_what_was_said_before_the_restart(tmp_path):
    heard = []

    class Listening(ScriptedLanguageModel):
        async def reply(self, messages, **more):
            heard.append([message.content for message in messages])
            async for item in super().reply(messages, **more):
                yield item

    async def main(question, id=None):
        async with run_hub(tmp_path, specs=scripted_engines(llm=Listening(["Meat."]))) as hub:
            session = hub.session(id) if id else hub.open_session(SessionOptions())
            await ask(session, question)
            return session.id

    id = run_in_virtual_time(main("what do lions eat"))
    run_in_virtual_time(main("and tigers", id))
    assert heard[-1][-3:] == ["what do lions eat", "Meat.", "and tigers"]


def test_an_exchange_is_on_disk_when_its_end_is_told(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        await ask(session)
        assert [each.reply for each in hub._archive.exchanges(session.id, 9)] == ["".join(LONG)]

    in_hubs(tmp_path, scenario)


def test_of_an_interrupted_reply_is_kept_what_was_heard(tmp_path):
    async def first(hub, _):
        session = hub.open_session(SessionOptions())
        async with aclosing(session.outputs(OutletOptions(buffer_ms=200))) as outputs:
            session.submit("what do lions eat")
            asyncio.get_running_loop().call_later(0.6, session.interrupt)
            async for output in outputs:
                if isinstance(output, Interrupted):
                    assert output.heard.startswith("Lions eat meat.")
                    return session.id, output.heard
        raise AssertionError("it was not interrupted")

    async def second(hub, before):
        id, heard = before
        (entry,) = hub.session(id).describe()["history"]
        assert (entry["reply"], entry["outcome"]) == (heard, "interrupted")

    in_hubs(tmp_path, first, second)


def test_a_question_that_was_stopped_before_a_word_of_its_reply_is_kept_as_interrupted(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            session.submit("what do lions eat")
            await anext(outputs)
            session.interrupt()
        (exchange,) = (await hub.export_session(session.id))["exchanges"]
        assert (exchange["reply"], exchange["outcome"]) == ("", "interrupted")
        assert session.statistics()["turns"] == {"interrupted": 1}

    in_hubs(tmp_path, scenario)


def test_a_reply_that_is_stopped_when_all_of_it_was_heard_was_answered(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            turn = session.submit("what do lions eat")
            async for output in outputs:
                if isinstance(output, TurnFinished):
                    break
            session.played(turn, 1e6)
            session.interrupt()
        assert [(each.reply, each.outcome) for each in session.history] == [("".join(LONG), "answered")]

    in_hubs(tmp_path, scenario)


@pytest.mark.parametrize("at", [0, 2])
def test_a_question_whose_reply_broke_off_is_kept_as_failed(tmp_path, at):
    async def main():
        model = ScriptedLanguageModel(LONG, fault="raise", at=at)
        async with run_hub(tmp_path, specs=scripted_engines(llm=model)) as hub:
            session = hub.open_session(SessionOptions())
            session.submit("what do lions eat")
            await asyncio.sleep(10)
            (exchange,) = session.history
            assert (exchange.user, exchange.outcome, bool(exchange.reply)) == ("what do lions eat", "failed", at > 0)

    run_in_virtual_time(main())


def test_where_nobody_ever_listened_a_reply_that_was_made_stays_whole(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        session.submit("what do lions eat")
        await asyncio.sleep(10)
        assert not session.busy
        session.submit("and how do they sleep")
        assert session.history[0].reply == "".join(LONG)
        await asyncio.sleep(10)
        assert [each.reply for each in hub._archive.exchanges(session.id, 9)] == ["".join(LONG)] * 2
        told = session.statistics()
        assert (told["turns"], told["interruptions"]) == ({"answered": 2}, 0)

    in_hubs(tmp_path, scenario)


@pytest.mark.parametrize("asked_after_s", [0, 60])
def test_where_nobody_ever_listened_a_reply_longer_than_may_wait_is_made_whole(tmp_path, asked_after_s):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        await asyncio.sleep(asked_after_s)
        session.submit("what do lions eat")
        await asyncio.sleep(60)
        assert [(each.reply, each.outcome) for each in session.history] == [("".join(LONG), "answered")]
        assert session.waiting_ms == 0

    in_hubs(tmp_path, scenario, config={"limits": {"audio_ahead_ms": 500}})


def test_who_comes_late_hears_what_is_asked_from_then_on(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        await asyncio.sleep(60)
        session.submit("what do lions eat")
        await asyncio.sleep(0.1)
        asyncio.get_running_loop().call_later(1, session.submit, "and how do they sleep")
        heard = []
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            async for output in outputs:
                heard.append(output)
                if isinstance(output, TurnFinished):
                    break
        assert {output.turn_id for output in heard} == {"t2"}
        assert {type(output) for output in heard} >= {SpeechChunk, SpeechEnded, TurnFinished}

    in_hubs(tmp_path, scenario)


def test_where_nobody_ever_listened_nothing_is_kept_of_a_reply_that_was_stopped_in_the_making(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        session.submit("what do lions eat")
        await asyncio.sleep(0.04)
        assert session.busy
        session.interrupt()
        assert [entry.reply for entry in session.history] == [""]

    in_hubs(tmp_path, scenario)


def test_a_session_whose_client_has_gone_is_put_away_and_comes_back(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions(origin="study"))
        await ask(session)
        await asyncio.sleep(60)
        assert session.closed
        assert hub.sessions() == []
        with hub.bus.subscribe(SessionOpened, name="test") as opened:
            again = hub.session(session.id)
            assert again is not session
            assert (await anext(aiter(opened))).session_id == session.id
        assert again.describe()["entries"] == 1
        await asyncio.sleep(60)  # nobody attached: it is put away once more
        assert hub.sessions() == []
        assert hub.session(session.id).describe()["entries"] == 1

    in_hubs(tmp_path, scenario)


def test_a_hub_that_stops_opens_no_session_again(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        await ask(session)
        await asyncio.sleep(60)
        await hub._sessions.drain(0.0)
        with pytest.raises(LimitError, match="the hub is stopping"):
            hub.session(session.id)

    in_hubs(tmp_path, scenario)


@pytest.mark.parametrize(
    ("limits", "wait_s"),
    [({"idle_timeout": 300.0}, 310.0), ({"max_age": 300.0}, 310.0)],
)
def test_past_its_idle_time_or_age_a_session_does_not_come_back(tmp_path, monkeypatch, limits, wait_s):
    async def first(hub, _):
        session = hub.open_session(SessionOptions(**limits))
        await ask(session)
        return session.id

    async def second(hub, id):
        at = hub._archive.find(id).last_active
        monkeypatch.setattr("mynah.conversation.sessions.time.time", lambda: at + wait_s)
        with pytest.raises(InputError, match="begin a new one"):
            hub.session(id)
        monkeypatch.undo()
        assert hub.session(id).id == id

    in_hubs(tmp_path, first, second)


def test_a_session_that_was_closed_does_not_come_back_but_is_kept(tmp_path):
    async def first(hub, _):
        session, away = hub.open_session(SessionOptions()), hub.open_session(SessionOptions())
        for each in (session, away):
            await ask(each)
        hub.close_session(session.id)
        await asyncio.sleep(60)
        hub.close_session(away.id)  # put away by now
        with pytest.raises(InputError):
            hub.close_session(away.id)
        return session.id, away.id

    async def second(hub, ids):
        for id in ids:
            with pytest.raises(InputError, match="begin a new one"):
                hub.session(id)
        rows = await hub.kept_sessions()
        assert {(row["id"], row["reason"], row["entries"], row["open"]) for row in rows} == {
            (id, "closed", 1, False) for id in ids
        }

    in_hubs(tmp_path, first, second)


def test_a_session_in_which_nothing_was_said_leaves_nothing(tmp_path):
    async def scenario(hub, _):
        hub.close_session(hub.open_session(SessionOptions()).id)
        assert await hub.kept_sessions() == []

    in_hubs(tmp_path, scenario)


def test_with_nothing_kept_a_restart_forgets_and_nothing_is_on_disk(tmp_path):
    async def first(hub, _):
        session = hub.open_session(SessionOptions())
        await ask(session)
        assert session.describe()["entries"] == 1
        assert hub.storage.read("SELECT count(*) FROM session") == [(0,)]
        await asyncio.sleep(60)
        with pytest.raises(InputError):
            hub.session(session.id)

    in_hubs(tmp_path, first, config={"sessions": {"keep_days": 0}})


def test_deleting_ends_the_session_and_leaves_nothing(tmp_path):
    async def scenario(hub, _):
        one, two = hub.open_session(SessionOptions()), hub.open_session(SessionOptions())
        for each in (one, two):
            await ask(each)
        assert await hub.delete_session(one.id) == 1
        assert one.closed
        assert [row["id"] for row in await hub.kept_sessions()] == [two.id]
        with pytest.raises(InputError, match="neither open nor kept"):
            await hub.delete_session(one.id)
        assert await hub.delete_session() == 1
        assert await hub.kept_sessions() == hub.sessions() == []

    in_hubs(tmp_path, scenario)


def test_all_of_a_session_is_exported(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        await ask(session)
        told = await hub.export_session(session.id)
        assert told["open"]
        assert [(each["turn_id"], each["reply"]) for each in told["exchanges"]] == [("t1", "".join(LONG))]
        with pytest.raises(InputError, match="nothing is kept"):
            await hub.export_session("s9")

    in_hubs(tmp_path, scenario)


def test_what_is_changed_in_a_session_is_there_after_a_restart(tmp_path):
    async def first(hub, _):
        session = hub.open_session(SessionOptions())
        session.update(language="fr", context={"exhibit": "zebra"})
        return session.id

    async def second(hub, id):
        told = hub.session(id).describe()
        assert (told["language"], told["context"]) == ("fr", {"exhibit": "zebra"})

    in_hubs(tmp_path, first, second)


def test_turns_never_have_a_number_twice_however_many_there_were(tmp_path):
    async def first(hub, _):
        session = hub.open_session(SessionOptions())
        for _ in range(130):
            last = session.say("Hello.")
            await asyncio.sleep(0.5)
        return session.id, int(last[1:])

    async def second(hub, before):
        id, last = before
        assert int(hub.session(id).say("Hello.")[1:]) > last

    in_hubs(tmp_path, first, second)


def test_an_origin_may_have_so_many_sessions_and_others_do_not_count(tmp_path):
    async def scenario(hub, _):
        hub.open_session(SessionOptions(origin="other"))
        for _ in range(2):
            hub.open_session(SessionOptions(origin="study", origin_max=2))
        with pytest.raises(LimitError, match="2 sessions of study are open already"):
            hub.open_session(SessionOptions(origin="study", origin_max=2))
        assert hub.statistics()["sessions"] == {"other": 1, "study": 2}

    in_hubs(tmp_path, scenario)


def test_a_session_that_was_put_away_comes_back_only_where_its_origin_has_room(tmp_path):
    async def scenario(hub, _):
        options = SessionOptions(origin="study", origin_max=1)
        away = hub.open_session(options)
        await ask(away)
        await asyncio.sleep(60)
        other = hub.open_session(options)
        with pytest.raises(LimitError, match="1 sessions of study"):
            hub.session(away.id)
        hub.close_session(other.id)
        assert hub.session(away.id).id == away.id

    in_hubs(tmp_path, scenario)


def test_a_piece_of_audio_that_is_too_large_is_refused(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions())
        session.listen(LISTENING)
        session.feed(bytes(1024))
        with pytest.raises(LimitError, match="has 2 KiB; at most 1 are taken"):
            session.feed(bytes(2048))
        told = session.describe()
        assert (told["buffered_chunks"], told["buffered_bytes"], told["pending_transcriptions"]) == (1, 1024, 1)

    in_hubs(tmp_path, scenario, config={"limits": {"chunk_kb": 1}})


def test_every_end_of_a_turn_is_an_event_with_its_timeline(tmp_path):
    async def scenario(hub, _):
        session = hub.open_session(SessionOptions(origin="study"))
        with hub.bus.subscribe(TurnOver, name="test") as events:
            async with aclosing(session.outputs(OutletOptions())) as outputs:
                session.submit("one")
                await anext(outputs)
                await asyncio.sleep(0.02)
                session.interrupt()
                session.submit("two")
                await asyncio.sleep(2)  # it is made, and waits to be heard
                session.interrupt()
            seen = [event async for event in _there(events)]
        assert [type(event) for event in seen] == [ReplyInterrupted, Replied, ReplyInterrupted]
        assert [event.made for event in seen if isinstance(event, ReplyInterrupted)] == [False, True]
        assert {(event.origin, event.recipe) for event in seen} == {("study", "converse")}
        assert all("finished" in event.timeline for event in seen)
        told = session.statistics()
        assert told["turns"] == hub.statistics()["turns"] == {"interrupted": 1, "answered": 1}
        assert told["interruptions"] == 2

    in_hubs(tmp_path, scenario)


def test_a_turn_that_failed_tells_its_timeline_too(tmp_path):
    async def main():
        specs = scripted_engines(llm=ScriptedLanguageModel(fault="raise"))
        async with run_hub(tmp_path, specs=specs) as hub:
            with hub.bus.subscribe(ReplyFailed, name="test") as events:
                session = hub.open_session(SessionOptions())
                session.submit("one")
                await asyncio.sleep(60)
                (event,) = [event async for event in _there(events)]
            assert "finished" in event.timeline
            assert session.statistics()["turns"] == {"failed": 1}

    run_in_virtual_time(main())


async def _there(events):
    while events.waiting:
        yield await anext(aiter(events))


async def test_a_disk_that_hangs_delays_no_audio_only_the_end_of_the_turn(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.archive.WRITTEN_WITHIN_S", 0.3)
    async with run_hub(tmp_path, specs=scripted_engines()) as hub:
        session = hub.open_session(SessionOptions())
        await ask(session)  # whatever is done once is done
        other = sqlite3.connect(hub.storage.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        times = {}
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            session.submit("and tigers")
            async for output in outputs:
                times.setdefault(type(output), now())
                if isinstance(output, TurnFinished):
                    break
        assert times[TurnFinished] - times[SpeechEnded] > 0.25
        assert times[SpeechChunk] < times[SpeechEnded]
        assert hub.storage.waiting >= 1
        other.execute("ROLLBACK")
        other.close()


AUDIO = {"sessions": {"audio_days": 7}}


async def asked_aloud(session):
    async with aclosing(session.outputs(OutletOptions())) as outputs:
        session.listen(LISTENING)
        session.feed(b"\x01\x10" * 8000)
        session.end_listening()
        async for output in outputs:
            if isinstance(output, TurnFinished):
                return


async def test_audio_is_kept_where_that_is_wanted_and_goes_with_its_session(tmp_path):
    async with run_hub(tmp_path, specs=engines(), config=AUDIO) as hub:
        session = hub.open_session(SessionOptions())
        await asked_aloud(session)
        await ask(session)
        await asyncio.wrap_future(hub._archive.audio.expire([session.id]))  # all is written by then
        assert (await hub.export_session(session.id))["audio"] == ["t1-reply.wav", "t1-said.wav", "t2-reply.wav"]
        said = b"".join(each.data for each in read_audio(hub.session_audio(session.id, "t1-said.wav"), LISTENING))
        assert said == b"\x01\x10" * 8000
        await hub.delete_session(session.id)
        assert not list((hub.folder / "audio").glob("*"))


async def test_of_a_session_that_another_program_deleted_no_audio_is_kept(tmp_path):
    async with run_hub(tmp_path, specs=engines(), config=AUDIO) as hub:
        session = hub.open_session(SessionOptions())
        await ask(session)
        other = Storage(hub.folder)
        try:
            await Archive(other, 1.0).delete(session.id)
        finally:
            other.close()
        await ask(session)
        await asyncio.wrap_future(hub._archive.audio.expire([session.id]))  # all is written by then
        assert not list((hub.folder / "audio").glob("*"))


async def test_no_audio_is_kept_unless_that_is_wanted(tmp_path):
    async with run_hub(tmp_path, specs=engines()) as hub:
        session = hub.open_session(SessionOptions())
        await asked_aloud(session)
        assert (await hub.export_session(session.id))["audio"] == []
        assert not (hub.folder / "audio").exists()


async def test_of_what_is_only_said_no_audio_is_kept(tmp_path):
    async with run_hub(tmp_path, specs=engines(), config=AUDIO) as hub:
        session = hub.open_session(SessionOptions())
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            session.say("The zoo closes soon.")
            async for output in outputs:
                if isinstance(output, TurnFinished):
                    break
        await asyncio.wrap_future(hub._archive.audio.expire([session.id]))
        assert not list((hub.folder / "audio").glob("*"))


SESSIONS = 15


def test_a_session_that_has_talked_costs_little_memory_and_one_that_is_put_away_none(tmp_path):
    async def scenario(hub, _):
        async def opened():
            sessions = [hub.open_session(SessionOptions()) for _ in range(SESSIONS)]
            for _ in range(3):
                for each in sessions:
                    await ask(each)
            return sessions

        await opened()  # what is made once is made
        await asyncio.sleep(60)
        assert hub.sessions() == []
        before = traced()
        await opened()
        talked = traced()
        await asyncio.sleep(60)
        assert hub.sessions() == []
        assert (talked - before) / SESSIONS < 1_000_000
        assert (traced() - before) / SESSIONS < 20_000

    tracemalloc.start()
    try:
        in_hubs(tmp_path, scenario)
    finally:
        tracemalloc.stop()


def traced():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
