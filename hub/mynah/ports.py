"""Where a server listens: its TLS, the name others reach it by, and why it could not. For every plugin that serves."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mynah.errors import MynahError

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
ANY: Final = ("0.0.0.0", "::")
REPEAT_S: Final = 60.0
"""How often the log has the same reason for a handshake that failed: others must not be able to fill it."""


def why_not_listening(error: OSError, host: str, port: int, setting: str) -> str:
    """Return what to tell people about a port that cannot be listened on; `setting` is as in "http: {%s: …}"."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is taken by another program; set {setting % 'port'} or stop it"
        case errno.EACCES:
            return f"port {port} needs more rights than this program has; set {setting % 'port'} to 1024 or above"
        case errno.EADDRNOTAVAIL:
            return f"'{host}' is no address of this machine; set {setting % 'host'}"
    if isinstance(error, socket.gaierror):
        return f"'{host}' is no address of this machine; set {setting % 'host'}"
    return f"cannot listen on {host}, port {port}: {error.strerror or error}"


def name_in_network(host: str) -> str:
    """Return under what name an address is reached: where it means all of the machine's, the one in the network."""
    if host not in ANY:
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; it only looks up the route (RFC 5737 address).
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])


def server_tls(files: Mapping[str, str], folder: Path, where: str) -> ssl.SSLContext:
    """Return a server's TLS context of the files `certificate`, `key` and perhaps `ca`, which clients then need one of.

    Handshakes that fail are logged. Raises `MynahError` for files that cannot be used; `where` is their setting.
    """
    for name in files.values():
        if not (folder / name).is_file():
            raise MynahError(f"{where}: there is no file {folder / name}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(folder / files["certificate"], folder / files["key"], password=lambda: b"")
        if "ca" in files:
            context.load_verify_locations(folder / files["ca"])
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        names = " and ".join(str(folder / name) for name in files.values())
        raise MynahError(f"{where}: {names} cannot be used together: {error}") from error
    context.sslobject_class = _told_of(where)
    return context


def _told_of(where: str) -> type[ssl.SSLObject]:
    """Return a class of TLS connections that has the log say why a client was refused: event loops pass it over."""
    said: dict[str, float] = {}

    class Connection(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                reason = _reason(error)
                if time.monotonic() - said.get(reason, -REPEAT_S) >= REPEAT_S:
                    said[reason] = time.monotonic()
                    log.warning("%s: a client was refused: %s", where, reason)
                raise

    return Connection


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    # As the library has them, such as PEER_DID_NOT_RETURN_A_CERTIFICATE: few, and none is of the client's making.
    return (error.reason or "its TLS is not understood").replace("_", " ").lower()
