"""Switches, numbers, texts, counters and timers that the configuration names: their states, and what changes them."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from mynah import InputError, State, Stop
from mynah_automation.config import HELPERS
from mynah_automation.house import LiveHouse

DAY_S: Final = 86_400.0


def clock_text(seconds: float) -> str:
    """Return a duration as Home Assistant writes it: 0:05:00."""
    whole = math.ceil(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


class Helpers:
    """The helpers of one configuration. `begin` shows those that are new, `end` forgets those that are gone."""

    def __init__(self, house: LiveHouse) -> None:
        self._house = house
        self._configs: dict[str, Mapping[str, Any]] = {}
        self._timers: dict[str, Stop] = {}

    def begin(self, sections: Mapping[str, Any], kept: Mapping[str, State]) -> None:
        """Have the helpers of the configuration: with the states that were kept, or their first ones."""
        wanted = {f"{domain}.{name}": config or {} for domain in HELPERS for name, config in sections[domain].items()}
        for entity_id in self._configs.keys() - wanted.keys():
            self._wind(entity_id, None)
            self._house.set_state(entity_id, None)
        for entity_id, config in wanted.items():
            if self._configs.get(entity_id) == config:
                continue
            self._configs[entity_id] = config
            known = kept.get(entity_id) or self._house.state(entity_id)
            domain = entity_id.partition(".")[0]
            state, attributes = getattr(self, f"_first_{domain}")(config, known)
            if known is not None and known.state == state:
                self._house.states.put(State(entity_id, state, attributes, known.last_changed, known.last_updated))
            self._house.set_state(entity_id, state, {**_shown(config, entity_id), **attributes})
            if domain == "timer":
                self._restore(entity_id, known)

    def close(self) -> None:
        """Wind down."""
        for entity_id in list(self._timers):
            self._wind(entity_id, None)

    def config(self, entity_id: str) -> Mapping[str, Any]:
        """Return what is configured of a helper. Raises `InputError` where there is none of that name."""
        if entity_id not in self._configs:
            domain = entity_id.partition(".")[0]
            known = ", ".join(each for each in sorted(self._configs) if each.startswith(domain)) or "none"
            raise InputError(f"there is no {entity_id}; known are {known}")
        return self._configs[entity_id]

    def state(self, entity_id: str) -> State:
        """Return a helper's state. Raises `InputError` where there is none of that name."""
        self.config(entity_id)
        found = self._house.state(entity_id)
        if found is None:
            raise InputError(f"there is no {entity_id}")
        return found

    # ------------------------------------------------------------ how each begins

    @staticmethod
    def _first_input_boolean(config: Mapping[str, Any], known: State | None) -> tuple[str, dict[str, Any]]:
        if "initial" in config:
            return ("on" if config["initial"] else "off"), {}
        return (known.state if known and known.state in ("on", "off") else "off"), {}

    @staticmethod
    def _first_input_number(config: Mapping[str, Any], known: State | None) -> tuple[str, dict[str, Any]]:
        value = config.get("initial", config["min"])
        if "initial" not in config and known is not None:
            with contextlib.suppress(ValueError):
                value = float(known.state)
        value = min(max(value, config["min"]), config["max"])
        return str(float(value)), {key: config[key] for key in ("min", "max", "step")}

    @staticmethod
    def _first_input_text(config: Mapping[str, Any], known: State | None) -> tuple[str, dict[str, Any]]:
        text = config.get("initial", known.state if known else "")
        fits = config["min"] <= len(text) <= config["max"]
        return (text if fits else "unknown"), {key: config[key] for key in ("min", "max")}

    @staticmethod
    def _first_counter(config: Mapping[str, Any], known: State | None) -> tuple[str, dict[str, Any]]:
        value = config["initial"]
        if config["restore"] and known is not None and known.state.lstrip("-").isdecimal():
            value = int(known.state)
        more = {key: config[key] for key in ("initial", "step", "minimum", "maximum") if config[key] is not None}
        return str(bounded(value, config)), more

    @staticmethod
    def _first_timer(config: Mapping[str, Any], known: State | None) -> tuple[str, dict[str, Any]]:
        attributes = {"duration": clock_text(config["duration"]), "restore": config["restore"]}
        if known is None or not config["restore"] or known.state not in ("active", "paused"):
            return "idle", attributes
        kept = {key: known.attributes[key] for key in ("duration", "remaining", "left_s", "finishes") if key in
                known.attributes}  # fmt: skip
        return known.state, {**attributes, **kept}

    # ------------------------------------------------------------ timers

    def _restore(self, entity_id: str, known: State | None) -> None:
        state = self.state(entity_id)
        if state.state == "active" and known is not None:
            left = float(state.attributes.get("finishes", 0.0)) - time.time()
            self._wind(entity_id, min(max(left, 0.0), 366 * DAY_S))

    def start_timer(self, entity_id: str, seconds: float | None) -> None:
        """Start a timer, or start it again; one that is paused goes on."""
        state, config = self.state(entity_id), self.config(entity_id)
        if seconds is None:
            paused = state.state == "paused"
            seconds = float(state.attributes["left_s"]) if paused else float(config["duration"])
            whole = state.attributes["duration"] if paused else clock_text(seconds)
        else:
            whole = clock_text(seconds)
        event = "timer.restarted" if state.state in ("active", "paused") else "timer.started"
        self._set_timer(entity_id, "active", duration=whole, remaining=clock_text(seconds), left_s=seconds,
                        finishes=time.time() + seconds)  # fmt: skip
        self._wind(entity_id, seconds)
        self._tell(event, entity_id)

    def pause_timer(self, entity_id: str) -> None:
        """Have a timer wait."""
        state = self.state(entity_id)
        if state.state == "active":
            left = max(float(state.attributes["finishes"]) - time.time(), 0.0)
            self._wind(entity_id, None)
            self._set_timer(entity_id, "paused", duration=state.attributes["duration"], remaining=clock_text(left),
                            left_s=left)  # fmt: skip
            self._tell("timer.paused", entity_id)

    def end_timer(self, entity_id: str, event: str) -> None:
        """Have a timer end: `timer.finished` or `timer.cancelled`."""
        if self.state(entity_id).state != "idle":
            self._wind(entity_id, None)
            self._set_timer(entity_id, "idle", duration=clock_text(self.config(entity_id)["duration"]))
            self._tell(event, entity_id)

    def _set_timer(self, entity_id: str, state: str, **attributes: Any) -> None:
        config = self.config(entity_id)
        self._house.set_state(entity_id, state, {**_shown(config, entity_id), "restore": config["restore"],
                                                 **attributes})  # fmt: skip

    def _wind(self, entity_id: str, seconds: float | None) -> None:
        stop = self._timers.pop(entity_id, None)
        if stop is not None:
            stop()
        if seconds is not None:
            done: Callable[[], None] = lambda: self.end_timer(entity_id, "timer.finished")  # noqa: E731  # short
            self._timers[entity_id] = self._house.after(seconds, done)

    def _tell(self, event: str, entity_id: str) -> None:
        self._house.fire_event(event, {"entity_id": entity_id})


def bounded(value: int, config: Mapping[str, Any]) -> int:
    """Return a counter's value within its bounds."""
    if config["minimum"] is not None:
        value = max(value, config["minimum"])
    return value if config["maximum"] is None else min(value, config["maximum"])


def _shown(config: Mapping[str, Any], entity_id: str) -> dict[str, Any]:
    name = config.get("name") or entity_id.partition(".")[2].replace("_", " ").capitalize()
    return {"friendly_name": name}
