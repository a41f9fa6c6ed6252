"""The engine: one request a text, on connections that are kept open."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mynah import EngineError, EngineUnavailable, InputError, primary_language

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES: Final = 1_048_576
"""What an answer may have; more is no translation of what was said."""

SHOWN_CHARS: Final = 200
NOT_FOR_IT: Final = ("is not supported", "exceeds text limit")
"""What a server says of a language that it does not have any more, and of a text that it finds too long."""

TRADITIONAL: Final = ("hant", "tw", "hk", "mo")


@asynccontextmanager
async def open_libretranslate(config: Mapping[str, Any], folder: Path) -> AsyncIterator[LibreTranslate]:
    """Open the engine and ask the server for its languages; `folder` is not used. Raises `EngineUnavailable`."""
    import aiohttp  # 0.2 s, which commands that work offline need not pay

    timeout = aiohttp.ClientTimeout(total=config["timeout"], connect=config["connect_timeout"])
    async with aiohttp.ClientSession(timeout=timeout) as session:
        engine = LibreTranslate(session, config["base_url"].rstrip("/"), config["api_key"])
        try:
            await engine.learn_languages()
        except EngineError as error:
            raise EngineUnavailable(str(error)) from None
        yield engine


class LibreTranslate:
    """A LibreTranslate server; see https://docs.libretranslate.com for its API."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, api_key: str | None) -> None:
        self._session = session
        self._base_url = base_url
        self._key = api_key
        self._targets: dict[str, frozenset[str]] = {}

    async def learn_languages(self) -> None:
        """Ask which languages there are. Raises `EngineError`."""
        found = await self._asked("GET", "/languages")
        if not isinstance(found, list):
            raise EngineError(f"{self._base_url}: this is no LibreTranslate server; check base_url")
        for language in found:
            if isinstance(language, Mapping) and isinstance(code := language.get("code"), str):
                targets = language.get("targets")
                self._targets[code] = frozenset(map(str, targets)) if isinstance(targets, list) else frozenset()

    async def translate(self, text: str, *, source: str, target: str) -> AsyncIterator[str]:
        """Yield the translation, in one piece.

        Raises `InputError` for languages that the server does not have, `EngineError` for every fault of it.
        """
        if not text.strip():
            return
        if primary_language(source) == primary_language(target):
            yield text
            return
        one, other = self._code(source), self._code(target)
        targets = self._targets[one]
        if targets and other not in targets:
            raise InputError(f"{self._base_url} does not translate from {source} into {target}")
        asked = {"q": text, "source": one, "target": other, "format": "text"}
        answer = await self._asked("POST", "/translate", asked)
        translated = answer.get("translatedText") if isinstance(answer, Mapping) else None
        if not isinstance(translated, str):
            raise EngineError(f"{self._base_url}: the answer has no translation in it")
        yield translated

    def _code(self, tag: str) -> str:
        """Return the server's own code of a language: the tag itself, or the language, or for Chinese the script."""
        primary, rest = primary_language(tag), tag.replace("_", "-").lower().split("-")[1:]
        wanted = [tag]
        if primary in ("zh", "cmn"):
            traditional = any(part in TRADITIONAL for part in rest)
            wanted += ["zh-Hant", "zt"] if traditional else ["zh-Hans", "zh"]
            primary = "zh"
        known = {code.lower(): code for code in self._targets}
        code = next((known[each.lower()] for each in (*wanted, primary) if each.lower() in known), None)
        if code is None:
            raise InputError(f"{self._base_url} does not have the language {tag!r}")
        return code

    async def _asked(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        """Return the server's answer. Raises `EngineError` or `InputError`, in which the key does not occur."""
        import aiohttp

        sent = {**body, "api_key": self._key} if body is not None and self._key else body
        try:
            # Redirects are not followed: a key is for the address that it was given for.
            async with self._session.request(
                method, f"{self._base_url}{path}", json=sent, allow_redirects=False
            ) as response:
                data = await response.content.read(MOST_BYTES + 1)
                while len(data) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES)):
                    data += more
                status = response.status
        except TimeoutError:
            raise EngineError(f"{self._base_url}: no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise EngineError(f"{self._base_url}: {self._without_key(str(error)) or type(error).__name__}") from None
        if len(data) > MOST_BYTES:
            raise EngineError(f"{self._base_url}: the answer has more than {MOST_BYTES >> 20} MiB")
        answer = _json(data)
        if status != 200:
            raise self._refusal(status, answer)
        return answer

    def _refusal(self, status: int, answer: Any) -> EngineError | InputError:
        """Return what is wrong: `InputError` for words that are not for this server, though all is well with it."""
        said = str(answer.get("error") or "") if isinstance(answer, Mapping) else ""
        detail = f" ({self._without_key(said)[:SHOWN_CHARS]})" if said else ""
        hint = {403: "; check api_key", 429: "; it asks for fewer requests", 404: "; check base_url"}.get(status, "")
        not_for_it = status == 400 and any(words in said for words in NOT_FOR_IT)
        return (InputError if not_for_it else EngineError)(f"{self._base_url}: answered {status}{detail}{hint}")

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
