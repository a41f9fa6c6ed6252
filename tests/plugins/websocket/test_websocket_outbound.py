from __future__ import annotations

import mynah
from mynah_websocket.complaints import ALLOWED, WINDOW_S, Complaints
from mynah_websocket.hub_messages import PhraseFailed, SpeechEnded, SpeechStarted
from mynah_websocket.outbound import STREAMS, Outbound
from mynah_websocket.schema import dump

PCM = mynah.AudioFormat()


def started(phrase: int, turn: str = "t1", track: int = 0) -> mynah.SpeechStarted:
    return mynah.SpeechStarted(turn_id=turn, phrase=phrase, format=PCM, text="One.", track=track)


def chunk(phrase: int, data: bytes, turn: str = "t1", track: int = 0, at_ms: float = 0.0) -> mynah.SpeechChunk:
    audio = mynah.AudioChunk(data, PCM, PCM.pcm_ms(len(data)))
    return mynah.SpeechChunk(turn_id=turn, phrase=phrase, audio=audio, track=track, at_ms=at_ms)


def stream_of(outbound: Outbound, output: mynah.Output) -> int:
    (message,) = outbound.frames(output)
    assert isinstance(message, SpeechStarted)
    return message.stream


def test_two_tracks_have_a_stream_each():
    outbound = Outbound()
    assert [stream_of(outbound, started(1, track=track)) for track in (0, 1)] == [0, 1]
    assert outbound.frames(chunk(1, b"ab", track=1)) == [b"\x01ab"]
    assert outbound.frames(chunk(1, b"cd", track=0)) == [b"\x00cd"]


def test_numbers_go_round_and_pass_over_those_in_use():
    outbound = Outbound()
    first = stream_of(outbound, started(0, turn="long"))
    for phrase in range(1, STREAMS):
        assert stream_of(outbound, started(phrase)) == phrase
        outbound.frames(mynah.SpeechEnded(turn_id="t1", phrase=phrase))
    assert stream_of(outbound, started(300)) == first + 1


def test_more_phrases_at_once_than_numbers_give_up_the_oldest():
    outbound = Outbound()
    numbers = [stream_of(outbound, started(phrase)) for phrase in range(STREAMS + 1)]
    assert numbers == [*range(STREAMS), 0]


def test_the_end_of_a_turn_frees_its_streams():
    for end in (
        mynah.Interrupted(turn_id="t1", heard_ms=0, heard=""),
        mynah.TurnFailed(turn_id="t1", message="no voice"),
        mynah.TurnDropped(turn_id="t1", reason="noise"),
    ):
        outbound = Outbound()
        for phrase in range(STREAMS):
            outbound.frames(started(phrase))
        outbound.frames(end)
        assert stream_of(outbound, started(1, turn="t2")) == 0


def test_a_phrase_that_fails_tells_its_stream_if_it_had_one():
    outbound = Outbound()
    outbound.frames(started(1))
    told = [
        outbound.frames(mynah.PhraseFailed(turn_id="t1", phrase=phrase, message="the voice stopped"))[0]
        for phrase in (1, 2)
    ]
    assert [message.stream for message in told if isinstance(message, PhraseFailed)] == [0, None]


def test_on_a_resumed_connection_a_phrase_is_announced_with_its_first_audio():
    outbound = Outbound(resumed=True)
    assert outbound.frames(started(1)) == []
    announced, audio = outbound.frames(chunk(1, b"ab", at_ms=620.0))
    assert isinstance(announced, SpeechStarted)
    assert (announced.at_ms, announced.text, audio) == (620.0, "One.", b"\x00ab")
    (ended,) = outbound.frames(mynah.SpeechEnded(turn_id="t1", phrase=1, ms=900.0))
    assert isinstance(ended, SpeechEnded)


def test_the_end_of_a_phrase_that_was_sent_before_is_not_repeated():
    outbound = Outbound(resumed=True)
    outbound.frames(started(1))
    assert outbound.frames(mynah.SpeechEnded(turn_id="t1", phrase=1, ms=900.0)) == []
    announced, _ = outbound.frames(chunk(2, b"ab", at_ms=900.0))
    assert isinstance(announced, SpeechStarted)
    assert (announced.phrase, announced.at_ms) == (2, 900.0)


def test_only_so_many_errors_are_told_and_the_rest_summed_up_once():
    complaints = Complaints()
    assert sum(complaints.admit(5.0) for _ in range(ALLOWED + 50)) == ALLOWED
    assert complaints.summary(5.0 + WINDOW_S / 2) is None
    assert complaints.summary(5.0 + WINDOW_S) == "50 more errors in 10 seconds; only the first 100 were answered"
    assert complaints.summary(5.0 + WINDOW_S) is None
    assert complaints.admit(5.0 + WINDOW_S)


def test_few_errors_are_all_told_and_never_summed_up():
    complaints = Complaints()
    assert all(complaints.admit(float(second)) for second in range(1_000))
    assert complaints.summary(2_000.0) is None


def test_an_acknowledgement_is_a_phrase_that_says_so_and_others_say_nothing():
    outbound = Outbound()
    said = [
        dump(message)
        for phrase in (
            mynah.PhraseReady(turn_id="t1", phrase=1, text="Let me think.", acknowledgement=True),
            mynah.PhraseReady(turn_id="t1", phrase=2, text="One."),
        )
        for message in outbound.frames(phrase)
    ]
    assert [message.get("acknowledgement") for message in said] == [True, None]
    assert [message["phrase"] for message in said] == [1, 2]


def test_a_tool_and_a_volume_are_told():
    outbound = Outbound()
    (tool,) = outbound.frames(mynah.ToolUsed(turn_id="t1", name="x" * 100, ok=False, ms=1.26))
    (volume,) = outbound.frames(mynah.VolumeChanged(percent=40))
    assert dump(tool) == {"turn": "t1", "name": "x" * 64, "ok": False, "ms": 1.3}
    assert dump(volume) == {"percent": 40}


def test_the_end_of_a_turn_tells_which_engines_answered_and_why_others_did_not():
    timeline = mynah.Timeline()
    timeline.engine("tts", "espeak", 3.0, ["edge_tts: refused", "openai: silent for 2 s"])
    finished = mynah.TurnFinished(turn_id="t1", outcome="answered", reply="One.", phrases=1, timeline=timeline)
    (message,) = Outbound().frames(finished)
    assert dump(message)["engines"] == {"tts": "espeak"}
    assert dump(message)["troubles"] == {"tts": ["edge_tts: refused", "openai: silent for 2 s"]}
    assert "kept" not in dump(message)


def test_the_end_of_a_turn_tells_what_was_kept_from_before():
    timeline = mynah.Timeline()
    timeline.engine("tts", "espeak", 0.1, kept=True)
    finished = mynah.TurnFinished(turn_id="t1", outcome="answered", reply="One.", phrases=1, timeline=timeline)
    (message,) = Outbound().frames(finished)
    assert dump(message)["kept"] == ["tts"]
