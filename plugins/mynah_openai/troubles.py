"""What went wrong with a server, in one line for people. Keys are never repeated, not even those that it echoes."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from mynah import EngineError, EngineUnavailable
from mynah_openai.config import ServerOptions
from mynah_openai.pace import again, retry_after

REDACTED: Final = "«secret»"
LONG_SECRET: Final = 8
"""A shorter one, such as the header `1` or the key `x` of a server that asks for any, is taken out as a word only."""
MAX_DETAIL: Final = 200


class Refused(EngineError):
    """The server answered a request with a status that says no; `detail` is what it said, without secrets."""

    def __init__(self, message: str, *, status: int, detail: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail
        self.pause = pause


class Hurried(EngineError):
    """The server closed the connection before it answered; a fresh connection may do."""


class Strange(Exception):
    """The server sent what is not of the API."""


class Cut(Exception):
    """The answer ended before it was whole, as that of a server that died does."""


class Stopped(Exception):
    """The server reported an error in the middle of a stream; `body` is what it sent, secrets and all."""

    def __init__(self, body: object) -> None:
        super().__init__("the server reported an error")
        self.body = body


def known_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that the client library raises for a server's faults."""
    import httpx
    import openai

    strange = (Cut, Strange, json.JSONDecodeError, UnicodeDecodeError)
    return (openai.OpenAIError, httpx.HTTPError, httpx.StreamError, Stopped, *strange)


def trouble(error: Exception, options: ServerOptions, *, answering: bool) -> EngineError:
    """Return what `error` means; `answering`: the server had begun its answer."""
    import httpx
    import openai

    title = options.base_url
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, options)
    chain = list(_causes(error))
    if any(isinstance(each, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout) for each in chain):
        return unreachable(chain, options)
    if any(isinstance(each, openai.APITimeoutError | httpx.TimeoutException) for each in chain):
        more = "no more of its answer" if answering else "no answer"
        return EngineError(f"{title}: {more} for {options.timeout:g} s")
    if any(isinstance(each, httpx.NetworkError | httpx.RemoteProtocolError) for each in chain):
        if answering:
            return EngineError(f"{title}: the connection broke in the middle of the answer")
        return Hurried(f"{title}: the server closed the connection without an answer")
    if isinstance(error, Cut):
        return EngineError(f"{title}: the answer ended in the middle")
    if isinstance(error, Stopped):
        said = told(error.body, options.secrets) or "it did not say what"
        return EngineError(f"{title}: the server gave up in the middle of its answer: {said}")
    if isinstance(error, openai.APIConnectionError):
        return unreachable(chain, options)
    return no_api(options)


def no_api(options: ServerOptions, what: str = "something strange") -> EngineError:
    """Return the error for an answer that is not the API's."""
    return EngineError(
        f"{options.base_url}: the server answered with {what}, not as an OpenAI-compatible one does;"
        " check base_url, which usually ends in /v1"
    )


def unreachable(errors: Iterable[BaseException], options: ServerOptions) -> EngineUnavailable:
    """Return the error for a server to which there is no connection, told apart by what lies behind it."""
    title, host = options.base_url, urlsplit(options.base_url).hostname
    chain = list(errors)
    for error in chain:
        if isinstance(error, socket.gaierror):
            return EngineUnavailable(f"{title}: there is no host named {host!r}; check base_url and the network")
        if isinstance(error, ConnectionRefusedError):
            return EngineUnavailable(f"{title}: nothing listens there; is the server running?")
        if isinstance(error, ssl.SSLCertVerificationError):
            return EngineUnavailable(f"{title}: its certificate is not trusted ({error.verify_message})")
        if isinstance(error, ssl.SSLError):
            return EngineUnavailable(f"{title}: no secure connection ({error.reason}); should it be http:// instead?")
    for error in chain:
        if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
            return EngineUnavailable(f"{title}: no connection in time; check base_url, the network and the firewall")
    said = next((error.strerror for error in chain if isinstance(error, OSError) and error.strerror), "")
    return EngineUnavailable(f"{title}: cannot be reached{f' ({said})' if said else ''}; check base_url")


def told(body: object, secrets: Iterable[str]) -> str:
    """Return the server's own words in an error's body as one short line without secrets, "" where it has none."""
    text = " ".join(_message(body).split())
    if text.startswith("<"):
        return ""  # a web page
    for secret in sorted(secrets, key=len, reverse=True):
        text = _without(text, secret)
    return text if len(text) <= MAX_DETAIL else f"{text[:MAX_DETAIL]}…"


def _without(text: str, secret: str) -> str:
    if len(secret) >= LONG_SECRET:
        return text.replace(secret, REDACTED)
    return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", REDACTED, text)


def _message(body: object) -> str:
    """Dig the message out of the forms in use: OpenAI's, Ollama's, vLLM's, FastAPI's."""
    if isinstance(body, dict):
        for key in ("error", "message", "detail", "msg"):
            if body.get(key):
                return _message(body[key])
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, map(_message, body)))
    return body if isinstance(body, str) else ""


def _refusal(error: Any, options: ServerOptions) -> Refused:
    status: int = error.status_code
    detail = told(error.body, options.secrets)
    pause = retry_after(status, error.response.headers)
    said = f": {detail}" if detail else ""
    what = f"{options.base_url}: "
    if status == 401:
        # What it says here often repeats a part of the key.
        detail, held = "", "the api_key is refused" if options.api_key else "it asks for an api_key"
        what += f"{held}; check api_key"
    elif status == 403:
        what += f"this key may not use the model {options.model!r}{said}"
    elif status < 400:
        what += f"the server sends the request elsewhere (HTTP {status}); set base_url to the address that it names"
    elif status == 404:
        what += f"unknown path or model {options.model!r}{said}; check base_url (it usually ends in /v1) and model"
    elif status == 429:
        what += f"too many requests{said}{f'; {again(pause)}' if pause is not None else ''}"
    elif status >= 500:
        what += f"the server failed (HTTP {status}){said}{f'; {again(pause)}' if pause is not None else ''}"
    else:
        what += f"the server refuses the request (HTTP {status}){said}"
    return Refused(what, status=status, detail=detail, pause=pause)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that lie behind it, each once."""
    seen: set[int] = set()
    left = [error]
    while left:
        each = left.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        left += [behind for behind in (each.__cause__, each.__context__) if behind is not None]
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions
