"""Why there is no connection to a broker, in words for people and without secrets."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiomqtt

REFUSALS: Final = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not take the hub's client id",
    3: "it is not available",
    4: "it refuses user or password; see mqtt: {username, password}",
    5: "it refuses user or password; see mqtt: {username, password}",
    132: "it does not speak MQTT 3.1.1",
    133: "it does not take the hub's client id",
    134: "it refuses user or password; see mqtt: {username, password}",
    135: "it refuses user or password; see mqtt: {username, password}",
    136: "it is not available",
}
"""By the return code of MQTT 3.1.1 and the reason code that the library makes of it."""


def explain(error: BaseException, url: str, certificate: Path | None = None) -> str:
    """Return one line on why the broker at `url` cannot be reached; `certificate` is the hub's own, if it has one."""
    where = f"the broker at {url}"
    expired = own_expiry(certificate) if certificate is not None else ""
    if expired:
        return f"the hub's certificate for {where} expired on {expired}; make a new one"
    if isinstance(error, aiomqtt.exceptions.MqttConnectError):
        code = error.rc if isinstance(error.rc, int) else error.rc.value if error.rc is not None else 0
        return f"{where} refuses the hub: {REFUSALS.get(code, str(error))}"
    reason = error.__context__ if isinstance(error, aiomqtt.MqttError) else error
    return _network(reason, where) or f"{where} is lost: {str(error) or type(error).__name__}"


def _network(reason: BaseException | None, where: str) -> str:
    match reason:
        case ssl.SSLCertVerificationError():
            return f"{where} is not trusted: {reason.verify_message}"
        case ssl.SSLError():
            return f"{where} and the hub do not agree on TLS: {getattr(reason, 'reason', None) or reason}"
        case socket.gaierror():
            return f"{where} is unknown: no address is known for that name"
        case ConnectionRefusedError():
            return f"{where} is not there: nothing listens on that port"
        case TimeoutError():
            return f"{where} does not answer"
        case OSError():
            return f"{where} cannot be reached: {reason.strerror or reason}"
    return ""


def own_expiry(certificate: Path) -> str:
    """Return the day on which a certificate in PEM expired, or nothing where it did not or cannot be read."""
    try:
        ends = not_after(certificate.read_text(encoding="ascii"))
    except (OSError, ValueError, IndexError):
        return ""
    return f"{ends:%Y-%m-%d}" if ends.timestamp() < time.time() else ""


def not_after(pem: str) -> datetime:
    """Return when the first certificate in `pem` ends. Raises `ValueError` or `IndexError` where there is none.

    The dates are the second field of the certificate's sequence that holds two dates only (RFC 5280, section 4.1).
    """
    found = re.search("-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", pem, re.DOTALL)
    if found is None:
        raise ValueError("no certificate")
    der = base64.b64decode(found[1])
    certificate, _ = _der(der, 0)
    inside, _ = _der(certificate[1], 0)
    at = 0
    while at < len(inside[1]):
        (tag, content), at = _der(inside[1], at)
        if tag == 0x30 and content[:1] in (b"\x17", b"\x18"):
            _, second = _der(content, 0)
            (kind, date), _ = _der(content, second)
            text = date.decode("ascii")
            form = "%y%m%d%H%M%SZ" if kind == 0x17 else "%Y%m%d%H%M%SZ"
            return datetime.strptime(text, form).replace(tzinfo=UTC)
    raise ValueError("a certificate without dates")


def _der(data: bytes, at: int) -> tuple[tuple[int, bytes], int]:
    """Return the tag and content of the DER element at `at`, and where the next one begins."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[at : at + count], "big")
        at += count
    return (tag, data[at : at + length]), at + length
