"""A hub with a broker: the embedded one, or a real mosquitto."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from counterparts.mqtt_broker import Mosquitto, make_authority, make_certificate, mosquitto
from counterparts.mqtt_speaker import Peer, SimulatedSpeaker, until
from mynah.firmware import firmware_folder
from mynah.testing import FakeSpeaker
from mynah.testing.hubs import run_hub, scripted_engines

SPEAKERS = {
    "lion_house": {"area": "savanna"},
    "giraffe_deck": {"area": "savanna"},
    "reptile_house": {"area": "indoors"},
}
PASSWORDS = {name: f"secret-of-{name}" for name in ("hub", "admin", *SPEAKERS)}


class World:
    """A hub, its broker, and those who talk to both."""

    installed: tuple[str, ...] = ("http", "websocket", "mqtt")

    def __init__(self, kind: str, folder: Path, broker: Mosquitto | None, config: Mapping[str, Any]) -> None:
        self.kind = kind
        self.folder = folder
        self.broker = broker
        self.passwords = dict(PASSWORDS)
        self.hub: Any = None
        mqtt: dict[str, Any] = {"broker": "embedded", "embedded": {"port": 0}}
        if broker is not None:
            mqtt = {"broker": f"mqtt://127.0.0.1:{broker.port}", "username": "hub", "password": PASSWORDS["hub"]}
        own = {**config}
        self.config = {"speakers": SPEAKERS, **own, "mqtt": {**mqtt, **own.get("mqtt", {})}}

    @property
    def port(self) -> int:
        return self.broker.port if self.broker else int(self.hub.addresses["mqtt"].rsplit(":", 1)[1])

    @asynccontextmanager
    async def running(self, *, tts: Any = None) -> AsyncIterator[Any]:
        """Run the hub; it is connected to its broker when this begins."""
        specs = scripted_engines(tts=tts)
        async with run_hub(self.folder, specs=specs, config=self.config, installed=self.installed) as hub:
            self.hub = hub
            if self.broker is None:
                known = hub.storage.credentials()
                for name, role in {"admin": "admin", **dict.fromkeys(self.config["speakers"], "speaker")}.items():
                    if name not in known:
                        self.passwords[name] = hub.storage.issue_token(name, role)
            await self.settled()
            yield hub

    async def settled(self) -> None:
        """Wait until the hub says that it is there."""
        async with self.admin() as admin:
            await until(lambda: "online" in admin.on("mynah/hub/availability"), "the hub")

    def admin(self, *filters: str, **options: Any) -> Peer:
        return Peer(self.port, "admin", self.passwords["admin"], *(filters or ("mynah/#",)), **options)

    def speaker(self, id: str, **options: Any) -> SimulatedSpeaker:
        return SimulatedSpeaker(self.port, id, self.passwords[id], **options)

    def session(self, id: str, **hello: Any) -> FakeSpeaker:
        """Return a speaker's conversation with the hub."""
        return FakeSpeaker(self.hub.addresses["http"], speaker=id, **hello)


@pytest.fixture(scope="module")
def one_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto"), PASSWORDS) as broker:
        yield broker


@pytest.fixture(params=["embedded", "mosquitto"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def broker(kind: str, request: pytest.FixtureRequest) -> Iterator[Mosquitto | None]:
    """The broker of a module, emptied of what a test before left there."""
    if kind == "embedded":
        yield None
        return
    one: Mosquitto = request.getfixturevalue("one_mosquitto")
    one.stop()
    (one.folder / "mosquitto.db").unlink(missing_ok=True)
    one.start()
    yield one


@pytest.fixture
def make_world(kind: str, broker: Mosquitto | None, tmp_path: Path):
    """Make a world with this configuration."""
    return lambda **config: World(kind, tmp_path, broker, config)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here takes seconds to come to the broker, and nobody guesses passwords."""
    monkeypatch.setattr("mynah_mqtt.stead.GRACE_S", 0.2)
    monkeypatch.setattr("mynah_mqtt.introducing.LOOK_S", 0.2)
    monkeypatch.setattr("mynah_mqtt.introducing.TICK_S", 0.1)
    monkeypatch.setattr("mynah_mqtt.known.TICK_S", 0.1)
    monkeypatch.setattr("mynah_mqtt.known.FORGET_S", 0.5)
    monkeypatch.setattr("mynah_mqtt.gate.REFUSED_S", 0.05)


@pytest.fixture
async def world(make_world) -> AsyncIterator[World]:
    """A world whose hub runs."""
    made = make_world()
    async with made.running():
        yield made


@pytest.fixture
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """An authority, and certificates of a server, of a client, and of both expired."""
    folder = tmp_path_factory.mktemp("certificates")
    found = {"ca": make_authority(folder)}
    for name, expired in (("server", False), ("client", False), ("old_server", True), ("old_client", True)):
        hosts = ("IP:127.0.0.1", "DNS:localhost") if "server" in name else ()
        found[name], found[f"{name}_key"] = make_certificate(folder, name, expired=expired, hosts=hosts)
    return found


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware, compiled."""
    spec = importlib.util.spec_from_file_location("mynah_firmware_pack", firmware_folder() / "pack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("build")
    module.compile_modules(folder, "x64")
    return folder


@pytest.fixture(autouse=True)
def no_defects(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does to hub and broker, nothing in them may break."""
    yield
    found = [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.levelno >= logging.ERROR and record.name.startswith(("asyncio", "mynah_mqtt", "amqtt"))
    ]
    assert found == []
