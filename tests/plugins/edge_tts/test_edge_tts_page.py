import re
from pathlib import Path

from mynah_edge_tts.config import SCHEMA

PAGE = (Path(__file__).parents[3] / "docs" / "engines" / "edge_tts.md").read_text(encoding="utf-8")
SHOWN = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_page_shows_every_key_with_its_default():
    for key in SCHEMA:
        shown = re.search(rf"^ +{key}: +(\S+)", SHOWN, re.MULTILINE)[1]
        if str(key) != "voice":
            assert type(key.default())(shown.strip('"')) == key.default()
