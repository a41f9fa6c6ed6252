"""`mynah run`: a hub in a process of its own, from its first line to its end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

NO_MDNS = {"http": {"mdns": False}}


@dataclass
class Running:
    """A hub in a process of its own."""

    process: subprocess.Popen
    log: object

    def line(self):
        """Return the next line of standard output."""
        return self.process.stdout.readline().rstrip("\n")

    def url(self):
        """Return where the hub says that it listens."""
        line = self.line()
        assert line.startswith("Mynah listens: http at http://"), line + self.errors()
        return line.rsplit(" ", 1)[1]

    def errors(self):
        return self.log.read_text(encoding="utf-8")

    def until_logged(self, text, within=30.0):
        deadline = time.monotonic() + within
        while text not in self.errors():
            assert time.monotonic() < deadline, self.errors()
            assert self.process.poll() is None, self.errors()
            time.sleep(0.02)

    def stop(self, number=signal.SIGTERM):
        """Send the signal; return the exit status, the rest of standard output, and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        rest = self.process.communicate(timeout=30)[0]
        return self.process.returncode, rest, time.monotonic() - began


@pytest.fixture
def start(folder):
    """Start `mynah run` in the working directory."""
    running = []

    def start_one(*arguments):
        log = folder / f"stderr_{len(running)}.txt"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "mynah.cli.main", "run", *arguments],
                stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip
        running.append(Running(process, log))
        return running[-1]

    yield start_one
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate(timeout=30)


def get(url, **headers):
    """Return the status and the JSON of what is there."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_on_an_empty_configuration_it_says_where_it_listens_and_stops_when_told(start, folder):
    hub = start("--port", "0")
    url = hub.url()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    assert get(f"{url}/health")[1]["components"]["http"]["state"] == "ready"
    assert (folder / "data" / "mynah.sqlite3").is_file()
    code, rest, seconds = hub.stop()
    assert code == 0
    assert re.fullmatch(r"(Mynah listens: mqtt at mqtt://127\.0\.0\.1:\d+)?", rest.strip())
    assert seconds < 5
    assert "Traceback" not in hub.errors()


def test_it_is_healthy_on_scripted_engines(start, config):
    config(sections=NO_MDNS)
    hub = start("--port", "0")
    url = hub.url()
    hub.until_logged("ready in")
    status, health = get(f"{url}/health")
    assert (status, health["status"]) == (200, "healthy")
    assert hub.stop()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_either_signal_ends_it_in_good_order(start, config, number):
    config()
    hub = start("--port", "0")
    hub.url()
    code, _, seconds = hub.stop(number)
    assert code == 0
    assert seconds < 5
    assert hub.errors().rstrip().endswith("mynah.hub: stopped")
    assert "Traceback" not in hub.errors()


def test_a_hangup_has_it_read_its_configuration_again(start, config, folder):
    config()
    hub = start("--port", "0")
    hub.url()
    hub.until_logged("ready in")
    file = folder / "config.yaml"
    written = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**written, "counter": {"visitors": {}}}), encoding="utf-8")
    hub.process.send_signal(signal.SIGHUP)
    hub.until_logged("configuration read again: taken over: counter")
    file.write_text("counter:\n  visitors: {step: 0}\n", encoding="utf-8")
    hub.process.send_signal(signal.SIGHUP)
    hub.until_logged("config.yaml:2: counter → visitors → step: expected a whole number of at least 1, got 0")
    assert hub.stop()[0] == 0


def test_a_port_that_is_taken_is_reported_and_taken_later(start, config):
    config()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        hub = start("--port", str(port))
        hub.until_logged(f"port {port} is taken by another program; set http: {{port: …}} or stop it")
        hub.until_logged("ready in")
    hub.until_logged(f"listening at http://127.0.0.1:{port}")
    assert get(f"http://127.0.0.1:{port}/health")[0] == 200
    assert "Traceback" not in hub.errors()
    assert hub.stop()[0] == 0


TOKEN = re.compile(r"^Token of (\w+) \((\w+)\), shown this once only: (\S+)$", re.MULTILINE)


def test_open_to_the_network_it_prints_each_token_once(start, config):
    config(sections={**NO_MDNS, "speakers": {"hall": {}, "deck": {}}})
    hub = start("--lan", "--port", "0")
    port = hub.url().rpartition(":")[2]
    lines = [hub.line() for _ in range(4)]
    tokens = {name: (role, token) for name, role, token in TOKEN.findall("\n".join(lines))}
    assert {name: role for name, (role, _) in tokens.items()} == {
        "admin": "admin", "hall": "speaker", "deck": "speaker"
    }  # fmt: skip
    assert "mynah token" in lines[-1]
    sessions = f"http://127.0.0.1:{port}/api/v1/sessions"
    assert get(sessions)[0] == 401
    assert get(sessions, Authorization=f"Bearer {tokens['admin'][1]}")[0] == 200
    assert get(sessions, Authorization=f"Bearer {tokens['hall'][1]}")[0] == 403
    assert hub.stop()[0] == 0
    assert all(token not in hub.errors() for _, token in tokens.values())

    config(sections={**NO_MDNS, "speakers": {"hall": {}, "deck": {}, "new": {}}})
    again = start("--lan", "--port", "0")
    port = again.url().rpartition(":")[2]
    code, rest, _ = again.stop()
    assert code == 0
    assert [name for name, _, _ in TOKEN.findall(rest)] == ["new"]


def test_a_host_that_is_open_to_the_network_prints_tokens_as_well(start, config):
    config(sections={"http": {"mdns": False, "host": "0.0.0.0", "port": 0}})
    hub = start()
    hub.url()
    assert TOKEN.match(hub.line())
    assert hub.stop()[0] == 0


def test_on_this_machine_alone_no_token_is_made(start, config, cli):
    config()
    hub = start("--port", "0")
    hub.url()
    assert hub.stop()[:2] == (0, "")
    assert cli("token").out == ""


def test_a_broken_plugin_is_a_line_in_the_log_and_the_hub_runs(start, config, folder):
    config()
    (folder / "my_plugins" / "broken.py").write_text("1 / 0")
    hub = start("--port", "0")
    health = get(f"{hub.url()}/health")[1]
    assert health["plugins"] == {"failed": {"broken": "ZeroDivisionError: division by zero"}}
    assert "plugin broken cannot be used: ZeroDivisionError: division by zero" in hub.errors()
    assert hub.stop()[0] == 0


def test_logs_go_to_the_file_as_json_without_secrets(start, config, folder, monkeypatch):
    monkeypatch.setenv("MODEL_API_KEY", 'hunter2 "quoted"')
    file = config(sections={"log": {"file": "logs/mynah.log", "format": "json"}}, llm={"broken": "THE KEY"})
    file.write_text(file.read_text().replace('"THE KEY"', "!env_var MODEL_API_KEY"))
    hub = start("--port", "0")
    hub.url()
    hub.until_logged("has no model")
    hub.stop()
    text = (folder / "logs" / "mynah.log").read_text()
    assert text == hub.errors()
    assert "hunter2" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[-1]["message"] == "stopped"
    assert any("script_llm has no model: «secret»" in line["message"] for line in lines)
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)


@pytest.mark.parametrize("port", ["-1", "65536", "eighty", "8.5", "", "٨٠"])
def test_a_port_that_is_none_is_refused(cli, port):
    result = cli("run", f"--port={port}")
    assert result.code == 2
    assert "is no port; give a number from 0 to 65535" in result.err


@pytest.mark.parametrize("options", [["--lan"], ["--port", "0"]])
def test_without_the_http_plugin_its_options_are_refused(cli, config, options):
    config(sections={"plugins": {"folder": "my_plugins", "disabled": ["http"]}})
    result = cli("run", *options)
    assert (result.code, result.out) == (1, "")
    assert result.err == "mynah: there is no plugin 'http', or it could not be loaded; see `mynah plugins`\n"


def test_a_mistake_in_the_configuration_ends_it_before_anything_is_made(cli, folder):
    (folder / "config.yaml").write_text("http: {prot: 80}")
    result = cli("run")
    assert (result.code, result.out) == (1, "")
    assert result.err == "mynah: config.yaml:1: http → prot: unknown key; did you mean 'port'?\n"
    assert not (folder / "data").exists()


def test_a_log_file_that_cannot_be_written_is_one_clear_line(cli, config, folder):
    (folder / "file").write_text("")
    config(sections={"log": {"file": "file/mynah.log"}})
    result = cli("run", "--port", "0")
    assert (result.code, result.out) == (1, "")
    assert "log → file: the log file cannot be written" in result.err
    assert len(result.err.splitlines()) == 1


def test_a_data_folder_that_cannot_be_used_is_one_clear_line(cli, config, folder):
    (folder / "file").write_text("")
    config(sections={"data": "file/data"})
    result = cli("run", "--port", "0")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("mynah: the data folder ")
    assert len(result.err.splitlines()) == 1
