from __future__ import annotations

import io
import logging
import sys

from mynah_whisper import progress
from mynah_whisper.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_without_a_terminal_lines_are_logged(caplog, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "EVERY_S", 0)
    with caplog.at_level(logging.INFO), Progress("fetching the model tiny") as shown:
        shown.begin(10_000_000)
        shown.add(4_000_000)
    assert "fetching the model tiny: 4 of 10 MB" in caplog.messages
    assert caplog.messages[-1].startswith("fetching the model tiny: done after")


def test_on_a_terminal_there_is_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("loading the model base") as shown:
        shown.begin(100)
        shown.add(50)
    assert "loading the model base" in terminal.getvalue()
