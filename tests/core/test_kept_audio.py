"""Files of what was said and replied: written, found, bounded, deleted."""

from __future__ import annotations

import os
import stat
import threading
import time

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter, read_audio
from mynah.errors import InputError
from mynah.kept_audio import DAY_S, MOST_WAITING, KeptAudio, decoded

SAID = b"\x01\x10" * 16_000
VOICE = AudioFormat("pcm_s16le", 24_000, 1)


def chunks(format=VOICE, seconds=1):
    """A second of a sound in a format, in pieces, as a voice gives it."""
    made = converter(VOICE, format)
    pcm = b"\x00\x20\x00\xe0" * 12_000 * seconds
    found = [each for start in range(0, len(pcm), 4_800) for each in made.feed(pcm[start : start + 4_800])]
    return [*found, *made.flush()]


@pytest.fixture
def audio(tmp_path):
    audio = KeptAudio(tmp_path / "audio", days=7, most_bytes=1 << 20)
    yield audio
    audio.close()


def settled(audio):
    """Wait until everything is written."""
    audio.expire(["s1", "s2", "s3"]).result()


def seconds(path):
    pcm = b"".join(chunk.data for chunk in read_audio(path, LISTENING))
    return len(pcm) / 32_000


def test_what_was_said_and_the_reply_are_wav_files(audio):
    audio.keep("s1", "t1", SAID, {"reply": [(1, chunk) for chunk in chunks()]})
    settled(audio)
    assert audio.files("s1") == ["t1-reply.wav", "t1-said.wav"]
    assert seconds(audio.file("s1", "t1-said.wav")) == pytest.approx(1.0, abs=0.01)
    assert seconds(audio.file("s1", "t1-reply.wav")) == pytest.approx(1.0, abs=0.01)


def test_files_are_their_owners_only(audio):
    audio.keep("s1", "t1", SAID, {})
    settled(audio)
    path = audio.file("s1", "t1-said.wav")
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


@pytest.mark.parametrize("codec", ["mp3", "pcm_s16le"])
def test_phrases_follow_each_other_whatever_the_voice_makes(codec):
    format = AudioFormat(codec, 24_000, 1)
    phrases = [(phrase, chunk) for phrase in (1, 2) for chunk in chunks(format)]
    target, pcm = decoded(phrases)
    assert target == VOICE
    assert len(pcm) / 48_000 == pytest.approx(2.0, abs=0.25)


def test_a_second_voice_in_another_format_goes_on_at_the_rate_of_the_first():
    other = AudioFormat("pcm_s16le", 16_000, 1)
    target, pcm = decoded([*((1, each) for each in chunks()), *((2, each) for each in chunks(other))])
    assert target == VOICE
    assert len(pcm) / 48_000 == pytest.approx(2.0, abs=0.02)


def test_the_oldest_files_go_where_there_is_no_more_room(audio):
    half = b"\x01\x10" * 150_000
    for turn in (1, 2, 3, 4):
        audio.keep("s1", f"t{turn}", half, {})
        settled(audio)
        os.utime(audio.file("s1", f"t{turn}-said.wav"), (turn, time.time() - 100 + turn))
    assert audio.files("s1") == ["t2-said.wav", "t3-said.wav", "t4-said.wav"]


def test_what_is_older_than_it_may_be_goes_and_so_does_what_belongs_to_nobody(audio):
    for session in ("s1", "s2", "s3"):
        audio.keep(session, "t1", SAID, {})
    settled(audio)
    os.utime(audio.file("s1", "t1-said.wav"), (0, time.time() - 8 * DAY_S))
    audio.expire(["s1", "s2"]).result()
    assert [audio.files(session) for session in ("s1", "s2", "s3")] == [[], ["t1-said.wav"], []]
    assert not (audio._folder / "s3").exists()


def test_deleting_a_session_takes_its_files_and_no_others(audio):
    for session in ("s1", "s2"):
        audio.keep(session, "t1", SAID, {})
    audio.delete("s1").result()
    assert (audio.files("s1"), audio.files("s2")) == ([], ["t1-said.wav"])
    audio.delete().result()
    assert audio.files("s2") == []


@pytest.mark.parametrize("name", ["../mynah.sqlite3", "t1-said.mp3", "t1-other.wav", "", "t1-said.wav/"])
def test_no_other_file_can_be_asked_for(audio, name):
    audio.keep("s1", "t1", SAID, {})
    settled(audio)
    with pytest.raises(InputError, match="is kept"):
        audio.file("s1", name)


@pytest.mark.parametrize("session", ["..", "../data", "", "/etc", "s1/../s2", "s1\n"])
def test_no_other_folder_can_be_asked_for(audio, session):
    with pytest.raises(InputError, match="no id of a session"):
        audio.files(session)


def test_audio_that_waits_for_a_slow_disk_is_bounded(audio, caplog):
    hold = threading.Event()
    audio._writer.submit(hold.wait)
    for turn in range(MOST_WAITING + 5):
        audio.keep("s1", f"t{turn}", SAID, {})
    hold.set()
    assert caplog.text.count("the disk is too slow") == 5


def test_audio_that_cannot_be_decoded_is_told_of_and_stops_nothing(audio, caplog):
    noise = AudioChunk(b"no sound at all" * 50, AudioFormat("mp3", 24_000, 1), 10.0)
    audio.keep("s1", "t1", b"", {"reply": [(1, noise)]})
    audio.keep("s1", "t2", SAID, {})
    settled(audio)
    assert audio.files("s1") == ["t2-said.wav"]
