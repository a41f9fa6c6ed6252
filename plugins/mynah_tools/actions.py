"""What the tools do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mynah import Hub, MynahError, Session


async def time_of_day(hub: Hub, session: Session, arguments: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the hub's local time, date, weekday and zone."""
    now = datetime.now().astimezone()
    return {
        "time": now.strftime("%H:%M"),
        "date": now.date().isoformat(),
        "weekday": now.strftime("%A"),
        "zone": now.tzname() or "",
    }


async def volume(hub: Hub, session: Session, arguments: Mapping[str, Any]) -> Mapping[str, int]:
    """Set the volume of the session's loudspeaker, where a new one is given; return what it is now."""
    wanted = arguments.get("percent", session.volume + arguments.get("change", 0))
    wanted = min(max(wanted, 0), 100)
    if wanted != session.volume:
        session.set_volume(wanted)
    return {"percent": session.volume}


async def stop(hub: Hub, session: Session, arguments: Mapping[str, Any]) -> None:
    """End what is being said, the reply that asks for it included."""
    session.interrupt("stop")


async def announce(hub: Hub, session: Session, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have a text spoken elsewhere. Raises `MynahError` where nobody took it."""
    took = hub.announce(arguments["text"], arguments["where"]).taken
    if not took:
        raise MynahError(f"no speaker of {arguments['where']!r} is connected; nobody heard it")
    return {"announced_at": list(took)}
