"""The hub that runs, as commands talk to it: over its REST API."""

from __future__ import annotations

import argparse
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from mynah.cli.prepare import add_config_argument, prepare
from mynah.errors import InputError, MynahError

TOKEN_VARIABLE: Final = "MYNAH_TOKEN"
API: Final = "/api/v1"
ANSWER_S: Final = 15.0
LARGEST: Final = 16 << 20
EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
HOW: Final = (
    f"set {TOKEN_VARIABLE} to the token of an admin; on the hub's machine `mynah token NAME --role admin` makes one"
)


def add_hub_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which hub is meant: `--url` and `-c`."""
    parser.add_argument(
        "--url",
        metavar="URL",
        help="where the hub listens, such as http://192.168.1.5:8000; without it as the configuration says. "
        f"Where it is open to the network, {TOKEN_VARIABLE} in the environment holds an admin's token",
    )
    add_config_argument(parser)


def running_hub(arguments: argparse.Namespace) -> RunningHub:
    """Return the hub that the arguments mean. Raises `MynahError`; whether it runs is found out by asking it."""
    url = arguments.url
    if url is None:
        http = prepare(arguments.config).config.values.get("http")
        if not http:
            raise MynahError("the http plugin is not there, so that no hub can be asked; give another hub's --url")
        host = EVERYWHERE.get(http["host"], f"[{http['host']}]" if ":" in http["host"] else http["host"])
        url = f"{'https' if 'tls' in http else 'http'}://{host}:{http['port']}"
    return RunningHub(url, os.environ.get(TOKEN_VARIABLE) or None)


class RunningHub:
    """Asks a hub. Whatever it says no to, and whatever hinders the question, is raised as `MynahError`."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url!r} is no address of a hub; it should look like http://192.168.1.5:8000")
        if parts.username is not None or parts.password is not None:
            raise InputError(f"a token does not belong into an address; {HOW}")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Straight to the hub: proxies are for the world outside.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def get(self, *path: str) -> Any:
        """Return what is at a path."""
        return self._ask("GET", path, None, ANSWER_S)

    def post(self, *path: str, body: Mapping[str, Any], within_s: float = ANSWER_S) -> Any:
        """Send a body to a path; return the answer."""
        return self._ask("POST", path, body, within_s)

    def delete(self, *path: str) -> Any:
        """Delete what is at a path."""
        return self._ask("DELETE", path, None, ANSWER_S)

    def _ask(self, method: str, path: tuple[str, ...], body: Mapping[str, Any] | None, within_s: float) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # the scheme was checked
            self.url + API + "".join(f"/{quote(part, safe='')}" for part in path), data, self._headers, method=method
        )
        try:
            with self._open(request, timeout=within_s) as answer:
                return self._read(answer.read(LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error.code, error.read(LARGEST)) from None
        except TimeoutError:
            raise MynahError(f"the hub at {self.url} did not answer within {within_s:g} s") from None
        except (OSError, ValueError) as error:
            raise self._unreachable(error) from error

    def _read(self, data: bytes) -> Any:
        try:
            return json.loads(data) if data else None
        except ValueError:
            raise MynahError(f"what answers at {self.url} is no Mynah hub; give the hub's address with --url") from None

    def _refused(self, status: int, data: bytes) -> MynahError:
        answer = self._read(data)
        told = answer.get("error") if isinstance(answer, dict) else None
        message = str(told["message"]) if isinstance(told, dict) and "message" in told else f"status {status}"
        if status == 401:
            asked = "wants a token" if not self._headers else "does not know the token"
            return MynahError(f"the hub at {self.url} {asked}; {HOW}")
        if status == 403:
            return MynahError(f"the hub at {self.url} refuses: {message}; {HOW}")
        return MynahError(message)

    def _unreachable(self, error: Exception) -> MynahError:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return MynahError(f"nothing answers at {self.url}; is that the hub's address?")
        if isinstance(reason, ConnectionError):
            return MynahError(
                f"no hub answers at {self.url}; start one with `mynah run`, or give its address with --url"
            )
        return MynahError(f"the hub at {self.url} cannot be reached: {reason}")
