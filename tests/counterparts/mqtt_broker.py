"""A real mosquitto on a free port, with accounts and access rules as docs/mqtt.md has them; and certificates for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

START_S = 20.0
RULES = """
pattern read mynah/speaker/%u/cmd
pattern read mynah/speaker/%u/+/set
pattern read mynah/hub/availability
pattern write mynah/speaker/%u/availability
pattern write mynah/speaker/%u/info
pattern write mynah/speaker/%u/state
pattern write mynah/speaker/%u/event
pattern write mynah/speaker/%u/reply
user hub
topic readwrite mynah/#
topic readwrite homeassistant/#
user home_assistant
topic read mynah/#
topic read homeassistant/#
topic write mynah/speaker/+/cmd
topic write mynah/speaker/+/+/set
topic write mynah/group/+/cmd
topic write homeassistant/status
user admin
topic readwrite mynah/#
topic readwrite homeassistant/#
"""


def program(name: str) -> str:
    """Where a program is; mosquitto itself lies where users' paths do not lead."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    assert found, f"{name} is needed; run `make test`, which installs it where it may"
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Mosquitto:
    """One broker. It keeps what is retained, and queued, over a stop and a start, as a real one does."""

    folder: Path
    passwords: Mapping[str, str]
    tls: Mapping[str, Path] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        names = self.folder / "passwords"
        for name, password in self.passwords.items():
            create = [] if names.exists() else ["-c"]
            subprocess.run([program("mosquitto_passwd"), *create, "-b", str(names), name, password], check=True)
        (self.folder / "rules").write_text(RULES)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {names}",
            f"acl_file {self.folder / 'rules'}",
            "persistence true",
            f"persistence_location {self.folder}/",
            f"log_dest file {self.folder / 'log'}",
            *(f"{key} {path}" for key, path in self.tls.items()),
            *(("require_certificate true",) if "cafile" in self.tls else ()),
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it gives up the right to read its files
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        self.process = subprocess.Popen(
            [program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        deadline = time.monotonic() + START_S
        while self.process is not None:
            self.process.terminate()  # which it forgets if it has only just begun to listen
            try:
                self.process.wait(1)
                self.process = None
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()


@contextlib.contextmanager
def mosquitto(folder: Path, passwords: Mapping[str, str], tls: Mapping[str, Path] | None = None) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, passwords, tls or {})
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run([program("openssl"), *arguments], cwd=folder, check=True, capture_output=True)


def make_authority(folder: Path) -> Path:
    """Make an own certificate authority; return its certificate."""
    openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority",
    )  # fmt: skip
    return folder / "ca.pem"


def make_certificate(folder: Path, name: str, *, expired: bool = False, hosts: Iterable[str] = ()) -> tuple[Path, Path]:
    """Make a certificate that the authority in `folder` signed, of this moment's past if `expired`; and its key."""
    openssl(
        folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
    )  # fmt: skip
    names = ",".join(hosts)
    extensions = f"subjectAltName={names}\n" if names else ""
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
        f"policy=any\nunique_subject=no\nx509_extensions=more\n[any]\ncommonName=supplied\n[more]\n"
        f"basicConstraints=CA:FALSE\n{extensions}"
    )
    (folder / "index.txt").touch()
    if not (folder / "serial").exists():
        (folder / "serial").write_text("01\n")
    dates = ["20200101000000Z", "20210101000000Z"] if expired else ["20200101000000Z", "20450101000000Z"]
    openssl(
        folder, "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", f"{name}.csr",
        "-out", f"{name}.pem", "-startdate", dates[0], "-enddate", dates[1], "-notext",
    )  # fmt: skip
    return folder / f"{name}.pem", folder / f"{name}.key"
