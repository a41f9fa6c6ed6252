"""The service's own list of voices, for names and languages that the built-in table does not have."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import edge_tts

from mynah import EngineError
from mynah_edge_tts.config import Options
from mynah_edge_tts.network import Addresses, Line
from mynah_edge_tts.troubles import explained
from mynah_edge_tts.voices import Catalogue, EdgeVoice, Gender

WITHIN_S: Final = 2.5
"""How long a phrase waits for the list at most."""

KEEP_S: Final = 86_400.0
RETRY_S: Final = 60.0
"""For how long the list is good, and for how long it is not asked for again after a failure."""

_GENDERS: Final[dict[object, Gender]] = {"Female": "female", "Male": "male"}


class VoiceList:
    """The list: fetched when it is first asked for, once for all who ask."""

    def __init__(self, options: Options, addresses: Addresses) -> None:
        self._options = options
        self._addresses = addresses
        self._fetching: asyncio.Task[Catalogue] | None = None
        self._good_until = 0.0

    async def voices(self) -> Catalogue:
        """Return the service's voices. Raises `EngineError` where they cannot be had in time."""
        loop = asyncio.get_running_loop()
        if self._fetching is None or (self._fetching.done() and loop.time() > self._good_until):
            self._fetching = loop.create_task(self._fetch(), name="edge_tts: list of voices")
        return await asyncio.shield(self._fetching)

    async def close(self) -> None:
        """Give up what is being fetched."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    async def _fetch(self) -> Catalogue:
        loop = asyncio.get_running_loop()
        line = Line(self._addresses)
        try:
            async with asyncio.timeout(WITHIN_S):
                listed = await edge_tts.list_voices(connector=line, proxy=self._options.proxy or None)
            catalogue = Catalogue(tuple(voice for entry in listed if (voice := _voice(entry)) is not None))
        except Exception as error:
            # As for a phrase: the client may raise anything over an answer that is none.
            self._good_until = loop.time() + RETRY_S
            raise _explained(error, self._options) from error
        finally:
            await line.hang_up()
        self._good_until = loop.time() + KEEP_S
        return catalogue


def _explained(error: Exception, options: Options) -> EngineError:
    trouble = explained(error, options)
    return EngineError(f"the list of voices could not be had: {trouble}")


def _voice(entry: Any) -> EdgeVoice | None:
    return EdgeVoice.of(str(entry["ShortName"]), _GENDERS.get(entry.get("Gender"), ""))
