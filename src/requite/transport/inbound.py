"""The few things that the ends of a pipe want of a socket which a server accepted."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

_LINGER_RST = struct.pack('ii', 1, 0)


def reset(sock: Any) -> None:
    """Closes an accepted connection with RST, so that the client cannot take what was sent so far for the whole (SECURITY Q4).

    The socket is detached from its object: the files that servers make of it would keep it open, and end it politely. Never raises.
    """
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RST)
        descriptor = sock.detach()
    except (AttributeError, OSError, ValueError):
        return
    if descriptor < 0:
        return
    if os.name == 'posix':
        os.close(descriptor)
    else:
        socket.close(descriptor)


def unlingering(sock: Any) -> None:
    """Has the next close of an accepted connection be RST, where the socket cannot be taken from the server that holds it. Never raises."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RST)
    except (AttributeError, OSError, ValueError):
        pass


def undelayed(sock: Any) -> None:
    """Has small pieces go out at once, instead of waiting for the acknowledgement of the one before (TCP_NODELAY). Never raises."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (AttributeError, OSError):
        pass


def is_plain(sock: Any) -> bool:
    """Whether it is a socket without TLS: one thread may send on it while another receives."""
    return isinstance(sock, socket.socket) and not hasattr(sock, 'pending')


def shut_for_reading(sock: Any) -> None:
    """Wakes a thread that waits for something to come; to it, this is the end. Never raises."""
    try:
        sock.shutdown(socket.SHUT_RD)
    except OSError:
        pass
