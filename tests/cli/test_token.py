"""`mynah token`: made once, shown once, void when made anew."""

from __future__ import annotations

import pytest

from mynah.storage import Storage

HALL = {"speakers": {"hall": {}, "deck": {}}}


@pytest.fixture
def credential(folder):
    """Look a token up as the hub would."""

    def look_up(token):
        storage = Storage(folder / "data")
        try:
            return storage.credential(token)
        finally:
            storage.close()

    return look_up


def token_of(result):
    return result.out.splitlines()[0].rsplit(" ", 1)[1]


def test_a_token_for_a_speaker_is_shown_with_its_role(cli, config, credential):
    config(sections=HALL)
    result = cli("token", "hall")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("hall (speaker): ")
    assert "shown this once only" in result.out
    assert credential(token_of(result)) == ("hall", "speaker")


def test_a_new_token_voids_the_one_before(cli, config, credential):
    config(sections=HALL)
    first, second = token_of(cli("token", "hall")), token_of(cli("token", "hall"))
    assert credential(first) is None
    assert credential(second) == ("hall", "speaker")


def test_names_and_roles_are_listed_without_tokens(cli, config):
    config(sections=HALL)
    assert cli("token").out == ""
    token = token_of(cli("token", "hall"))
    cli("token", "Anna", "--role", "viewer")
    result = cli("token")
    assert result.out == "Anna\tviewer\nhall\tspeaker\n"
    assert token not in result.out


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_people_have_the_role_that_is_asked_for(cli, config, credential, role):
    config()
    assert credential(token_of(cli("token", "Anna Maria", "--role", role))) == ("Anna Maria", role)


def test_a_token_made_anew_keeps_its_role(cli, config, credential):
    config()
    cli("token", "Anna", "--role", "viewer")
    assert credential(token_of(cli("token", "Anna"))) == ("Anna", "viewer")


def test_the_admin_is_an_admin(cli, config, credential):
    config()
    assert credential(token_of(cli("token", "admin"))) == ("admin", "admin")


def test_a_speaker_that_is_not_configured_gets_no_token(cli, config):
    config(sections=HALL)
    result = cli("token", "hal")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "mynah: no speaker named 'hal' is configured; add it with `mynah speaker add`, or give another --role\n"
    )


@pytest.mark.parametrize("name", ["", "  ", "a\tb", "a\nb", "\udcff", "\x00"])
def test_a_name_that_cannot_be_read_is_refused(cli, config, name):
    config()
    result = cli("token", name, "--role", "viewer")
    assert (result.code, result.out) == (1, "")
    assert "is no name for a token" in result.err


def test_an_unknown_role_is_refused(cli, config):
    config()
    result = cli("token", "Anna", "--role", "emperor")
    assert result.code == 2
    assert "emperor" in result.err


def test_the_configurations_data_folder_is_used(cli, config, folder):
    config(sections={**HALL, "data": "elsewhere"})
    cli("token", "hall")
    assert (folder / "elsewhere" / "mynah.sqlite3").is_file()
    assert not (folder / "data").exists()


def test_a_data_folder_that_cannot_be_used_is_one_clear_line(cli, config, folder):
    (folder / "file").write_text("")
    config(sections={"data": "file/data"})
    result = cli("token")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("mynah: the data folder ")
    assert len(result.err.splitlines()) == 1
