"""Content codings are undone whole, bounded and strictly (SECURITY B1 B2 B3 B4 S1)."""

from __future__ import annotations

import gzip
import os
import random
import zlib

import pytest

from requite.errors import DecodeError, ResponseAborted
from requite.wire import codings
from requite.wire.decode import accept_encoding, decoder_for

TEXT = b''.join(b'line %d of a text that compresses\n' % number for number in range(2000))
NOISE = random.Random(7).randbytes(200_000)


def raw_deflate(data: bytes) -> bytes:
    codec = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return codec.compress(data) + codec.flush()


def brotli_of(data: bytes) -> bytes:
    return pytest.importorskip('brotli').compress(data, quality=4)


def zstd_of(data: bytes) -> bytes:
    codec = pytest.importorskip('zstandard').ZstdCompressor(write_checksum=True)
    return codec.compress(data)


ENCODERS = {
    'gzip': gzip.compress,
    'x-gzip': gzip.compress,
    'deflate': zlib.compress,
    'br': brotli_of,
    'zstd': zstd_of,
}
CODINGS = list(ENCODERS)


def decoded(coding: str, data: bytes, chunk: int = 4096, limit: int = 65536) -> bytes:
    """A body as a collector reads it."""
    decoder = decoder_for(coding)
    assert decoder is not None
    parts = []
    for at in range(0, len(data), chunk):
        parts.append(decoder.decode(memoryview(data)[at : at + chunk], limit))
        while decoder.pending:
            parts.append(decoder.decode(b'', limit))
    decoder.finish()
    assert all(len(part) <= limit for part in parts)
    return b''.join(parts)


@pytest.mark.parametrize('coding', CODINGS)
@pytest.mark.parametrize(
    'body', [TEXT, NOISE, b'', b'x', bytes(3_000_000)], ids=['text', 'noise', 'empty', 'byte', 'zeros']
)
@pytest.mark.parametrize(('chunk', 'limit'), [(1 << 20, 1 << 20), (4096, 65536), (777, 5000)])
def test_every_coding_is_undone_whatever_the_chunks(coding: str, body: bytes, chunk: int, limit: int) -> None:
    assert decoded(coding, ENCODERS[coding](body), chunk, limit) == body


@pytest.mark.parametrize('coding', CODINGS)
def test_a_body_that_comes_byte_by_byte_is_decoded(coding: str) -> None:
    """B4."""
    assert decoded(coding, ENCODERS[coding](TEXT), 1, 100) == TEXT


@pytest.mark.parametrize('coding', CODINGS)
def test_a_body_cut_anywhere_is_aborted_and_never_taken_for_whole(coding: str) -> None:
    """S1."""
    whole = ENCODERS[coding](TEXT[:3000])
    for length in range(1, len(whole)):
        with pytest.raises(ResponseAborted) as caught:
            decoded(coding, whole[:length])
        assert caught.value.code == 'Z_BUF_ERROR'


def test_a_raw_deflate_body_cut_anywhere_is_aborted() -> None:
    """S1."""
    whole = raw_deflate(TEXT[:3000])
    for length in range(1, len(whole)):
        with pytest.raises(ResponseAborted):
            decoded('deflate', whole[:length])


def test_a_gzip_body_without_its_trailer_is_aborted() -> None:
    """S1."""
    with pytest.raises(ResponseAborted, match='cut before its end'):
        decoded('gzip', gzip.compress(TEXT)[:-8])


@pytest.mark.parametrize('coding', CODINGS)
def test_an_empty_body_is_whole(coding: str) -> None:
    ENCODERS[coding](b'')
    assert decoded(coding, b'') == b''


def test_the_names_of_codings_have_no_letter_case() -> None:
    """B3."""
    assert decoded('GZIP', gzip.compress(TEXT)) == TEXT
    assert decoded(' X-GZip ', gzip.compress(TEXT)) == TEXT
    assert decoded('Deflate', zlib.compress(TEXT)) == TEXT


def test_raw_deflate_is_decoded_as_well_as_zlib() -> None:
    """B3."""
    for level in range(10):
        codec = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
        assert decoded('deflate', codec.compress(NOISE) + codec.flush()) == NOISE
        assert decoded('deflate', zlib.compress(NOISE, level)) == NOISE


def test_all_members_of_a_gzip_body_are_decoded() -> None:
    """B3."""
    members = gzip.compress(TEXT) + gzip.compress(b'') + gzip.compress(NOISE)
    assert decoded('gzip', members) == TEXT + NOISE
    assert decoded('gzip', members, chunk=1, limit=1000) == TEXT + NOISE
    with pytest.raises(ResponseAborted):
        decoded('gzip', members[:-1])


def test_all_frames_of_a_zstd_body_are_decoded() -> None:
    """B3."""
    skippable = (0x184D2A53).to_bytes(4, 'little') + (5).to_bytes(4, 'little') + b'notes'
    frames = zstd_of(TEXT) + skippable + zstd_of(NOISE)
    assert decoded('zstd', frames) == TEXT + NOISE
    assert decoded('zstd', frames, chunk=3, limit=999) == TEXT + NOISE
    with pytest.raises(ResponseAborted):
        decoded('zstd', (zstd_of(TEXT) + skippable)[:-1])


@pytest.mark.parametrize('coding', ['gzip', 'deflate', 'br', 'zstd'])
@pytest.mark.parametrize('chunk', [1, 1 << 20])
def test_garbage_after_the_stream_is_an_error(coding: str, chunk: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(coding, ENCODERS[coding](TEXT) + b'garbage after the stream', chunk)
    assert caught.value.code == 'Z_DATA_ERROR'


@pytest.mark.parametrize('coding', ['gzip', 'deflate'])
def test_zero_padding_after_the_stream_is_ignored_as_in_node(coding: str) -> None:
    whole = ENCODERS[coding](TEXT)
    assert decoded(coding, whole + bytes(512)) == TEXT
    assert decoded(coding, whole + bytes(512), chunk=1) == TEXT
    with pytest.raises(DecodeError):
        decoded(coding, whole + bytes(512) + b'x')


def test_a_wrong_checksum_is_an_error() -> None:
    good = gzip.compress(TEXT)
    with pytest.raises(DecodeError, match='incorrect data check'):
        decoded('gzip', good[:-8] + b'\1\2\3\4' + good[-4:])
    with pytest.raises(DecodeError):
        decoded('gzip', good[:-4] + b'\1\2\3\4')
    with pytest.raises(DecodeError):
        decoded('deflate', zlib.compress(TEXT)[:-4] + b'\1\2\3\4')
    with pytest.raises(DecodeError):
        decoded('zstd', zstd_of(TEXT)[:-4] + b'\1\2\3\4')


def test_what_is_not_in_the_coding_is_an_error_with_nodes_code() -> None:
    for coding, body in [
        ('gzip', TEXT),
        ('gzip', zlib.compress(TEXT)),
        ('deflate', TEXT),
        ('zstd', TEXT),
        ('br', b'\xff' * 100),
    ]:
        ENCODERS[coding](b'')
        with pytest.raises(DecodeError) as caught:
            decoded(coding, body)
        assert caught.value.code == 'Z_DATA_ERROR'
        assert caught.value.__cause__ is None


@pytest.mark.parametrize('coding', CODINGS)
def test_no_damage_to_a_body_lets_an_exception_of_a_package_out(coding: str) -> None:
    """P2."""
    whole = bytearray(ENCODERS[coding](TEXT))
    chance = random.Random(11)
    errors = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            decoded(coding, bytes(damaged))
        except (DecodeError, ResponseAborted):
            errors += 1
    assert errors > 100


@pytest.mark.parametrize('coding', ['gzip', 'deflate', 'br', 'zstd'])
def test_a_read_costs_no_more_than_it_asked_for(coding: str) -> None:
    """B1: a body that would decode to 100 MB gives 64 KiB when 64 KiB are asked for, in little memory."""
    import tracemalloc

    bomb = ENCODERS[coding](bytes(100 << 20))
    decoder = decoder_for(coding)
    assert decoder is not None
    tracemalloc.start()
    try:
        first = b''
        while not first:
            first = decoder.decode(bomb if not decoder.pending else b'', 65536)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert first == bytes(len(first))
    assert len(first) <= 65536
    assert peak < 4 << 20
    assert decoder.pending


def test_what_waits_inside_does_not_share_the_callers_buffer() -> None:
    """A receive buffer is used again as soon as the call is over."""
    body = gzip.compress(NOISE)
    buffer = bytearray(body)
    decoder = decoder_for('gzip')
    assert decoder is not None
    out = decoder.decode(memoryview(buffer), 1000)
    buffer[:] = bytes(len(buffer))
    while decoder.pending:
        out += decoder.decode(b'', 50_000)
    decoder.finish()
    assert out == NOISE


def test_new_data_may_come_while_old_data_wait() -> None:
    body = gzip.compress(NOISE)
    decoder = decoder_for('gzip')
    assert decoder is not None
    out = b''
    for at in range(0, len(body), 10_000):
        out += decoder.decode(body[at : at + 10_000], 3000)
    while decoder.pending:
        out += decoder.decode(b'', 3000)
    decoder.finish()
    assert out == NOISE


def test_lists_of_codings_are_undone_in_reverse_order() -> None:
    """B3."""
    assert decoded('gzip, gzip', gzip.compress(gzip.compress(TEXT))) == TEXT
    assert decoded('deflate, gzip', gzip.compress(zlib.compress(TEXT))) == TEXT
    assert decoded('gzip,identity , ,deflate', zlib.compress(gzip.compress(NOISE)), chunk=100, limit=333) == NOISE
    body = TEXT
    for _ in range(5):
        body = gzip.compress(body)
    assert decoded('gzip, gzip, gzip, gzip, gzip', body, chunk=7, limit=100) == TEXT


def test_a_cut_in_any_coding_of_a_list_is_aborted() -> None:
    """S1."""
    with pytest.raises(ResponseAborted):
        decoded('deflate, gzip', gzip.compress(zlib.compress(TEXT)[:-10]))
    with pytest.raises(ResponseAborted):
        decoded('deflate, gzip', gzip.compress(zlib.compress(TEXT))[:-10])


def test_more_than_five_codings_are_an_error() -> None:
    """B2."""
    with pytest.raises(DecodeError, match='at most 5'):
        decoder_for(', '.join(['gzip'] * 100))
    with pytest.raises(DecodeError):
        decoder_for(', '.join(['gzip'] * 6))
    assert decoder_for(', '.join(['gzip'] * 5)) is not None


def test_a_bomb_within_a_bomb_returns_to_its_caller_often() -> None:
    """B1, D2: gigabytes of empty gzip members inside, not one byte to show for them; the deadline must get its turn."""
    inner = gzip.compress(b'') * 500_000
    outer = gzip.compress(inner, 9)
    decoder = decoder_for('gzip, gzip')
    assert decoder is not None
    rounds = 1
    assert decoder.decode(outer, 65536) == b''
    while decoder.pending and rounds < 20:
        assert decoder.decode(b'', 65536) == b''
        rounds += 1
    assert rounds == 20


@pytest.mark.parametrize(
    'value', ['', 'identity', ' Identity ', ',', 'foo', 'gzip, foo', 'foo, gzip', 'gzip;q=1', 'br2', 'compress']
)
def test_what_is_not_understood_is_left_as_it_is(value: str) -> None:
    assert decoder_for(value) is None


def test_a_coding_whose_package_is_missing_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from requite.wire import decode

    monkeypatch.setattr(decode, '_OPENERS', {'br': None, 'zstd': None})
    assert accept_encoding() == 'gzip, deflate'
    assert decoder_for('br') is None
    assert decoder_for('gzip, zstd') is None
    assert decoder_for('gzip') is not None


def test_accept_encoding_names_what_is_installed_after_what_node_names() -> None:
    assert accept_encoding(installed=False) == 'gzip, deflate'
    names = accept_encoding().split(', ')
    assert names[:2] == ['gzip', 'deflate']
    assert ('br' in names) == (codings.brotli_opener() is not None)
    assert ('zstd' in names) == (codings.zstd_opener() is not None)


def test_a_zstd_window_over_eight_megabytes_is_an_error() -> None:
    """S11, RFC 9659: no memory by declared size."""
    zstandard = pytest.importorskip('zstandard')
    options = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    codec = zstandard.ZstdCompressor(compression_params=options).compressobj()
    body = codec.compress(os.urandom(1000)) + codec.flush()
    with pytest.raises(DecodeError):
        decoded('zstd', body)


def test_an_impossible_zstd_block_is_an_error() -> None:
    pytest.importorskip('zstandard')
    with pytest.raises(DecodeError, match='impossible block'):
        decoded('zstd', bytes.fromhex('28b52ffd 00 58 ffffff'))
    with pytest.raises(DecodeError, match='impossible block'):
        decoded('zstd', bytes.fromhex('28b52ffd 00 58 0e0000'))
