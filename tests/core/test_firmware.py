"""The firmware as the hub sends it: packed for a chip, signed for a speaker, or refused in words."""

from __future__ import annotations

import hmac
import shutil

import pytest

from mynah.errors import InputError, MynahError
from mynah.firmware import bundle, compile_firmware, firmware_folder, firmware_version, packed, signature
from mynah.testing.hubs import run_hub, scripted_engines


def modules(data: bytes) -> dict[str, bytes]:
    """Unpack, as docs/mqtt.md says."""
    assert data[:6] == b"MYNAH1"
    found, at = {}, 6
    while at < len(data):
        name = data[at + 1 : at + 1 + data[at]].decode()
        at += 1 + data[at]
        size = int.from_bytes(data[at : at + 4], "little")
        found[name] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found


@pytest.fixture
def hub_in(tmp_path):
    return run_hub(tmp_path, specs=scripted_engines())


def test_a_bundle_holds_its_modules():
    files = {"speaker.mpy": b"one", "a.mpy": b"", "ring.mpy": bytes(1000)}
    assert modules(bundle(files)) == files


def test_the_signature_is_over_speaker_version_and_data():
    key = bytes(range(32))
    assert signature(b"data", "hall", "1.2.3", key) == hmac.new(key, b"hall\n1.2.3\ndata", "sha256").hexdigest()


async def test_the_whole_application_and_nothing_else_is_packed():
    found = modules(await packed("rv32imc"))
    assert set(found) == {f"{path.stem}.mpy" for path in (firmware_folder() / "app").glob("*.py")}
    assert all(data[:2] == b"M\x06" for data in found.values())  # compiled, for MicroPython from 1.24 on


async def test_firmware_is_signed_with_the_key_of_the_speaker(hub_in):
    async with hub_in as hub:
        keys = {name: hub.storage.make_key(name) for name in ("hall", "kitchen")}
        found = {name: await hub.firmware(name, "xtensawin") for name in keys}
    assert found["hall"].data == found["kitchen"].data
    for name, firmware in found.items():
        assert firmware.version == hub.firmware_version == firmware_version()
        assert firmware.mac == signature(firmware.data, name, firmware.version, keys[name])


async def test_a_speaker_without_a_key_gets_none(hub_in):
    async with hub_in as hub:
        with pytest.raises(InputError, match="hall has no key for updates; make one with: mynah speaker add hall"):
            await hub.firmware("hall", "xtensawin")


async def test_an_unknown_chip_gets_none():
    with pytest.raises(InputError, match="no firmware for 'z80'; there is for xtensawin, rv32imc, x64"):
        await packed("z80")


async def test_a_missing_compiler_is_told_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.firmware.find_spec", lambda name: None)
    with pytest.raises(MynahError, match=r"pip install 'mynah\[firmware\]'"):
        await compile_firmware(tmp_path)


async def test_what_does_not_compile_is_told_in_the_words_of_the_compiler(tmp_path, monkeypatch):
    copy = tmp_path / "firmware"
    shutil.copytree(firmware_folder(), copy)
    (copy / "app" / "adpcm.py").write_text("def broken(:\n")
    monkeypatch.setattr("mynah.firmware.firmware_folder", lambda: copy)
    with pytest.raises(MynahError, match=r"does not compile: (?s:.)*adpcm.py"):
        await compile_firmware(tmp_path / "build")
