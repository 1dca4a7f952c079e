"""TLS on the wire: certificates are checked, cuts are noticed, settings are not mixed (SECURITY T1 T2 S1 S2)."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import time
import warnings
from collections.abc import Callable

import pytest

from requite import errors
from requite.routes import TLS
from requite.transport.pools import Pool
from tests.servers import Authority, RawServer
from tests.wire.hops import CHUNKED, OK, Pieces, always, read_exactly, send, states

Start = Callable[..., RawServer]


def test_a_verified_connection_serves_again(raw_server: Start, authority: Authority) -> None:
    server = raw_server(always(OK), tls=authority.context())
    pool = Pool()
    marks: dict[str, float] = {}
    tls = TLS(ca=(authority.path,))
    assert send(server, pool=pool, tls=tls, marks=marks).collect() == b'ok'
    assert marks['connect'] <= marks['tls'] <= marks['response']
    for _ in range(3):
        assert send(server, pool=pool, tls=tls).collect() == b'ok'
    assert server.connections == 1


def test_large_bodies_go_both_ways(raw_server: Start, authority: Authority) -> None:
    size = 3_000_000

    def handler(sock: socket.socket, head: bytes) -> bool:
        body = read_exactly(sock, size, head.partition(b'\r\n\r\n')[2])
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % size + body)
        return True

    server = raw_server(handler, tls=authority.context())
    pool = Pool()
    data = bytes(range(250)) * (size // 250)
    for body in (data, Pieces([data[: size // 2], data[size // 2 :]], size)):
        assert send(server, 'PUT', pool=pool, tls=TLS(ca=(authority.path,)), body=body).collect() == data
    assert server.connections == 1


def test_an_unknown_authority_is_refused(raw_server: Start, authority: Authority) -> None:
    """T1."""
    server = raw_server(always(OK), tls=authority.context())
    pool = Pool()
    with pytest.raises(errors.CertificateError) as caught:
        send(server, pool=pool, tls=TLS())
    assert caught.value.code == 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
    assert isinstance(caught.value, OSError)
    assert server.heads == []
    assert states(pool) == (0, 0)


def test_a_certificate_for_another_name_is_refused(raw_server: Start, authority: Authority) -> None:
    """T1."""
    server = raw_server(always(OK), tls=authority.context('other.example'))
    with pytest.raises(errors.CertificateError) as caught:
        send(server, tls=TLS(ca=(authority.path,)))
    assert caught.value.code == 'ERR_TLS_CERT_ALTNAME_INVALID'
    assert send(server, tls=TLS(ca=(authority.path,), server_hostname='other.example')).collect() == b'ok'


def own_certificate(folder: object, days: tuple[int, int], names: list[str]) -> ssl.SSLContext:
    """A server's context with a certificate signed by itself, valid between these days from now."""
    x509 = pytest.importorskip('cryptography.x509', reason='cryptography makes the certificate')
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, '127.0.0.1')])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now + dt.timedelta(days=days[0]))
    builder = builder.not_valid_after(now + dt.timedelta(days=days[1]))
    if names:
        import ipaddress

        addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    path = f'{folder}/own.pem'
    with open(path, 'wb') as file:
        form = serialization.PrivateFormat.TraditionalOpenSSL
        file.write(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize(
    ('days', 'trusted', 'names', 'code'),
    [
        ((-1, 1), False, ['127.0.0.1'], 'DEPTH_ZERO_SELF_SIGNED_CERT'),
        ((-2, -1), True, ['127.0.0.1'], 'CERT_HAS_EXPIRED'),
        ((1, 2), True, ['127.0.0.1'], 'CERT_NOT_YET_VALID'),
        ((-1, 1), True, [], 'ERR_TLS_CERT_ALTNAME_INVALID'),
        ((-1, 1), True, ['127.0.0.2'], 'ERR_TLS_CERT_ALTNAME_INVALID'),
    ],
)
def test_a_bad_certificate_has_nodes_code(
    raw_server: Start, tmp_path: object, days: tuple[int, int], trusted: bool, names: list[str], code: str
) -> None:
    """T1: a common name is no name."""
    server = raw_server(always(OK), tls=own_certificate(tmp_path, days, names))
    ca = (f'{tmp_path}/own.pem',) if trusted else ()
    with pytest.raises(errors.CertificateError) as caught:
        send(server, tls=TLS(ca=ca))
    assert caught.value.code == code
    assert send(server, tls=TLS(verify=False, ca=ca)).collect() == b'ok'


def test_a_connection_without_verification_serves_no_request_that_wants_it(
    raw_server: Start, authority: Authority
) -> None:
    """T2, A6."""
    server = raw_server(always(OK), tls=authority.context())
    pool = Pool()
    assert send(server, pool=pool, tls=TLS(verify=False)).collect() == b'ok'
    with pytest.raises(errors.CertificateError):
        send(server, pool=pool, tls=TLS())
    assert send(server, pool=pool, tls=TLS(verify=False)).collect() == b'ok'


def test_an_old_version_is_refused(raw_server: Start, authority: Authority) -> None:
    """T1."""
    old = authority.context()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
    except ValueError:
        pytest.skip('this OpenSSL has no TLS 1.1')
    with pytest.raises((errors.TLSError, errors.ConnectionReset)):
        send(raw_server(always(OK), tls=old), tls=TLS(ca=(authority.path,)))


def test_what_is_no_tls_is_a_tls_error(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> None:
        raise AssertionError('never a head')

    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen()
    import threading

    def serve() -> None:
        sock, _ = listener.accept()
        sock.recv(10)
        sock.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
        time.sleep(0.1)
        sock.close()

    thread = threading.Thread(target=serve)
    thread.start()
    from requite.routes import Route
    from requite.transport.pooled import DEFAULT
    from tests.wire.hops import hop_to

    route = Route('https', '127.0.0.1', listener.getsockname()[1], TLS())
    with pytest.raises(errors.TLSError) as caught:
        DEFAULT.send(hop_to(raw_server(handler), route=route))
    assert caught.value.code == 'EPROTO'
    thread.join(5)
    listener.close()


@pytest.mark.parametrize('drip', [False, True])
def test_a_handshake_that_stalls_or_drips_is_a_connect_timeout(raw_server: Start, drip: bool) -> None:
    """D1."""
    import threading

    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen()

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            try:
                for byte in b'\x16\x03\x03\x40\x00' + bytes(100):
                    if drip:
                        sock.sendall(bytes([byte]))
                    time.sleep(0.05)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    from requite.routes import Route
    from requite.transport.pooled import DEFAULT
    from tests.wire.hops import hop_to

    route = Route('https', '127.0.0.1', listener.getsockname()[1], TLS())
    began = time.monotonic()
    with pytest.raises(errors.ConnectTimeout) as caught:
        DEFAULT.send(hop_to(raw_server(always(OK)), route=route, connect=0.4))
    assert time.monotonic() - began < 3
    assert caught.value.code == 'ETIMEDOUT'
    listener.close()


@pytest.mark.parametrize(
    ('sent', 'notify', 'whole'),
    [
        (b'HTTP/1.1 200 OK\r\n\r\nok', True, True),
        (b'HTTP/1.1 200 OK\r\n\r\nok', False, False),
        (OK[:-1], False, False),
        (OK[:-1], True, False),
        (CHUNKED + b'2\r\nok\r\n', False, False),
        (CHUNKED + b'2\r\nok\r\n', True, False),
        (OK, False, True),
    ],
)
@pytest.mark.parametrize('how', ['read', 'collect'])
def test_only_close_notify_ends_a_body(
    raw_server: Start, authority: Authority, sent: bytes, notify: bool, whole: bool, how: str
) -> None:
    """S2: somebody who can cut the TCP connection cannot make half an answer look whole."""

    def handler(sock: ssl.SSLSocket, head: bytes) -> None:
        sock.sendall(sent)
        if notify:
            sock.unwrap()
        sock.shutdown(socket.SHUT_RDWR)

    server = raw_server(handler, tls=authority.context())
    reply = send(server, pool=Pool(), tls=TLS(ca=(authority.path,)))

    def take() -> bytes:
        return reply.collect() if how == 'collect' else b''.join(iter(reply.read, b''))

    if whole:
        assert take() == b'ok'
    else:
        with pytest.raises(errors.ResponseAborted) as caught:
            take()
        assert caught.value.code == 'ECONNRESET'


def test_a_tls_connection_that_died_meanwhile_is_replaced(raw_server: Start, authority: Authority) -> None:
    """Q8."""
    served: set[socket.socket] = set()  # kept: an id may come again

    def handler(sock: ssl.SSLSocket, head: bytes) -> bool:
        if sock in served:
            return False
        served.add(sock)
        sock.sendall(OK)
        return True

    server = raw_server(handler, tls=authority.context())
    pool = Pool()
    tls = TLS(ca=(authority.path,))
    send(server, pool=pool, tls=tls)
    assert send(server, pool=pool, tls=tls).collect() == b'ok'
    assert server.connections == 2
    send(server, pool=pool, tls=tls)
    with pytest.raises(errors.ConnectionReset):
        send(server, 'POST', pool=pool, tls=tls, body=b'x')


def test_a_read_timeout_over_tls(raw_server: Start, authority: Authority) -> None:
    def handler(sock: ssl.SSLSocket, head: bytes) -> None:
        sock.sendall(OK[:-1])
        sock.recv(1)

    server = raw_server(handler, tls=authority.context())
    began = time.monotonic()
    with pytest.raises(errors.ReadTimeout):
        send(server, tls=TLS(ca=(authority.path,)), read=0.2).collect()
    assert time.monotonic() - began < 2
