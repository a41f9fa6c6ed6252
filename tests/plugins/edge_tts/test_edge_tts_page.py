import re
from pathlib import Path

from mynah.cli.main import main
from mynah_edge_tts.config import SCHEMA

PAGE = (Path(__file__).parents[3] / "docs" / "engines" / "edge_tts.md").read_text(encoding="utf-8")
SHOWN = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]


def test_what_the_page_shows_is_a_valid_configuration(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(SHOWN, encoding="utf-8")
    assert main(["check-config", str(file)]) == 0


def test_the_page_shows_every_key_with_its_default():
    for key in SCHEMA:
        shown = re.search(rf"^ +{key}: +(\S+)", SHOWN, re.MULTILINE)[1]
        if str(key) != "voice":
            assert type(key.default())(shown.strip('"')) == key.default()
