"""Setting up: an access point with a page that asks for the Wi-Fi and for the code that `mynah speaker add` prints.

Every name is answered with the speaker's own address, so that telephones show the page by themselves.
"""

import asyncio
import json
import socket
from binascii import a2b_base64

import network

ADDRESS = "192.168.4.1"
FIELDS = ("id", "hub", "broker", "token", "board", "base")
_PAGE = """HTTP/1.0 %s\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n<!doctype html>
<meta name=viewport content="width=device-width"><title>Mynah</title><body style="font:18px sans-serif;margin:2em">
<h1>A speaker</h1><p>%s</p><form method=post action=/><p>Wi-Fi<br><input name=ssid maxlength=32 required><p>Its password
<br><input name=password type=password maxlength=63><p>Code from <code>mynah speaker add</code><br><textarea name=code
rows=6 cols=30 required></textarea><p><button>Save</button></form>"""


def dns_answer(query):
    """Answer a DNS query for any name with ADDRESS; None where it is no query (RFC 1035, section 4)."""
    if len(query) < 17 or query[2] & 0x80 or query[4:6] != b"\x00\x01":
        return None
    end = 12
    while end < len(query) and query[end]:
        end += query[end] + 1
    if end + 5 > len(query):
        return None
    head = query[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
    where = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04"
    return head + query[12 : end + 5] + where + bytes(int(part) for part in ADDRESS.split("."))


def unquote(text):
    """Decode a value of a form."""
    parts = text.replace("+", " ").split("%")
    data = parts[0].encode()
    for part in parts[1:]:
        data += bytes((int(part[:2], 16),)) + part[2:].encode()
    return data.decode()


def parse_form(body):
    """Return the fields of a posted form."""
    pairs = (entry.partition("=") for entry in body.split("&"))
    return {name: unquote(value) for name, _, value in pairs}


def decode_code(code):
    """Return what the code says: texts by FIELDS, and `key`, bytes. ValueError says what is wrong with it."""
    try:
        found = json.loads(a2b_base64("".join(code.split())))
        known = {name: str(found[name]) for name in FIELDS if name in found}
        known["key"] = bytes.fromhex(found["key"]) if "key" in found else None
    except (ValueError, TypeError, KeyError):
        raise ValueError("This is not a code from mynah speaker add.")
    if "id" not in known or "hub" not in known:
        raise ValueError("The code names no speaker or no hub.")
    return known


def keep(settings, form):
    """Check and save a posted form. ValueError says what is wrong."""
    known = decode_code(form.get("code", ""))
    if not form.get("ssid"):
        raise ValueError("Which Wi-Fi?")
    known["ssid"] = form["ssid"]
    known["password"] = form.get("password", "")
    for name, value in known.items():
        if value is not None:
            settings.put(name, value)
    settings.save()


class Provisioning:
    """The access point and its page; `run` returns when something was saved."""

    def __init__(self, settings, name):
        self._settings = settings
        self._name = name
        self._saved = asyncio.Event()

    async def run(self, port=80, names_port=53):
        """Serve until somebody has filled in the page."""
        point = network.WLAN(network.AP_IF)
        point.active(True)
        point.config(essid=self._name)
        server = await asyncio.start_server(self._serve, "0.0.0.0", port)
        names = asyncio.create_task(self._names(names_port))
        await self._saved.wait()
        await asyncio.sleep(1)  # for the last page
        names.cancel()
        server.close()
        point.active(False)

    async def _names(self, port):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.bind(socket.getaddrinfo("0.0.0.0", port)[0][-1])
        try:
            while True:
                try:
                    query, whence = udp.recvfrom(256)
                except OSError:  # there is none
                    await asyncio.sleep_ms(50)
                    continue
                answer = dns_answer(query)
                if answer:
                    udp.sendto(answer, whence)
        finally:
            udp.close()

    async def _serve(self, reader, writer):
        try:
            await asyncio.wait_for(self._answer(reader, writer), 10)
        except (OSError, ValueError, asyncio.TimeoutError):
            pass
        writer.close()
        await writer.wait_closed()

    async def _answer(self, reader, writer):
        first = await reader.readline()
        size = 0
        while line := (await reader.readline()).strip().lower():
            if line.startswith(b"content-length:"):
                size = int(line[15:])
        status, said = "200 OK", "Which Wi-Fi, and which hub?"
        if first.startswith(b"POST") and 0 < size <= 3000:
            try:
                keep(self._settings, parse_form((await reader.readexactly(size)).decode()))
                said = "Saved. The speaker starts anew."
                self._saved.set()
            except ValueError as error:
                status, said = "400 Bad Request", str(error)
        writer.write(_PAGE % (status, said))
        await writer.drain()
