"""Interpreting: what a person says is put into another language sentence by sentence, and both may be voiced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mynah.conversation.hearing import Hearing
from mynah.conversation.languages import nearest, told_by
from mynah.conversation.phrasing.marks import is_unspaced
from mynah.conversation.scene import Scene
from mynah.conversation.settling import Settling
from mynah.conversation.speaking import Speaking
from mynah.engines.chain import Meter, OpenEngine, closing
from mynah.errors import EngineError, InputRefused, MynahError
from mynah.outputs import ReplyReady, TranslationReady
from mynah.session_protocol import Interpretation
from mynah.values import Text, Transcript, primary_language

if TYPE_CHECKING:
    from mynah.conversation.turn import Turn

ORIGINAL: Final = 0
TRANSLATION: Final = 1
"""The tracks of a turn that interprets."""

AT_ONCE: Final = 3
"""Sentences that are being translated at once."""

WAITING: Final = 64
"""Sentences that wait for their translation; of what is still being spoken the others wait until it is known."""

PIECES: Final = 1_000
"""Pieces of a translation that wait to be told, because a sentence before it is not ready."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The languages of a turn: what is said in `source` is put into `target`."""

    source: str
    target: str

    @classmethod
    def of(cls, interpret: Interpretation, said: str | None, usual: str) -> Pair:
        """Return the languages of an utterance in the language `said` (None: not told) in a session of `usual`."""
        home = interpret.source or usual
        source = said or home
        if interpret.both_ways and primary_language(source) == primary_language(interpret.target):
            return cls(source, home)
        return cls(source, interpret.target)

    @property
    def same(self) -> bool:
        """Whether there is nothing to translate."""
        return primary_language(self.source) == primary_language(self.target)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to be translated; the `last` one is known to be it when the utterance is."""

    text: str
    last: bool = False


@dataclass(slots=True)
class Rendition:
    """The translation of one sentence while it is made: its pieces, None after the last, and what went wrong."""

    sentence: Sentence
    meter: Meter = field(default_factory=Meter)
    trouble: EngineError | None = None
    pieces: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(maxsize=PIECES))

    async def fill(self, source: AsyncIterator[str]) -> None:
        """Take everything that `source` gives; a failure is kept for the one who reads."""
        try:
            async with closing(source) as pieces:
                async for piece in pieces:
                    await self.pieces.put(piece)
        except EngineError as error:
            self.trouble = error
        await self.pieces.put(None)


class Interpreting:
    """What one turn says in another language."""

    def __init__(self, turn: Turn, interpret: Interpretation) -> None:
        self._turn = turn
        self._interpret = interpret
        self._settling = Settling()
        self._pair: Pair | None = None
        self._sentences: asyncio.Queue[Sentence | None] = asyncio.Queue(maxsize=WAITING)
        self._untranslated: list[str] = []
        self._failed: set[OpenEngine] = set()
        self._final: Transcript | None = None
        self._told = False
        self._answers_early = False
        self._given_up = False

    async def run(self) -> None:
        """Do it all. Raises `MynahError` for what nobody heard anything of."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            group.create_task(self._answer())

    # ------------------------------------------------------------ what is said

    async def _hear(self) -> None:
        turn = self._turn
        try:
            if turn.utterance is None:
                turn.timeline.mark("speech_end", turn.timeline.marks["opened"])
                understood = True
            else:
                expected = None if self._interpret.both_ways else self._interpret.source
                understood = await Hearing(turn, turn.utterance, self, expected).understand()
            if understood and turn.text:
                if self._answers_early:
                    turn.links.understood(turn)
                await self._put_rest()
        except MynahError as error:
            # The sentences that were settled before are heard to their end; the turn then says that it broke off.
            turn.trouble = error
        await self._put(None)

    def consider(self, partial: Transcript) -> None:
        """Take in what was heard so far: sentences that will not change any more are translated at once."""
        said = partial.language or (None if self._interpret.both_ways else self._interpret.source)
        if said is None or self._turn.text:
            return
        pair = self._pair or Pair.of(self._interpret, said, said)
        for sentence in self._settling.settled(partial, pair.source):
            if self._sentences.full():
                break
            self._pair = pair
            self._settling.give(sentence)
            self._sentences.put_nowait(Sentence(sentence))

    def settle(self, final: Transcript) -> None:
        """Take in what was heard for good; `_put_rest` does what is left."""
        self._final = final

    async def _put_rest(self) -> None:
        """Hand on what was not settled before the end."""
        turn = self._turn
        if self._pair is None:
            usual = turn.links.scene().language
            said = turn.language or self._told_by(turn.text, usual)
            self._pair = Pair.of(self._interpret, said, usual)
        sentences = self._settling.rest(self._final or Transcript(turn.text), self._pair.source)
        if not sentences and not self._settling.given:
            sentences = [turn.text]
        for sentence in sentences[:-1]:
            await self._put(Sentence(sentence))
        if sentences:
            await self._put(Sentence(sentences[-1], last=True))

    async def _put(self, sentence: Sentence | None) -> None:
        if not self._given_up:
            await self._sentences.put(sentence)

    def _give_up(self) -> None:
        """Translate no more sentences, and let go whoever waits for room for one."""
        self._given_up = True
        while not self._sentences.empty():
            self._sentences.get_nowait()

    def _told_by(self, text: str, usual: str) -> str | None:
        """Return which of two people said a text that came without its language, where the text tells."""
        if not self._interpret.both_ways:
            return None
        return told_by(text, (self._interpret.source or usual, self._interpret.target))

    # ------------------------------------------------------------ in the other language

    async def _answer(self) -> None:
        turn, first = self._turn, await self._sentences.get()
        if first is None and (turn.ended is not None or turn.trouble is not None or turn.outcome == "no_speech"):
            return
        self._answers_early = not turn.text
        await turn.links.may_answer(turn)
        scene = turn.links.scene()
        pair = self._pair or Pair(self._interpret.source or scene.language, self._interpret.target)
        with_original = self._interpret.original and first is not None
        async with asyncio.TaskGroup() as tasks:
            turn.speaking = translation = Speaking(turn, scene, pair.target, tasks)
            original = Speaking(turn, scene, pair.source, tasks, track=ORIGINAL) if with_original else None
            if first is not None:
                await self._translate(first, pair, translation, original)
            await self._conclude(scene, pair, translation)
            await translation.finish(Meter(), broken_off=turn.trouble is not None)
            if turn.trouble is None:
                await turn.links.emit(ReplyReady(turn_id=turn.id, text=turn.reply, phrases=turn.phrases))
            if original is not None:
                await original.finish(Meter(), broken_off=False)
        turn.note_voiced(translation)

    async def _translate(self, first: Sentence, pair: Pair, translation: Speaking, original: Speaking | None) -> None:
        """Give out the translations of all sentences in order, though several are made at once."""
        turn = self._turn
        turn.begin("translating")
        renditions: asyncio.Queue[Rendition | None] = asyncio.Queue(maxsize=AT_ONCE - 1)
        async with asyncio.TaskGroup() as group:
            early = original if self._interpret.parallel else None
            late = None if self._interpret.parallel else original
            tasks: list[asyncio.Task[None]] = []
            tasks.append(group.create_task(self._begin(first, pair, renditions, group, tasks, early)))
            while (rendition := await renditions.get()) is not None:
                await self._give_out(rendition, pair, translation)
                if late is not None:
                    await _voice_whole(late, rendition.sentence)
                if turn.trouble is not None and rendition.trouble is turn.trouble:
                    for task in tasks:
                        task.cancel()
                    self._give_up()
                    break
        if turn.trouble is None and not self._told:
            await self._tell(pair)

    async def _begin(
        self,
        sentence: Sentence | None,
        pair: Pair,
        renditions: asyncio.Queue[Rendition | None],
        group: asyncio.TaskGroup,
        tasks: list[asyncio.Task[None]],
        early: Speaking | None,
    ) -> None:
        """Begin the translation of each sentence, from `sentence` on, as soon as it is there and its turn."""
        while sentence is not None:
            rendition = Rendition(sentence)
            tasks.append(group.create_task(rendition.fill(self._rendered(sentence.text, pair, rendition.meter))))
            await renditions.put(rendition)
            if early is not None:
                await _voice_whole(early, sentence)
            sentence = await self._sentences.get()
        await renditions.put(None)

    async def _give_out(self, rendition: Rendition, pair: Pair, translation: Speaking) -> None:
        turn, begun = self._turn, False
        while (piece := await rendition.pieces.get()) is not None:
            if not begun:
                piece = piece.lstrip()
                begun = bool(piece)
                piece = apart(turn.reply, piece)
            if piece:
                await turn.take_token(piece)
                await translation.take(piece, rendition.meter)
        if isinstance(rendition.trouble, InputRefused) and not begun:
            self._untranslated.append(rendition.sentence.text)
            meter = rendition.meter
            turn.timeline.engine("translate", meter.engine, meter.total_ms, meter.troubles)
        elif rendition.trouble is not None:
            turn.trouble = rendition.trouble
            return
        if rendition.sentence.last:
            await self._tell(pair)
        await translation.pause(rendition.meter)

    async def _tell(self, pair: Pair) -> None:
        """Tell the whole translation."""
        self._told = True
        turn, missing = self._turn, tuple(self._untranslated)
        await turn.links.emit(
            TranslationReady(turn_id=turn.id, text=turn.reply, language=pair.target, untranslated=missing)
        )

    async def _rendered(self, text: str, pair: Pair, meter: Meter) -> AsyncIterator[str]:
        """Yield the translation of `text`. Raises `EngineError`."""
        if pair.same:
            yield text
            return

        def call(engine: Any) -> AsyncIterator[str]:
            given: AsyncIterator[str] = engine.translate(text, source=pair.source, target=pair.target)
            return given

        links = self._turn.links
        stream = links.chains["translator"].stream(
            call, total=links.limits.translate, final=_has_words, meter=meter, avoid=self._failed
        )
        async with closing(stream) as pieces:
            async for piece in pieces:
                yield piece

    # ------------------------------------------------------------ what cannot be translated

    async def _conclude(self, scene: Scene, pair: Pair, translation: Speaking) -> None:
        """Say to the one who spoke, in that language, what could not be understood or translated."""
        turn = self._turn
        if turn.trouble is not None:
            return
        if self._untranslated:
            turn.outcome = "unknown"
            await self._say_to_speaker(scene.persona.spec.unknown, scene, pair, translation)
        elif not turn.text:
            await self._say_to_speaker(scene.persona.spec.not_understood, scene, pair, translation)
        elif not turn.phrases and not translation.holds_text:
            turn.trouble = MynahError("the translation was empty")

    async def _say_to_speaker(self, text: Text, scene: Scene, pair: Pair, translation: Speaking) -> None:
        """Say one of the persona's texts in the language of the one who spoke: its own, or else translated."""
        texts = {scene.persona.spec.language: text} if isinstance(text, str) else text
        tag = nearest(tuple(texts), pair.source, scene.language) or next(iter(texts))
        words = texts[tag]
        with suppress(EngineError):
            async with closing(self._rendered(words, Pair(tag, pair.source), Meter())) as pieces:
                words, tag = "".join([piece async for piece in pieces]), pair.source
        translation.language = tag
        words = apart(self._turn.reply, words)
        await self._turn.take_token(words)
        await translation.take(words, Meter())


async def _voice_whole(original: Speaking, sentence: Sentence) -> None:
    await original.take(f"{sentence.text} ", Meter())
    await original.pause(Meter())


def apart(before: str, text: str) -> str:
    """Return `text` so that it does not run into the sentence before it."""
    if not before or not text or before[-1].isspace() or is_unspaced(text[0]) or is_unspaced(before[-1]):
        return text
    return text if before[-1] in "。！？" else f" {text}"


def _has_words(piece: str) -> bool:
    if not isinstance(piece, str):
        raise EngineError(f"gave {type(piece).__name__} for a translation")
    return bool(piece.strip())
