from __future__ import annotations

import socket

import pytest

from requite.transport import inbound


def test_a_reset_is_seen_even_while_a_server_still_holds_files_of_the_connection() -> None:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        file = accepted.makefile('rb')
        client.sendall(b'x')
        inbound.undelayed(accepted)
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        inbound.reset(accepted)
        client.settimeout(10)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        inbound.reset(accepted)  # a second time: nothing
        file.close()
        client.close()


def test_what_is_no_socket_is_left_alone() -> None:
    inbound.reset(None)
    inbound.undelayed(object())
