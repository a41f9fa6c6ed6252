"""The path `/ws`, which the clinic's interpreter and the speech console share; each frame tells which of them it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from mynah import Hub
from mynah_dialects.clinic_interpreter import ClinicInterpreter, error
from mynah_dialects.config import CLINIC_INTERPRETER, SPEECH_CONSOLE
from mynah_dialects.dialect import Dialect, Line, converse
from mynah_dialects.gate import admit
from mynah_dialects.speech_console import TYPES, SpeechConsole


async def serve(hub: Hub, request: web.Request) -> web.StreamResponse:
    """Converse in whichever of the two dialects the client speaks; where one of them is off, in the other alone."""
    clinic_section, refused = _admitted(hub, CLINIC_INTERPRETER, request)
    console_section, _ = _admitted(hub, SPEECH_CONSOLE, request)
    if clinic_section is None and console_section is None and refused is not None:
        raise refused
    line = Line(request, error)
    await line.open()
    clinic = ClinicInterpreter(hub, line, clinic_section, parallel=False)
    if console_section is None:
        return await converse(line, clinic)
    console = SpeechConsole(hub, line, console_section)

    def which(frame: Mapping[str, Any]) -> Dialect:
        kind = frame.get("type")
        return console if isinstance(kind, str) and kind in TYPES else clinic

    return await converse(line, clinic, console, which=which)


def _admitted(hub: Hub, name: str, request: web.Request) -> tuple[Mapping[str, Any] | None, web.HTTPException | None]:
    try:
        return admit(hub, name, request), None
    except web.HTTPException as why:
        return None, why
