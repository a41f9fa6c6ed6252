"""The loader: every plugin by itself, what is wrong with the broken ones, and whose name is taken."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import textwrap

import pytest

from mynah import hookspecs
from mynah.plugins import HOOKS, LoadedPlugin, Plugins, load_plugins
from mynah.specs import CommandSpec, ComponentSpec, EngineSpec, PersonaSpec, RouteSpec

HEAD = """
from __future__ import annotations
from mynah import CommandSpec, ComponentSpec, EngineSpec, PersonaSpec, RouteSpec, hookimpl

def nothing(*_):
    raise NotImplementedError
"""
GOOD = (
    HEAD
    + """
@hookimpl
def mynah_personas():
    yield PersonaSpec(name=NAME, title="Good")
"""
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my_plugins"
    folder.mkdir()
    return folder


@pytest.fixture
def load(folder):
    """Write files into the plugin folder and return what is loaded of them, by name."""

    def load_files(**files):
        for name, text in files.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        return {plugin.name: plugin for plugin in load_plugins(folder=folder).loaded if plugin.name in files}

    return load_files


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install distributions with a plugin each: `install(dist="name", parrot="code of the module")`."""

    def install_one(dist, **modules):
        site = tmp_path / f"site_{dist}"
        info = site / f"{dist}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\n")
        entries = "".join(f"{name} = {dist}_{name}\n" for name in modules)
        (info / "entry_points.txt").write_text(f"[mynah.plugins]\n{entries}")
        for name, text in modules.items():
            if text is not None:
                (site / f"{dist}_{name}.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(str(site))

    return install_one


def persona(name):
    return GOOD.replace("NAME", repr(name))


def personas(plugins):
    return [spec.name for spec in plugins.personas]


def test_every_hook_is_known_to_the_loader():
    assert list(HOOKS) == [name for name in vars(hookspecs) if name.startswith("mynah_")]


def test_the_components_of_a_persona_that_is_renewed_are_known():
    async def run(*_):
        raise NotImplementedError

    def plugin(name, renewable):
        persona = PersonaSpec(name=name, title=name, renewable=renewable)
        return LoadedPlugin(name, "here", (persona, ComponentSpec(name=name, run=run)))

    plugins = Plugins((plugin("gazette", True), plugin("parrot", False)))
    assert [spec.name for spec in plugins.renewing({"gazette", "parrot"})] == ["gazette"]
    assert plugins.renewing({"parrot"}) == ()


def test_a_file_in_the_folder_is_a_plugin_of_its_name(load, folder):
    found = load(pirate=persona("pirate"))["pirate"]
    assert (found.name, found.origin, found.error) == ("pirate", str(folder / "pirate.py"), "")
    assert [spec.name for spec in found.specs] == ["pirate"]


def test_everything_that_hooks_give_is_collected_by_kind(load, folder):
    load(
        all=HEAD
        + """
@hookimpl
def mynah_components():
    return [ComponentSpec(name="bell", run=nothing)]

@hookimpl
def mynah_engines():
    return (EngineSpec(name="parrot", kind="llm", open=nothing), EngineSpec(name="parrot", kind="stt", open=nothing))

@hookimpl
def mynah_personas():
    return {"any key": PersonaSpec(name="pirate", title="A pirate")}.values()

@hookimpl
def mynah_routes():
    return iter([RouteSpec(name="hello", method="GET", path="/hello", handle=nothing)])

@hookimpl
def mynah_commands():
    yield CommandSpec(name="hello", run=nothing)
"""
    )
    plugins = load_plugins(folder=folder)
    own = next(plugin for plugin in plugins.loaded if plugin.name == "all")
    assert own.error == ""
    assert [type(spec) for spec in own.specs] == [
        CommandSpec, ComponentSpec, EngineSpec, EngineSpec, PersonaSpec, RouteSpec
    ]  # fmt: skip
    assert {"parrot"} <= {spec.name for spec in plugins.engines}
    assert "bell" in [spec.name for spec in plugins.components]
    assert "pirate" in personas(plugins)
    assert "/hello" in [spec.path for spec in plugins.routes]
    assert "hello" in [spec.name for spec in plugins.commands]


BROKEN = {
    "does_not_import": ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
    "raises": ("1 / 0\n", "ZeroDivisionError: division by zero"),
    "no_python": ("def f(:\n", "SyntaxError: invalid syntax (no_python.py, line 1)"),
    "exits": ("import sys\nsys.exit('for the command line only')\n", "SystemExit: for the command line only"),
    "null": ("x = 1\x00\n", "null bytes"),
    "hook_raises": (
        HEAD + "@hookimpl\ndef mynah_engines():\n    raise OSError('no such device')\n",
        "OSError: no such device",
    ),
    "generator_raises": (
        HEAD
        + "@hookimpl\ndef mynah_personas():\n    yield PersonaSpec(name='a', title='x')\n    raise OSError('gone')\n",
        "OSError: gone",
    ),
    "misspelt": (HEAD + "@hookimpl\ndef mynah_engins():\n    return []\n", "unknown hook 'mynah_engins'"),
    "argument": (HEAD + "@hookimpl\ndef mynah_engines(hub):\n    return []\n", "hub"),
    "unmarked": (HEAD + "def mynah_engines():\n    return []\n", "mynah_engines is not marked with @hookimpl"),
    "awaited": (
        HEAD + "@hookimpl\nasync def mynah_engines():\n    return []\n",
        "mynah_engines is a coroutine; hooks are plain functions",
    ),
    "returns_none": (HEAD + "@hookimpl\ndef mynah_engines():\n    []\n", "mynah_engines returned NoneType; it should"),
    "returns_text": (HEAD + "@hookimpl\ndef mynah_engines():\n    return 'parrot'\n", "mynah_engines returned str; it"),
    "returns_one": (
        HEAD + "@hookimpl\ndef mynah_personas():\n    return PersonaSpec(name='a', title='A')\n",
        "mynah_personas returned PersonaSpec; it should return a list of specs",
    ),
    "returns_dicts": (
        HEAD + "@hookimpl\ndef mynah_engines():\n    return [{'name': 'parrot'}]\n",
        "mynah_engines gave dict where EngineSpec is expected",
    ),
    "returns_class": (
        HEAD + "@hookimpl\ndef mynah_engines():\n    return [EngineSpec]\n",
        "mynah_engines gave type where EngineSpec is expected",
    ),
    "wrong_hook": (
        HEAD + "@hookimpl\ndef mynah_engines():\n    return [PersonaSpec(name='a', title='A')]\n",
        "mynah_engines gave PersonaSpec where EngineSpec is expected",
    ),
    "no_name": (
        HEAD + "@hookimpl\ndef mynah_personas():\n    return [PersonaSpec(name=None, title='A')]\n",
        "mynah_personas gave PersonaSpec with the name None; a name is text",
    ),
    "no_kind": (
        HEAD + "@hookimpl\ndef mynah_engines():\n    return [EngineSpec(name='a', kind='ttts', open=nothing)]\n",
        "engine 'a' is of kind 'ttts'; known are stt, tts, llm, translator, vad",
    ),
    "of_the_core": (
        HEAD + "@hookimpl\ndef mynah_components():\n    return [ComponentSpec(name='sessions', run=nothing)]\n",
        "a component cannot be named 'sessions': the core has a section of that name",
    ),
    "twice": (
        HEAD + "@hookimpl\ndef mynah_engines():\n    return [EngineSpec(name='a', kind='tts', open=nothing)] * 2\n",
        "engine tts a is declared twice",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_reported_with_its_reason_and_the_others_run(load, name):
    text, reason = BROKEN[name]
    found = load(**{"a_good": persona("a_good"), name: text, "z_good": persona("z_good")})
    assert reason in found[name].error
    assert found[name].specs == ()
    assert [found[good].error for good in ("a_good", "z_good")] == ["", ""]
    assert [spec.name for spec in found["z_good"].specs] == ["z_good"]


def test_what_is_broken_is_listed_as_a_problem(load, folder):
    load(good=persona("good"), broken="1 / 0")
    plugins = load_plugins(folder=folder)
    assert [plugin.name for plugin in plugins.problems if plugin.origin.startswith(str(folder))] == ["broken"]
    assert {"good", "broken"} <= set(plugins.names)


def test_a_file_that_is_not_utf_8_is_reported(folder):
    (folder / "latin.py").write_bytes("x = 'grüße'".encode("latin-1"))
    (found,) = [plugin for plugin in load_plugins(folder=folder).loaded if plugin.name == "latin"]
    assert "SyntaxError" in found.error


def test_an_installed_plugin_that_does_not_import_is_reported_with_its_distribution(install):
    install("birds", parrot=None, pirate=persona("pirate"))
    found = {plugin.name: plugin for plugin in load_plugins().loaded}
    assert found["parrot"].error == "ModuleNotFoundError: No module named 'birds_parrot'"
    assert found["parrot"].origin == "birds_parrot (birds 1.2)"
    assert found["pirate"].error == ""


def test_an_engine_of_two_plugins_is_refused_to_the_second_by_name(load):
    text = HEAD + "@hookimpl\ndef mynah_engines():\n    return [EngineSpec(name='caw', kind='tts', open=nothing)]\n"
    found = load(crow=text, raven=text)
    assert found["crow"].error == ""
    assert found["raven"].error == "engine tts caw is declared by plugin 'crow' as well; disable one of them"
    assert found["raven"].specs == ()


@pytest.mark.parametrize(
    ("hook", "spec", "what"),
    [
        ("personas", "PersonaSpec(name='caw', title='A')", "persona caw"),
        ("components", "ComponentSpec(name='caw', run=nothing)", "component caw"),
        ("commands", "CommandSpec(name='caw', run=nothing)", "command caw"),
        ("routes", "RouteSpec(name=__name__, method='GET', path='/caw', handle=nothing)", "route GET /caw"),
    ],
)
def test_any_name_of_two_plugins_is_refused_to_the_second(load, hook, spec, what):
    text = HEAD + f"@hookimpl\ndef mynah_{hook}():\n    return [{spec}]\n"
    found = load(crow=text, raven=text)
    assert found["crow"].error == ""
    assert found["raven"].error == f"{what} is declared by plugin 'crow' as well; disable one of them"


def test_engines_of_one_name_and_two_kinds_go_together(load):
    text = HEAD + "@hookimpl\ndef mynah_engines():\n    return [EngineSpec(name='caw', kind='KIND', open=nothing)]\n"
    found = load(crow=text.replace("KIND", "tts"), raven=text.replace("KIND", "stt"))
    assert [plugin.error for plugin in found.values()] == ["", ""]


def test_a_refused_plugin_takes_no_names_from_later_ones(load):
    two = HEAD + "@hookimpl\ndef mynah_personas():\n    return [PersonaSpec(name=n, title='x') for n in ('a', 'b')]\n"
    found = load(p1=persona("a"), p2=two, p3=persona("b"))
    assert [bool(plugin.error) for plugin in found.values()] == [False, True, False]


def test_of_two_installed_plugins_of_one_name_the_second_is_refused_naming_the_first(install):
    install("birds", parrot=persona("parrot"))
    install("crows", parrot=persona("crow"))
    found = [plugin for plugin in load_plugins().loaded if plugin.name == "parrot"]
    assert [(plugin.origin, bool(plugin.specs)) for plugin in found] == [
        ("birds_parrot (birds 1.2)", True),
        ("crows_parrot (crows 1.2)", False),
    ]
    assert found[1].error == "birds_parrot (birds 1.2) is a plugin named 'parrot' as well; rename or remove one"


def test_a_file_does_not_replace_an_installed_plugin_silently(load, folder):
    found = [plugin for plugin in _loaded(load, folder, espeak=persona("loud")) if plugin.name == "espeak"]
    assert len(found) == 2
    assert sorted(bool(plugin.error) for plugin in found) == [False, True]


def _loaded(load, folder, **files):
    load(**files)
    return load_plugins(folder=folder).loaded


def test_a_disabled_plugin_is_not_even_imported(load, folder, tmp_path):
    trace = tmp_path / "imported"
    (folder / "noisy.py").write_text(f"open({str(trace)!r}, 'w')")
    plugins = load_plugins(["noisy"], folder)
    assert not trace.exists()
    assert plugins.disabled == ("noisy",)
    assert "noisy" in plugins.names
    assert "noisy" not in [plugin.name for plugin in plugins.loaded]


def test_disabling_one_of_two_in_conflict_lets_the_other_run(load, folder):
    load(crow=persona("caw"), raven=persona("caw"))
    plugins = load_plugins(["crow"], folder)
    assert next(plugin for plugin in plugins.loaded if plugin.name == "raven").error == ""


def test_disabling_what_is_not_there_disables_nothing(folder):
    assert load_plugins(["no_such_plugin"], folder).disabled == ()


def test_plugins_are_sorted_by_name_wherever_they_come_from(load, folder, install):
    install("birds", mmm=persona("mmm"))
    load(zzz=persona("zzz"), aaa=persona("aaa"))
    names = [plugin.name for plugin in load_plugins(folder=folder).loaded]
    assert names == sorted(names)
    assert {"aaa", "mmm", "zzz"} <= set(names)


def test_specs_of_a_plugin_are_sorted(load):
    text = HEAD + "@hookimpl\ndef mynah_personas():\n    return [PersonaSpec(name=n, title='x') for n in 'cab']\n"
    assert [spec.name for spec in load(many=text)["many"].specs] == ["a", "b", "c"]


def test_two_loads_have_nothing_in_common(load):
    text = persona("pirate") + "\ncount = []\n@hookimpl\ndef mynah_commands():\n    count.append(1)\n"
    text += "    yield CommandSpec(name='c' + str(len(count)), run=nothing)\n"
    first, second = load(pirate=text)["pirate"], load(pirate=text)["pirate"]
    assert [spec.name for spec in first.specs] == [spec.name for spec in second.specs] == ["c1", "pirate"]
    assert first.specs[0].run is not second.specs[0].run


def test_a_folder_that_changes_is_read_anew(load):
    assert load(pirate=persona("one"))["pirate"].specs[0].name == "one"
    assert load(pirate=persona("three"))["pirate"].specs[0].name == "three"


def test_a_file_may_define_dataclasses_and_pickle_them(load):
    text = (
        HEAD
        + """
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True)
class Bird:
    wings: int = 2
    kind: ClassVar[str] = "bird"

@hookimpl
def mynah_personas():
    yield PersonaSpec(name="bird", title="A bird", voice=Bird())
"""
    )
    found = load(birds=text)["birds"]
    assert found.error == ""
    bird = found.specs[0].voice
    assert pickle.loads(pickle.dumps(bird)) == bird


def test_other_files_in_the_folder_are_left_alone(folder):
    (folder / "notes.txt").write_text("1 / 0")
    (folder / "sub").mkdir()
    (folder / "sub" / "broken.py").write_text("1 / 0")
    assert [p for p in load_plugins(folder=folder).loaded if p.origin.startswith(str(folder))] == []


def test_loading_the_installed_plugins_imports_nothing_heavy():
    program = (
        "import json, sys; from mynah.plugins import load_plugins; p = load_plugins();"
        "print(json.dumps([[f'{x.name}: {x.error}' for x in p.problems], sorted(sys.modules)]))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60).stdout
    problems, modules = json.loads(output)
    assert problems == []
    assert not {"aiohttp", "av", "pocketsphinx", "faster_whisper", "zeroconf", "onnxruntime"} & set(modules)
