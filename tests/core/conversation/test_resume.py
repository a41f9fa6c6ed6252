"""A client that loses its connection and comes back, at any moment."""

from __future__ import annotations

import asyncio
import random
from array import array

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter
from mynah.outputs import LAST, Interrupted, SpeechChunk, SpeechStarted, TurnFailed, TurnFinished
from mynah.testing.engines import ScriptedLanguageModel, ScriptedTextToSpeech
from mynah.values import Token

LONG = ["Lions eat meat. ", "They hunt at night in groups. ", "A lion sleeps twenty hours a day. "]
TEXT = "".join(LONG)
MP3 = AudioFormat("mp3", 24_000, 1)
ADPCM = AudioFormat("ima_adpcm", 16_000, 1)
OGG = AudioFormat("ogg_opus", 48_000, 1)
WAV = AudioFormat("wav", 16_000, 1)
PCM_22 = AudioFormat("pcm_s16le", 22_050, 1)


class Counting:
    """A voice whose samples count up through the whole reply, so that every lost or doubled one shows."""

    def __init__(self, format=LISTENING, *, ms_per_word=100.0, pieces=7, speed=8.0):
        self.format = format
        self.ms_per_word = ms_per_word
        self.pieces = pieces
        self.speed = speed

    async def synthesize(self, text, *, voice, language):
        data = samples(text, self.format, self.ms_per_word)
        frames = len(data) // 2
        for number in range(self.pieces):
            piece = data[2 * (frames * number // self.pieces) : 2 * (frames * (number + 1) // self.pieces)]
            await asyncio.sleep(self.format.pcm_ms(len(piece)) / 1000 / self.speed)
            yield AudioChunk(piece, self.format, self.format.pcm_ms(len(piece)))


def samples(text, format, ms_per_word):
    first = sum(map(ord, text))  # another beginning for every phrase
    count = int(len(text.split()) * ms_per_word * format.rate / 1000)
    return array("H", [(first + number) % 60_000 for number in range(count)]).tobytes()


def whole(format=LISTENING, ms_per_word=100.0):
    return b"".join(samples(sentence.strip(), format, ms_per_word) for sentence in LONG)


class Client:
    """Plays in virtual time what one session gives, loses its connection, and comes back."""

    def __init__(self, room, format):
        self.room = room
        self.format = format
        self.kept = b""

    def arrived(self):
        return self.kept + b"".join(c.audio.data for c in self.room.of(SpeechChunk))

    async def lose(self, played_ms: float) -> None:
        """Lose the connection and all that is held but the first `played_ms`."""
        await self.room.detach()
        size = self.format.pcm_bytes(played_ms + 0.001)
        assert size <= len(self.arrived()) + self.format.frame_bytes
        self.kept = self.arrived()[:size]
        self.room.outputs.clear()
        self.room.times.clear()


@pytest.mark.parametrize("format", [LISTENING, PCM_22])
@pytest.mark.parametrize("buffer_ms", [None, 300])
@pytest.mark.parametrize("seed", range(25))
def test_nothing_is_lost_or_doubled_however_often_a_client_comes_back(in_room, format, buffer_ms, seed):
    chance = random.Random(seed)

    async def scenario(room):
        client = Client(room, format)
        turn = room.session.submit("what do lions eat")
        for _ in range(chance.randint(1, 5)):
            await asyncio.sleep(chance.choice([0.0, 0.05, chance.uniform(0, 1)]))
            arrived_ms = format.pcm_ms(len(client.arrived()))
            kept_ms = format.pcm_ms(len(client.kept))
            played = chance.choice([arrived_ms, kept_ms, chance.uniform(kept_ms, arrived_ms)])
            early = chance.random() < 0.3  # the hub has not noticed yet that the connection is gone
            if early:
                room.session.played(turn, played)
            await client.lose(played)
            if not early:
                room.session.played(turn, played)
            await asyncio.sleep(chance.choice([0.0, chance.uniform(0, 3)]))
            room.attach(resume=True)
        await asyncio.sleep(5)
        assert client.arrived() == whole(format)

    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=Counting(format), buffer_ms=buffer_ms)


@pytest.mark.parametrize("seed", range(6))
def test_a_client_that_reports_goes_on_at_its_last_report(in_room, seed):
    chance = random.Random(seed)

    async def scenario(room):
        client = Client(room, LISTENING)
        turn = room.session.submit("what do lions eat")
        reported = 0.0
        until = chance.uniform(0.3, 1.6)
        while room.began + until > asyncio.get_running_loop().time():
            await asyncio.sleep(0.1)
            reported = max(0.0, LISTENING.pcm_ms(len(client.arrived())) - 120)
            room.session.played(turn, reported)
        await client.lose(reported)
        await asyncio.sleep(chance.uniform(0, 20))
        room.attach(resume=True)
        await room.turn_over()
        assert client.arrived() == whole()

    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=Counting(), buffer_ms=300)


@pytest.mark.parametrize("after", [0.02, 0.3, 0.8, 1.7, 4.0])
def test_a_client_that_never_reports_goes_on_where_the_clock_is(in_room, after):
    async def scenario(room):
        client = Client(room, LISTENING)
        room.session.submit("what do lions eat")
        await asyncio.sleep(after)
        await client.lose(LISTENING.pcm_ms(len(client.arrived())))
        await asyncio.sleep(1)  # what it held has sounded meanwhile
        room.attach(resume=True)
        await room.turn_over()
        assert client.arrived() == whole()

    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=Counting(), buffer_ms=300)


def test_a_client_that_lost_what_it_took_at_once_gets_it_again(in_room):
    async def scenario(room):
        client = Client(room, LISTENING)
        turn = room.session.submit("what do lions eat")
        await room.turn_over()
        await asyncio.sleep(0.3)
        await client.lose(450)
        room.session.played(turn, 450)
        room.attach(resume=True)
        finished = await room.turn_over()
        assert isinstance(finished, TurnFinished)
        assert client.arrived() == whole()

    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=Counting())


def test_after_an_interruption_meanwhile_only_that_is_told(in_room):
    async def scenario(room):
        client = Client(room, LISTENING)
        turn = room.session.submit("what do lions eat")
        await asyncio.sleep(0.6)
        await client.lose(200)
        assert room.session.interrupt("enough")
        room.session.played(turn, 200)
        room.attach(resume=True)
        await asyncio.sleep(3)
        assert room.names() == ["Interrupted"]
        await room.detach()
        room.outputs.clear()
        room.attach(resume=True)
        await asyncio.sleep(1)
        assert not room.of(SpeechChunk)
        await room.turn_over(room.session.submit("again"))

    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=Counting(), buffer_ms=300)


def test_the_end_of_a_turn_that_failed_is_told_again(in_room):
    class Breaks:
        async def reply(self, messages, *, grounding, tools=()):
            yield Token("This is one sentence. ")
            await asyncio.sleep(0)
            raise RuntimeError("gone")

    async def scenario(room):
        client = Client(room, LISTENING)
        turn = room.session.submit("what do lions eat")
        assert isinstance(await room.turn_over(), TurnFailed)
        await client.lose(50)
        room.session.played(turn, 50)
        room.attach(resume=True)
        assert isinstance(await room.turn_over(), TurnFailed)
        said = samples("This is one sentence.", LISTENING, 100)
        assert client.arrived().startswith(said)
        assert client.arrived()[len(said) :] == room.of(SpeechChunk)[-1].audio.data  # the chime

    in_room(scenario, llm=Breaks(), tts=Counting())


@pytest.mark.parametrize("buffer_ms", [None, 300])
def test_an_outlet_that_takes_the_place_of_another_goes_on_in_mid_phrase(in_room, buffer_ms):
    async def scenario(room):
        room.session.submit("what do lions eat")
        for _ in range(4):
            await asyncio.sleep(0.33)
            room.attach()
        await room.turn_over()
        assert room.audio() == whole()
        assert len(room.of(LAST)) == 1

    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=Counting(pieces=1), buffer_ms=buffer_ms)


def test_an_outlet_that_comes_late_gets_everything(in_room):
    async def scenario(room):
        await room.detach()
        room.session.submit("what do lions eat")
        await asyncio.sleep(5)
        room.attach()
        await room.turn_over()
        assert room.audio() == whole()

    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=Counting(), buffer_ms=300)


# ---------------------------------------------------------------- formats


class Encoded:
    """A voice that makes compressed audio, cut anywhere."""

    def __init__(self, format, *, told=True):
        self.format = format
        self.told = told

    async def synthesize(self, text, *, voice, language):
        encode = converter(LISTENING, self.format)
        chunks = encode.feed(tone(300 * len(text.split()))) + encode.flush()
        data, ms = b"".join(chunk.data for chunk in chunks), sum(chunk.ms for chunk in chunks)
        measure = converter(self.format, self.format)
        chance = random.Random(text)
        while data:
            size = chance.randint(1, 900)
            piece, data = data[:size], data[size:]
            ms = sum(part.ms for part in measure.feed(piece))
            yield AudioChunk(piece, self.format, ms if self.told else 0.0)


def tone(ms):
    chance = random.Random(ms)
    return array("h", [chance.randint(-9000, 9000) for _ in range(int(16 * ms))]).tobytes()


@pytest.mark.parametrize("source", [MP3, ADPCM, OGG, WAV], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_a_compressed_voice_goes_on_at_the_very_sample_where_it_is_decoded(in_room, source, seed):
    undisturbed = []
    chance = random.Random(seed)

    async def listen(room):
        room.session.say(TEXT)
        await room.turn_over()
        undisturbed.append([(chunk.at_ms, chunk.audio.data) for chunk in room.of(SpeechChunk)])

    async def scenario(room):
        turn = room.session.say(TEXT)
        await asyncio.sleep(chance.uniform(0.1, 4))
        arrived = sum(chunk.audio.ms for chunk in room.of(SpeechChunk))
        await room.detach()
        played = chance.uniform(0, arrived)
        room.session.played(turn, played)
        room.outputs.clear()
        room.times.clear()
        room.attach(resume=True)
        await room.turn_over()
        begins = room.of(SpeechChunk)[0].at_ms
        assert begins == pytest.approx(played, abs=0.1)
        rest = bytearray()
        for at_ms, data in undisturbed[0]:
            skipped = LISTENING.pcm_bytes(max(0.0, begins - at_ms) + 0.001)
            rest += data[skipped:]
        assert abs(len(room.audio()) - len(rest)) <= 2 * 16
        size = min(len(rest), len(room.audio()))
        assert room.audio()[:size] == bytes(rest[:size])

    in_room(listen, tts=Encoded(source), formats=[LISTENING], buffer_ms=300)
    in_room(scenario, tts=Encoded(source), formats=[LISTENING], buffer_ms=300)


@pytest.mark.parametrize("target", [MP3, ADPCM, OGG, WAV], ids=str)
@pytest.mark.parametrize("source", [LISTENING, MP3, ADPCM, OGG, WAV], ids=str)
def test_a_resumed_phrase_in_any_format_can_be_decoded_and_covers_the_rest(in_room, source, target):
    voice = Counting(ms_per_word=300) if source == LISTENING else Encoded(source)
    total = 300 * len(TEXT.split())

    async def scenario(room):
        turn = room.session.say(TEXT)
        await asyncio.sleep(2.2)
        await room.detach()
        played = 1234.5
        assert sum(chunk.audio.ms for chunk in room.of(SpeechChunk)) > played
        room.session.played(turn, played)
        room.outputs.clear()
        room.times.clear()
        room.attach(resume=True)
        await room.turn_over()
        chunks = room.of(SpeechChunk)
        assert chunks[0].at_ms <= played + 0.1
        sounding = 0.0
        for started in room.of(SpeechStarted):
            decode = converter(target, LISTENING)
            phrase = [chunk for chunk in chunks if chunk.phrase == started.phrase]
            decoded = [piece for chunk in phrase for piece in decode.feed(chunk.audio.data)] + decode.flush()
            sounding += sum(piece.ms for piece in decoded)
            assert {chunk.audio.format for chunk in phrase} <= {target}
        first = chunks[0].at_ms
        assert sounding == pytest.approx(total - first, abs=60 * 3 + 0.06 * total)
        assert sounding >= total - played - 60

    in_room(scenario, tts=voice, formats=[target], buffer_ms=500)


def test_places_tell_where_a_converted_phrase_goes_on(in_room):
    async def scenario(room):
        turn = room.session.say(TEXT)
        await asyncio.sleep(1.5)
        await room.detach()
        room.session.played(turn, 1000)
        room.outputs.clear()
        room.attach(resume=True)
        await room.turn_over()
        assert room.of(SpeechChunk)[0].at_ms == pytest.approx(1000, abs=0.1)

    in_room(scenario, tts=Counting(ms_per_word=300), formats=[ADPCM], buffer_ms=500)


@pytest.mark.parametrize("minutes", [15, pytest.param(60, marks=pytest.mark.long)])
def test_a_long_reply_is_not_kept_for_a_client_that_takes_it_all_at_once(in_room, monkeypatch, minutes):
    class Novel:
        async def reply(self, messages, *, grounding, tools=()):
            for _ in range(minutes):
                yield Token("This is one sentence that lasts for a minute. ")
                await asyncio.sleep(0.1)

    async def scenario(room):
        room.session.submit("read to me")
        most = 0
        while not room.of(LAST):
            await asyncio.sleep(0.1)
            kept = room.session._delivery.spool._sent.values()
            size = sum(len(o.audio.data) for sent in kept for o in sent.outputs if isinstance(o, SpeechChunk))
            assert size == sum(sent.size for sent in kept) == room.session._delivery.spool._sent_bytes
            most = max(most, size)
            room.outputs = [output for output in room.outputs if isinstance(output, LAST)]
        assert 200_000 < most <= 256 * 1024
        assert room.session._delivery.playbacks["t1", 0].sent_ms == pytest.approx(minutes * 60_000)

    monkeypatch.setattr("mynah.conversation.spool.MAX_SENT_BYTES", 256 * 1024)
    slow = AudioFormat("pcm_s16le", 4_000, 1)
    in_room(scenario, llm=Novel(), tts=Counting(slow, ms_per_word=60_000 / 9, pieces=20, speed=1e6))


def test_what_was_heard_is_not_kept(in_room):
    async def scenario(room):
        turn = room.session.say("This is one sentence of it. " * 60)
        while not room.of(LAST):
            await asyncio.sleep(0.1)
            room.session.played(turn, room.session._delivery.main(turn).sent_ms - 150)
            assert room.session._delivery.spool._sent_bytes < LISTENING.pcm_bytes(8_000)

    in_room(scenario, tts=Counting(), buffer_ms=300)


def test_a_missing_last_report_does_not_keep_what_comes_after(in_room):
    async def scenario(room):
        for _ in range(12):
            turn = room.session.say(TEXT)
            await room.turn_over(turn)
            room.session.played(turn, 1300)
            await asyncio.sleep(3)
        assert len(room.session._turns.known) < 6
        assert room.session._delivery.spool._sent_bytes < LISTENING.pcm_bytes(20_000)

    in_room(scenario, tts=Counting(), buffer_ms=300)


def test_the_words_of_a_stopped_reply_are_those_heard_before_and_after_coming_back(in_room):
    async def scenario(room):
        turn = room.session.submit("what do lions eat")
        await asyncio.sleep(0.8)
        await room.detach()
        room.session.played(turn, 250)
        await asyncio.sleep(2)
        room.attach(resume=True)
        await asyncio.sleep(0.3)
        room.session.interrupt()
        await asyncio.sleep(0.01)
        stopped = room.of(Interrupted)[0]
        assert stopped.heard_ms == pytest.approx(550, abs=3)
        assert stopped.heard == "Lions eat meat. They hunt"

    voice = ScriptedTextToSpeech(0.05, 0.2, marks=True)
    in_room(scenario, llm=ScriptedLanguageModel(LONG), tts=voice, buffer_ms=300)
