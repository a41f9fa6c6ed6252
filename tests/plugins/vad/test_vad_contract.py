from mynah.testing import check_voice_activity_detector
from mynah_vad import mynah_engines


async def test_it_does_what_every_detector_must(tmp_path):
    (spec,) = mynah_engines()
    await check_voice_activity_detector(spec, folder=tmp_path)
