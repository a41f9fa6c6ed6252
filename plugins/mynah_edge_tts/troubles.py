"""What goes wrong between here and the service, in the user's words."""

from __future__ import annotations

from typing import Final

import aiohttp
import edge_tts.exceptions as edge

from mynah import EngineError, EngineUnavailable
from mynah_edge_tts.config import Options
from mynah_edge_tts.network import NotFound

UPDATE: Final = "pip install --upgrade edge-tts"
_WHERE: Final = "engines → tts → edge_tts"


class Passing(EngineError):
    """Trouble that may be over at once: a second try is worth its while."""


def explained(error: Exception, options: Options) -> EngineError:
    """Return what to say of an error that the client raised."""
    match error:
        case EngineError():
            return error
        case aiohttp.ClientHttpProxyError():
            return EngineError(f"the proxy refused the connection (HTTP {error.status}); see {_WHERE} → proxy")
        case aiohttp.ClientResponseError():
            return _refused(error.status)
        case edge.SkewAdjustmentError():
            return _refused(403)
        case edge.WebSocketError():
            return Passing("the connection to Edge's voices broke; is the network in order?")
        case aiohttp.ClientError() | OSError():  # a TimeoutError is an OSError
            return _unreachable(error, options)
        case _:
            return not_understood()


def _refused(status: int) -> EngineError:
    match status:
        case 403:
            why = f"check this machine's clock and whether the network is let through, then update: {UPDATE}"
        case 429:
            why = "it had too many requests from here; it will answer again after a while"
        case _ if status >= 500:
            why = "it has trouble of its own; another voice after it under 'engines: tts:' speaks meanwhile"
        case _:
            why = f"it may have changed; update: {UPDATE}"
    return EngineError(f"Edge's voices refused the request (HTTP {status}): {why}")


def _unreachable(error: Exception, options: Options) -> EngineError:
    match error:
        case aiohttp.SocketTimeoutError():
            return silent(options)
        case aiohttp.ConnectionTimeoutError() | TimeoutError():
            return EngineUnavailable(
                f"no connection to Edge's voices within {options.connect_timeout:g} s; is the network in order? "
                f"({_WHERE} → connect_timeout)"
            )
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, NotFound):
            return EngineUnavailable(f"the address of Edge's voices ({error.host}) is not found; is there a network?")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return EngineUnavailable("the certificate of Edge's voices is not valid; does something read the traffic?")
        case aiohttp.ClientProxyConnectionError():
            return EngineUnavailable(f"the proxy cannot be reached; see {_WHERE} → proxy")
        case aiohttp.InvalidURL():
            return EngineUnavailable(f"the proxy is not a valid address; see {_WHERE} → proxy")
        case aiohttp.ClientConnectorError():
            return EngineUnavailable(
                f"Edge's voices cannot be reached ({error.os_error.strerror or 'no connection'}); is there a network?"
            )
        case _:
            return lost()


def lost(given_ms: float | None = None) -> EngineError:
    """Return the error for a connection that was lost, after `given_ms` of audio if there was any."""
    if given_ms is None:
        return Passing("the connection to Edge's voices was lost before any speech came; is the network in order?")
    return EngineError(f"the connection to Edge's voices was lost after {given_ms / 1000:.1f} s of speech")


def silent(options: Options) -> EngineError:
    """Return the error for a service that stopped answering."""
    return EngineError(
        f"Edge's voices gave nothing for {options.receive_timeout:g} s; the service or the network is slow "
        f"({_WHERE} → receive_timeout)"
    )


def no_audio(text: str, voice: str) -> EngineError:
    """Return the error for an answer without speech."""
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return EngineError(
        f"Edge's voices gave no speech for {shown!r}: {voice} may not be offered any more, or does not know this "
        "language; choose another voice"
    )


def not_understood() -> EngineError:
    """Return the error for an answer that is none."""
    return EngineError(f"Edge's voices answered something that is not understood; update: {UPDATE}")
