"""From what the wire says to what a session takes."""

from __future__ import annotations

from mynah import AudioError, AudioFormat, InputError, Session
from mynah_websocket import client_messages as heard
from mynah_websocket import hub_messages as say
from mynah_websocket.clock import hub_ms


class NotListening(InputError):
    """Audio came while no microphone is open."""


class Inbound:
    """Carries one client's messages and audio into its session."""

    def __init__(self, session: Session, records: AudioFormat) -> None:
        self._session = session
        self._records = records
        self._format: AudioFormat | None = None

    def audio(self, data: bytes) -> None:
        """Take a frame of the microphone. Raises `NotListening`, `AudioError`, `LimitError`."""
        if self._format is None:
            raise NotListening("audio came before `listen`, or after `end_listening`; it was thrown away")
        if self._format.is_pcm and len(data) % self._format.frame_bytes:
            raise AudioError(
                f"{len(data)} bytes are no whole number of samples of {self._format}; "
                f"each takes {self._format.frame_bytes} bytes"
            )
        self._session.feed(data)

    def take(self, message: heard.ClientMessage, received_ms: float) -> say.HubMessage | None:
        """Do what a message asks for; return the answer, where there is one. Raises `MynahError`."""
        match message:
            case heard.Listen(mode=mode, format=format):
                self._session.listen(format or self._records, mode)
                self._format = format or self._records
            case heard.EndListening():
                self._format = None
                self._session.end_listening()
            case heard.Text(text=text, language=language):
                self._session.submit(text, language=language)
            case heard.Say(text=text, language=language, start_at=start_at, urgency=urgency):
                self._session.say(text, language=language, start_at=start_at, urgency=urgency)
            case heard.Greet():
                self._session.greet()
            case heard.Interrupt(reason=reason):
                self._session.interrupt(reason)
            case heard.Played(turn=turn, ms=ms):
                self._session.played(turn, ms)
            case heard.Volume(percent=percent):
                self._session.note_volume(percent)
            case heard.Update(persona=persona, language=language, context=context):
                self._session.update(persona=persona, language=language, context=context)
            case heard.Ping(id=id):
                return say.Pong(id=id)
            case heard.Clock(client_ms=client_ms):
                return say.Clock(client_ms=client_ms, received_ms=received_ms, sent_ms=hub_ms())
            case heard.Hello():
                raise InputError("hello was said already; it comes once, at the beginning")
            case heard.Bye():
                raise ValueError("bye is the connection's own")
        return None
