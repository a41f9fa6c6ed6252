"""Who may open or resume which session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mynah import Access, Hub, InputError, Interpretation, MynahError, Session, SessionOptions
from mynah_websocket.client_messages import Hello, Interpret

Identity = tuple[Access, str]
ORIGIN = "websocket"


class Refused(MynahError):
    """The connection may not go on; `code` says to the client why, `status` to the WebSocket."""

    def __init__(self, message: str, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Admission:
    """An open session and what is known of it."""

    session: Session
    resumed: bool
    persona: str
    language: str


def admit(hub: Hub, identity: Identity | None, hello: Hello) -> Admission:
    """Open or resume the session that a hello asks for.

    `identity` is who asks, as the server found out; where that is None, the token in the hello tells.
    Raises `Refused` where the token does not allow it, `InputError` and `LimitError` where it cannot be done.
    """
    role, owner = identity or _identify(hub, hello.token)
    if role not in ("admin", "speaker"):
        raise Refused(f"the role {role} may not hold conversations", "forbidden", 4403)
    speaker = hello.speaker
    if role == "speaker":
        if speaker not in (None, owner):
            raise Refused(f"this token is of speaker {owner!r} and may not be another", "forbidden", 4403)
        speaker = owner
    session = _resume(hub, hello, owner if role == "speaker" else None) if hello.resume else None
    resumed = session is not None
    if session is None:
        session = hub.open_session(
            SessionOptions(
                persona=hello.persona,
                language=hello.language,
                context=hello.context or {},
                policy=hello.policy,
                speaker=speaker,
                interpret=_interpretation(hello.interpret),
                origin=ORIGIN,
            )
        )
    known = _known(hub, session.id)
    return Admission(session, resumed, str(known.get("persona", "")), str(known.get("language", "")))


def _identify(hub: Hub, token: str | None) -> Identity:
    if token is None:
        raise Refused("this hub wants a token; send it as `token` in hello", "unauthorized", 4401)
    identity = hub.access(token)
    if identity is None:
        raise Refused("this token is not known here", "unauthorized", 4401)
    return identity


def _resume(hub: Hub, hello: Hello, owner: str | None) -> Session | None:
    """Return the session to go on with, or None where it is over. An `owner` may resume only its own."""
    if hello.resume is None:
        return None
    try:
        session = hub.session(hello.resume.session)
    except InputError:
        return None
    if owner is not None and _known(hub, session.id).get("speaker") != owner:
        raise Refused("this session is another speaker's", "forbidden", 4403)
    if session.closed:
        return None
    if hello.resume.turn is not None and hello.resume.played_ms is not None:
        session.played(hello.resume.turn, hello.resume.played_ms)
    return session


def _known(hub: Hub, session_id: str) -> Mapping[str, Any]:
    return next((entry for entry in hub.sessions() if entry.get("id") == session_id), {})


def _interpretation(wish: Interpret | None) -> Interpretation | None:
    if wish is None:
        return None
    return Interpretation(
        target=wish.target,
        source=wish.source,
        original=wish.original,
        parallel=wish.parallel,
        both_ways=wish.both_ways,
    )
