"""Words that mean something to a plugin: whether one of them answers before a language model is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence

from mynah.automation import IntentSpec
from mynah.engines.chain import being_cancelled
from mynah.errors import MynahError, cause
from mynah.hub_protocol import Hub
from mynah.session_protocol import Session

log = logging.getLogger(__name__)


class Intents:
    """Who may answer in one session; asked in the order of their names, and the first that does not decline answers."""

    def __init__(self, specs: Sequence[IntentSpec], hub: Hub, session: Session) -> None:
        self._specs = specs
        self._hub = hub
        self._session = session

    async def answer(self, text: str, language: str) -> str | None:
        """Return what is to be said ("": nothing), or None where the words are for the persona.

        Raises `MynahError` where whoever the words were for could not do what they ask.
        """
        for spec in self._specs:
            try:
                answering = spec.answer(self._hub, self._session, text, language)
                answer = await self._within(spec, answering) if answering is not None else None
            except MynahError:
                raise
            except (Exception, asyncio.CancelledError) as failure:
                # A plugin's defect must not keep people from their persona, nor that what it awaits was cancelled.
                if being_cancelled():
                    raise
                error = cause(failure) if isinstance(failure, Exception) else failure
                log.error("intent %s failed", spec.name, exc_info=error)  # noqa: TRY400  # the cause is what matters
                continue
            if answer is not None:
                return answer
        return None

    async def _within(self, spec: IntentSpec, answering: Awaitable[str | None]) -> str | None:
        try:
            async with asyncio.timeout(spec.timeout_s):
                return await answering
        except TimeoutError:
            raise MynahError(f"{spec.name} took more than {spec.timeout_s:g} s") from None
