"""Who a command makes a hub of."""

from mynah.cli.prepare import Prepared
from mynah.config import load_config
from mynah.conversation.persona import personas
from mynah.plugins import Plugins
from mynah.specs import PersonaSpec

KNOWN = personas([PersonaSpec(name=name, title=name, default=name == "owl") for name in ("bat", "cat", "owl")], {})


def prepared(tmp_path, text=""):
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return Prepared(load_config(file, [spec.spec for spec in KNOWN.values()]), Plugins((), ()), KNOWN)


def test_one_who_is_named_speaks_alone(tmp_path):
    assert list(prepared(tmp_path).speaking("cat")) == ["cat"]


def test_else_the_configured_one_or_the_default(tmp_path):
    assert list(prepared(tmp_path, "persona: bat").speaking(None)) == ["bat"]
    assert list(prepared(tmp_path).speaking(None)) == ["owl"]


def test_for_a_name_that_nobody_has_all_are_there_to_be_told_of(tmp_path):
    assert list(prepared(tmp_path).speaking("emu")) == ["owl", "bat", "cat"]
