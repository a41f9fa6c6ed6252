"""Who may connect to the embedded broker, and what each may read and write."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final, Literal

from mynah import Hub, InputError
from mynah_mqtt.packets import Hello
from mynah_mqtt.topics import Topics

HUB: Final = "mynah-hub"
"""The name of the hub's own link. It connects from inside only."""


class Refused(InputError):
    """A client that may not connect."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose connection it is: the hub's own, a person's with all rights or reading ones, or a speaker's."""

    role: Literal["hub", "admin", "viewer", "speaker"]
    id: str = ""

    def reads(self, topics: Topics, pattern: str) -> bool:
        """Whether it may subscribe to `pattern`, or receive what is on a topic of that name."""
        return self.role != "speaker" or topics.speaker_reads(self.id, pattern)

    def writes(self, topics: Topics, topic: str) -> bool:
        """Whether it may publish on `topic`."""
        if self.role == "speaker":
            return topics.speaker_writes(self.id, topic)
        return self.role != "viewer"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Checks names and passwords: those of speakers and people are the hub's tokens, `own` is made at each start."""

    hub: Hub
    topics: Topics
    own: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def admit(self, hello: Hello, *, inside: bool) -> Account:
        """Return the account of a client. Raises `Refused` saying why not."""
        account = self._account(hello, inside=inside)
        if hello.will_topic and not account.writes(self.topics, hello.will_topic):
            raise Refused("its last will is for a topic that it may not write")
        return account

    def _account(self, hello: Hello, *, inside: bool) -> Account:
        if inside:
            if hello.username == HUB and hmac.compare_digest(hello.password.encode(), self.own.encode()):
                return Account("hub")
            raise Refused("this port is the hub's own")
        if not hello.client_id and not hello.clean:
            raise Refused("it has no client id, and wants a session that lasts")
        if not hello.username or not hello.password:
            raise Refused("it gave no user and password; a speaker's are its id and its token")
        found = self.hub.access(hello.password)
        if found is None:
            raise Refused("wrong password; it is the token that was shown at set-up")
        role, id = found
        if role == "speaker":
            if hello.username != id:
                raise Refused("the password is that of another speaker")
            if hello.client_id != id:
                raise Refused(f"a speaker's client id is its id, {id}")
            return Account("speaker", id)
        if hello.client_id == HUB or any(hello.client_id == speaker["id"] for speaker in self.hub.speakers()):
            raise Refused("its client id is that of a speaker; choose another")
        return Account("admin" if role == "admin" else "viewer")
