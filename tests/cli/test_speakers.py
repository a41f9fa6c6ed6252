"""`mynah speakers`: the list as a terminal shows it."""

from __future__ import annotations

from mynah.cli import speakers


class OneSpeaker:
    """A hub's REST API, with one speaker."""

    def get(self, path):
        """Return what a hub lists."""
        assert path == "speakers"
        return [
            {
                "id": "lion_house",
                "name": "Lion house",
                "area": "savanna",
                "online": True,
                "session": "s1",
                "formats": ["pcm_s16le", "ima_adpcm"],
                "last_seen": 1.0,
                "firmware": "0.1.0",
            }
        ]


def test_each_format_stands_on_a_line_of_its_own_on_a_narrow_terminal(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(speakers, "running_hub", lambda _: OneSpeaker())
    lines = cli("speakers").out.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["lion_house", "Lion", "house", "savanna", "yes", "open", "pcm_s16le", "now", "0.1.0"],
        ["ima_adpcm"],
    ]
