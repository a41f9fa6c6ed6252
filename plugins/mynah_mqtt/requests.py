"""What can be asked of the hub: `hub/request/<x>` → `hub/response/<x>`."""

from __future__ import annotations

from typing import Any, Final

from mynah import Hub
from mynah_mqtt.devices import Devices
from mynah_mqtt.groups import groups
from mynah_mqtt.payloads import ANY_REQUEST, REQUESTS
from mynah_mqtt.reading import Refusal, answer, read_fields, read_object
from mynah_mqtt.updates import Updates

PAGE: Final = 50


class Requests:
    """Answers requests. What cannot be answered raises `Refusal`."""

    def __init__(self, hub: Hub, devices: Devices, updates: Updates) -> None:
        self._hub = hub
        self._devices = devices
        self._updates = updates

    async def respond(self, name: str, payload: bytes) -> dict[str, Any]:
        """Return the response to a request."""
        id = None
        try:
            given = read_object(payload).get("id")
            id = given if isinstance(given, str) and 1 <= len(given) <= 36 else None
            found = await self._find(name, payload)
        except Refusal as error:
            return _response(answer(id, None, error))
        return _response(answer(id, None)) | found

    async def _find(self, name: str, payload: bytes) -> dict[str, Any]:
        if name not in REQUESTS:
            raise Refusal("unknown", f"there is no request {name[:40]!a}; known are {', '.join(REQUESTS)}")
        fields = read_fields(payload, {**ANY_REQUEST, **REQUESTS[name]})
        match name:
            case "speakers":
                return {"speakers": self._speakers(fields.get("after", ""))}
            case "groups":
                return {"groups": groups(self._hub)}
            case "personas":
                return {"personas": [persona.name for persona in self._hub.personas()]}
            case "health":
                return {"status": str(self._hub.health()["status"])}
        return {"version": await self._updates.send(fields["speaker"])}

    def _speakers(self, after: str) -> list[dict[str, Any]]:
        return [row for row in self._rows() if row["id"] > after][:PAGE]

    def _rows(self) -> list[dict[str, Any]]:
        rows = {
            str(each["id"]): {
                "id": each["id"],
                "name": each["name"],
                "area": each["area"],
                "online": each["session"] is not None or self._devices.is_online(each["id"]),
            }
            for each in self._hub.speakers()
        }
        for device in self._devices:
            if device.own and device.id not in rows:
                rows[device.id] = {"id": device.id, "name": device.id, "area": None, "online": device.online}
        return [rows[id] for id in sorted(rows)]


def _response(reply: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in reply.items() if key not in ("command", "by")}
