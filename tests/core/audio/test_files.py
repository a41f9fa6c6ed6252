from __future__ import annotations

import wave
from pathlib import Path

import pytest

from mynah.audio import LISTENING, AudioFormat, read_audio
from mynah.errors import AudioError

AUDIO = Path(__file__).parents[2] / "audio"


def heard(lab, path):
    pcm = lab.joined(read_audio(path, LISTENING))
    return LISTENING.pcm_ms(len(pcm)), lab.peak(pcm, 16_000)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("tone.wav", AudioFormat("wav", 22_050, 2)),
        ("tone.mp3", AudioFormat("mp3", 44_100, 2)),
        ("tone.opus", AudioFormat("ogg_opus", 48_000)),
        ("tone.webm", AudioFormat("webm_opus", 48_000)),
    ],
)
def test_each_format_is_read_whatever_the_file_is_called(lab, tmp_path, name, format):
    data = lab.source_of(format, lab.sine(format.rate, format.channels))
    for path in (tmp_path / name, tmp_path / "noname"):
        path.write_bytes(data)
        ms, (hertz, level) = heard(lab, path)
        assert ms == pytest.approx(1000, abs=130)
        assert hertz == pytest.approx(440, abs=2)
        assert level == pytest.approx(0.4, rel=0.2)


@pytest.mark.parametrize(
    ("name", "kind", "codec"),
    [
        ("tone.flac", "flac", "flac"),
        ("tone.m4a", "ipod", "aac"),
        ("tone.aiff", "aiff", "pcm_s16be"),
        ("tone.mka", "matroska", "aac"),
        ("odd.wav", "wav", "adpcm_ms"),
    ],
)
def test_other_files_that_pyav_knows_are_read(lab, tmp_path, name, kind, codec):
    source = AudioFormat("wav", 44_100, 2)
    path = tmp_path / name
    with path.open("wb") as file:
        import av

        with av.open(file, "w", format=kind) as container:
            stream = container.add_stream(codec, rate=source.rate, layout="stereo")
            frame = av.AudioFrame("s16", "stereo", 44_100)
            frame.planes[0].update(lab.sine(44_100, 2))
            frame.sample_rate = 44_100
            frame.pts = 0
            for part in (frame, None):
                container.mux(stream.encode(part))
    ms, (hertz, level) = heard(lab, path)
    assert ms == pytest.approx(1000, abs=100)
    assert hertz == pytest.approx(440, abs=2)
    assert level == pytest.approx(0.4, rel=0.2)


def test_a_recording_is_read_to_the_sample():
    with wave.open(str(AUDIO / "goforward.wav")) as file:
        expected = file.readframes(file.getnframes())
    chunks = list(read_audio(AUDIO / "goforward.wav", LISTENING))
    assert b"".join(chunk.data for chunk in chunks) == expected
    assert max(len(chunk.data) for chunk in chunks) <= 8192
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(LISTENING.pcm_ms(len(expected)))


def test_a_file_in_the_target_format_passes_unchanged(tmp_path):
    path = AUDIO / "alexa.wav"
    chunks = list(read_audio(path, AudioFormat("wav", 16_000)))
    assert b"".join(chunk.data for chunk in chunks) == path.read_bytes()


def test_a_file_becomes_any_target(lab):
    chunks = list(read_audio(AUDIO / "alexa.wav", AudioFormat("mp3", 24_000)))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(625, abs=130)


def test_the_format_behind_a_tag_with_a_picture_is_found(lab, tmp_path):
    path = tmp_path / "cover.mp3"
    tag = b"ID3\x04\0\0" + bytes(100_000 >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(100_000)
    format = AudioFormat("mp3", 24_000)
    path.write_bytes(tag + lab.source_of(format, lab.sine(24_000)))
    chunks = list(read_audio(path, format))
    assert lab.joined(chunks) == path.read_bytes()
    assert heard(lab, path)[0] == pytest.approx(1000, abs=130)


def test_a_file_cut_in_half_gives_what_is_there(lab, tmp_path):
    path = tmp_path / "half.flac"
    speech = (AUDIO / "jfk.wav").read_bytes()[44:]
    whole = lab.container_of("flac", "flac", speech, AudioFormat("wav"))
    path.write_bytes(whole[: len(whole) // 2])
    assert 4000 < heard(lab, path)[0] < 7000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("question.txt", b"What do lions eat?\n" * 1000),
        ("empty.wav", b""),
        ("noise.bin", bytes(range(256)) * 100),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/tone.mp3\n"),
        ("page.html", b"<html><body>404</body></html>"),
    ],
)
def test_what_is_not_audio_is_an_error_that_names_the_file(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    message = f"^{name}: not audio that can be read; use WAV, MP3, Ogg Opus, WebM or FLAC$"
    with pytest.raises(AudioError, match=message):
        list(read_audio(path, LISTENING))


def test_a_damaged_file_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "cut.wav"
    path.write_bytes((AUDIO / "alexa.wav").read_bytes()[:30])
    with pytest.raises(AudioError, match=r"^cut\.wav: this WAV ends within its header"):
        list(read_audio(path, LISTENING))


def test_a_missing_file_and_a_folder_are_errors_that_name_them(tmp_path):
    with pytest.raises(AudioError, match=r"^nothing\.wav: there is no such file"):
        list(read_audio(tmp_path / "nothing.wav", LISTENING))
    with pytest.raises(AudioError, match=f"^{tmp_path.name}: the file cannot be read"):
        list(read_audio(tmp_path, LISTENING))
