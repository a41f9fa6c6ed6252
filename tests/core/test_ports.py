"""What servers say of their ports, their names and their clients' handshakes."""

from __future__ import annotations

import errno
import socket

import pytest

from mynah.ports import LOOPBACK, name_in_network, why_not_listening


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EADDRINUSE, "in use"), "port 80 is taken by another program; set http: {port: …} or stop it"),
        (OSError(errno.EACCES, "denied"), "port 80 needs more rights than this program has; set http: {port: …} to"),
        (OSError(errno.EADDRNOTAVAIL, "none"), "'here' is no address of this machine; set http: {host: …}"),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "'here' is no address of this machine"),
        (OSError(errno.ENOBUFS, "no room"), "cannot listen on here, port 80: no room"),
    ],
)
def test_why_a_port_cannot_be_listened_on_is_told_with_what_to_do(error, words):
    assert words in why_not_listening(error, "here", 80, "http: {%s: …}")


@pytest.mark.parametrize(("host", "name"), [(LOOPBACK, LOOPBACK), ("::1", "[::1]"), ("hub.lan", "hub.lan")])
def test_an_address_is_its_own_name(host, name):
    assert name_in_network(host) == name


def test_where_an_address_means_all_of_them_the_name_is_one_that_can_be_reached():
    assert name_in_network("0.0.0.0").count(".") == 3
    assert name_in_network("0.0.0.0") != "0.0.0.0"
