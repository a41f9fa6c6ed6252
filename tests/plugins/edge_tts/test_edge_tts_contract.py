from mynah.testing import check_text_to_speech
from mynah_edge_tts import mynah_engines


async def test_it_does_what_every_voice_must(edge, tmp_path):
    (spec,) = mynah_engines()
    await check_text_to_speech(spec, folder=tmp_path)
