"""What can be configured under `engines:` for the engine `openai`, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import voluptuous as vol

OPENAI_URL: Final = "https://api.openai.com/v1"


def _base_url(value: Any) -> str:
    """Check a server's address; it is shown in logs and errors, and so must hold no secret."""
    text = value if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise vol.Invalid("an address begins with http:// or https://, such as http://localhost:11434/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise vol.Invalid("an address holds no user, password or query, as it is shown in logs; use api_key or headers")
    return text.rstrip("/")


def _secret(value: Any) -> str:
    """Check what goes into a header; nothing of it is repeated."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or not (text.isascii() and text.isprintable()):
        raise vol.Invalid("expected one line of plain letters, digits and marks; use !secret or !env_var for it")
    return text


def _key(value: Any) -> str | None:
    """Check a key. One function rather than `Any`, whose own words would repeat the value."""
    return None if value is None else _secret(value)


def _number(low: float, high: float) -> vol.All:
    return vol.All(vol.Coerce(float), vol.Range(min=low, max=high))


SERVER: Final[Mapping[Any, Any]] = {
    vol.Optional(
        "base_url", default=OPENAI_URL, description="The server's address, usually up to and with /v1."
    ): vol.All(str, _base_url),
    vol.Optional(
        "api_key", default=None, description="Its key, by !secret or !env_var; null where it asks for none."
    ): _key,
    vol.Optional("headers", default=dict, description="Further headers, such as OpenAI-Organization."): {str: _secret},
    vol.Optional("connect_timeout", default=3.0, description="Seconds for a connection to the server."): _number(
        0.1, 60
    ),
    vol.Optional(
        "timeout", default=30.0, description="Seconds without a byte after which an answer is given up."
    ): _number(0.1, 600),
    vol.Optional(
        "preload",
        default=False,
        description="Make a tiny request at start, so that a local server has the model loaded. It may cost something.",
    ): bool,
    vol.Optional("extra_body", default=dict, description="Further keys of each request, as the server knows them."): {
        str: object
    },
    vol.Required("model", description="The model's name, as the server knows it."): vol.All(str, vol.Length(min=1)),
}

CHAT: Final[Mapping[Any, Any]] = {
    **SERVER,
    vol.Optional(
        "temperature", default=None, description="How freely it chooses its words, 0 to 2; null: as the server has it."
    ): vol.Any(None, _number(0, 2)),
    vol.Optional(
        "max_tokens", default=None, description="The longest reply, in tokens; null: as the server has it."
    ): vol.Any(None, vol.All(int, vol.Range(min=1, max=1_000_000))),
    vol.Optional(
        "audio_input",
        default=False,
        description="Whether the model takes the person's voice itself, so that a turn needs no transcript.",
    ): bool,
}

TRANSLATION: Final[Mapping[Any, Any]] = {
    **{key: value for key, value in CHAT.items() if str(key) not in ("audio_input", "temperature")},
    vol.Optional(
        "temperature", default=0.0, description="How freely it chooses its words, 0 to 2; null: as the server has it."
    ): vol.Any(None, _number(0, 2)),
    vol.Optional(
        "instructions", default="", description="Told to the model besides, such as how to address people."
    ): str,
}

TRANSCRIPTION: Final[Mapping[Any, Any]] = {
    **SERVER,
    vol.Optional(
        "language", default=None, description="The language spoken, as a tag; auto: let it tell; null: the session's."
    ): vol.Any(None, str),
    vol.Optional("prompt", default="", description="Told to the model before the words it may expect."): str,
    vol.Optional(
        "response_format",
        default="json",
        description="The form of the answer; verbose_json tells language and confidence, where it is offered.",
    ): vol.In(["json", "verbose_json", "text"]),
    vol.Optional(
        "stream", default=True, description="Whether to ask for the words as they are found; many servers cannot."
    ): bool,
    vol.Optional("max_seconds", default=120.0, description="The longest utterance that is sent, in seconds."): _number(
        1, 3600
    ),
}

SPEECH: Final[Mapping[Any, Any]] = {
    **SERVER,
    vol.Optional("voice", default="alloy", description="The voice, where the persona names none."): vol.All(
        str, vol.Length(min=1)
    ),
    vol.Optional(
        "format", default="pcm", description="What is streamed; mp3 and opus save much of the network."
    ): vol.In(["pcm", "mp3", "opus"]),
    vol.Optional(
        "sample_rate", default=24_000, description="Of the server's PCM, in Hz; other formats tell it themselves."
    ): vol.All(int, vol.Range(min=8_000, max=96_000)),
    vol.Optional("speed", default=1.0, description="Speed; 1 is as it comes."): _number(0.25, 4),
    vol.Optional("instructions", default="", description="How to speak, for models that can be told."): str,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """The keys that all kinds have, checked. Never shows its secrets."""

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_timeout: float = 3.0
    timeout: float = 30.0
    preload: bool = False
    extra_body: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> ServerOptions:
        """Return the server's part of a validated configuration."""
        return cls(**{str(key): config[str(key)] for key in SERVER})

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be shown."""
        return tuple(secret for secret in (self.api_key, *self.headers.values()) if secret)
