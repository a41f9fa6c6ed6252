"""The audio of a session's turns on its way to where it is kept, if it is."""

from __future__ import annotations

from mynah.conversation.turn import Turn
from mynah.kept_audio import MOST_BYTES, KeptAudio, Phrase
from mynah.outputs import Output, SpeechChunk


class Tape:
    """Collects what the voices of the turns make; `keep` hands it over with what the person said, once a turn."""

    def __init__(self, session_id: str, audio: KeptAudio) -> None:
        self._session_id = session_id
        self._audio = audio
        self._made: dict[str, dict[int, list[Phrase]]] = {}
        self._sizes: dict[str, int] = {}

    def take(self, output: Output) -> None:
        """Take an output, as it was made."""
        if not self._audio.keeps or not isinstance(output, SpeechChunk):
            return
        size = self._sizes[output.turn_id] = self._sizes.get(output.turn_id, 0) + len(output.audio.data)
        if size <= MOST_BYTES:
            tracks = self._made.setdefault(output.turn_id, {})
            tracks.setdefault(output.track, []).append((output.phrase, output.audio))

    def keep(self, turn: Turn) -> None:
        """Keep the audio of a turn that is over."""
        said = turn.utterance.beginning(turn.utterance.size) if turn.utterance is not None else b""
        made = self._made.get(turn.id, {})
        self.forget(turn.id)
        if self._audio.keeps and (said or made):
            replies = {"reply" if track == turn.track else "original": phrases for track, phrases in made.items()}
            self._audio.keep(self._session_id, turn.id, said, replies)

    def forget(self, turn_id: str) -> None:
        """Drop what was collected of a turn."""
        self._made.pop(turn_id, None)
        self._sizes.pop(turn_id, None)
