"""Drafts: the language model begins on words that have not changed for a moment, before they are final.

A draft gives nothing away: no output, no tool, no history. It is used from its first token where the words turn out
to have been right, and dropped otherwise.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mynah.conversation.phrasing.marks import is_unspaced
from mynah.conversation.scene import Scene
from mynah.engines.chain import Meter, closing
from mynah.errors import cause
from mynah.timeline import now
from mynah.values import ReplyNote, Token, ToolCall, Transcript

ReplyItem = Token | ToolCall | ReplyNote
"""What a language model gives."""

Begin = Callable[[Scene, str, str, Meter], AsyncIterator[ReplyItem]]
"""Begins the reply to a text in a scene and a language."""

UNCHANGED_S: Final = 0.3
"""Words that have not changed for so long are worth a draft; so are those that came twice."""

FEWEST_WORDS: Final = 2
FEWEST_UNSPACED: Final = 4
"""Characters that are enough in a script that does not part its words."""

MOST_DRAFTS: Final = 3
"""Drafts that one turn may begin: each costs the language model work that may be for nothing."""

BUFFERED: Final = 1_000
"""Tokens of a draft that are kept; then the language model is not read any further."""

_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared: without case and punctuation."""
    return tuple(_WORD.findall(text.casefold()))


def _enough(words: Sequence[str]) -> bool:
    return len(words) >= FEWEST_WORDS or sum(map(is_unspaced, "".join(words))) >= FEWEST_UNSPACED


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    """What a language model gave: the one that was called as the so-many-eth."""

    item: ReplyItem
    calls: int


class Draft:
    """A reply that begins before it is known to be wanted."""

    def __init__(
        self, scene: Scene, language: str, words: Sequence[str], begin: Callable[[Meter], AsyncIterator[ReplyItem]]
    ) -> None:
        self.scene = scene
        self.language = language
        self.words = tuple(words)
        self.meter = Meter()
        self.failed = False
        self._items: asyncio.Queue[_Given | _End] = asyncio.Queue(maxsize=BUFFERED)
        self._task = asyncio.get_running_loop().create_task(self._fill(begin(self.meter)), name="draft")

    async def items(self, meter: Meter) -> AsyncIterator[ReplyItem]:
        """Yield the reply from its beginning on; `meter` counts what is waited for from now on."""
        try:
            while True:
                began = now()
                given = await self._items.get()
                meter.engine, meter.troubles[:] = self.meter.engine, self.meter.troubles
                meter.add(began, now())
                if isinstance(given, _Given):
                    meter.calls = given.calls
                    yield given.item
                elif given.error is not None:
                    raise given.error
                else:
                    return
        finally:
            self.drop()
            await self.ended()

    def drop(self) -> None:
        """Stop it: nobody wants it."""
        self._task.cancel()

    async def ended(self) -> None:
        """Wait until its engine has let go."""
        await asyncio.wait({self._task})

    async def _fill(self, source: AsyncIterator[ReplyItem]) -> None:
        end = _End()
        try:
            async with closing(source) as items:
                async for item in items:
                    await self._items.put(_Given(item, self.meter.calls))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the reply is read
            self.failed = True
            end = _End(cause(error))
        await self._items.put(end)


class Drafts:
    """The drafts of one turn: at most one at a time."""

    def __init__(self, begin: Begin, scene: Callable[[], Scene]) -> None:
        self._begin = begin
        self._scene = scene
        self._words: tuple[str, ...] = ()
        self._draft: Draft | None = None
        self._dropped: list[Draft] = []
        self._begun = 0
        self._timer: asyncio.TimerHandle | None = None

    def consider(self, partial: Transcript) -> None:
        """Take in what was heard so far; begin or drop a draft."""
        text, language = partial.text, partial.language
        words = words_of(text)
        if words == self._words:
            self._start(text, language)
            return
        self._words = words
        self._stop_timer()
        self._drop()
        if _enough(words):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(UNCHANGED_S, self._start, text, language)

    def settle(self, final: Transcript) -> None:
        """Take in what was heard for good: no draft begins any more."""
        self._stop_timer()
        if self._draft is not None and self._draft.words != words_of(final.text):
            self._drop()

    def take(self, text: str, scene: Scene, language: str) -> Draft | None:
        """Return the draft of the reply to `text` if there is one, and everything is as it was taken to be."""
        self.settle(Transcript(text, final=True))
        draft = self._draft
        if draft is None or draft.failed or (draft.scene, draft.language) != (scene, language):
            self._drop()
            return None
        self._draft = None
        return draft

    async def close(self) -> None:
        """Drop what was not taken and wait until the engines have let go."""
        self._stop_timer()
        self._drop()
        for draft in self._dropped:
            await draft.ended()

    def _start(self, text: str, language: str | None) -> None:
        self._stop_timer()
        words = words_of(text)
        if self._draft is not None or self._begun >= MOST_DRAFTS or not _enough(words):
            return
        self._begun += 1
        scene = self._scene()
        spoken = scene.language_of(text, language)
        self._draft = Draft(scene, spoken, words, lambda meter: self._begin(scene, text, spoken, meter))

    def _drop(self) -> None:
        if self._draft is not None:
            self._draft.drop()
            self._dropped.append(self._draft)
            self._draft = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
