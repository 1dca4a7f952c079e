"""The host of a URI: one spelling for every name and address, or a refusal.

The rule is that no two readers of the same text may ever think of different hosts (SECURITY R11, P1). So a host is one of

* an IPv6 address in brackets (RFC 4291 text, checked with :mod:`ipaddress`; no zone id, no IPvFuture),
* an IPv4 address as four decimal numbers without leading zeros (RFC 3986 3.2.2),
* a name of letters, digits, ``-`` and ``_`` in labels of 1 to 63 characters, 253 in all, one trailing dot allowed (RFC 1034 3.1, RFC 2181 11).

What some resolvers read as an address and others as a name (``0x7f.1``, ``127.1``, ``2130706433``, ``127.0.0.1.``) is refused, and so are percent
escapes. Node's legacy parser lets all of them through.
"""

from __future__ import annotations

import re

_QUAD = r'(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'

IPV4 = rf'{_QUAD}\.{_QUAD}\.{_QUAD}\.{_QUAD}'
"""Pattern of an IPv4 address in the only spelling that is taken."""

PLAIN_NAME = r'(?:[a-z0-9_-]{1,63}\.)*[a-z][a-z0-9_-]{0,62}'
"""Pattern of a lower-case name whose last label cannot be read as a number (punycode labels still need their check)."""

MAX_NAME = 253
"""The longest name that DNS can carry, in characters without the trailing dot."""

# Compiled at their first use, by re's own cache: plain URIs never come here, and `import requite` pays for none of them.
_NAME = r'(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}'
_NUMERIC = r'[0-9]+|0x[0-9a-f]*'
_IPV6 = r'[0-9a-f:.]{2,45}'
_DOTS = '[.\u3002\uff0e\uff61]'
_CONTROL1 = '[\x7f-\x9f]'

# UTS 46 keeps these where IDNA 2003 maps them away: the one thing on which the two name different hosts.
_DEVIATING = '[\u00df\u1e9e\u03c2\u200c\u200d]'


def normalise(text: str) -> str:
    """Give the one spelling of a host: lower case, ASCII, an IPv6 address without its brackets (as Node's ``hostname``).

    Takes the text between userinfo and port. Raises ValueError with the reason where the text is no host that everybody reads alike.
    An IPv6 address is checked but not rewritten (Node does not either).
    """
    if text.startswith('['):
        return _address6(text)
    host = (text if text.isascii() else _to_ascii(text)).lower()
    bare = host.removesuffix('.')
    if len(bare) > MAX_NAME or not re.fullmatch(_NAME, bare):
        raise ValueError('the host is no name of labels of 1 to 63 letters, digits, "-" or "_", 253 characters in all')
    if re.fullmatch(_NUMERIC, bare.rpartition('.')[2]) and not re.fullmatch(IPV4, host):
        raise ValueError('the host could be taken for an address: write IPv4 addresses as four decimal numbers')
    if 'xn--' in bare:
        _check_punycode(bare)
    return host


def _address6(text: str) -> str:
    address = text[1:-1].lower()
    if not text.endswith(']') or not re.fullmatch(_IPV6, address):
        raise ValueError('the host is no IPv6 address in brackets (zone ids are not supported)')
    from ipaddress import IPv6Address

    try:
        IPv6Address(address)
    except ValueError:
        raise ValueError('the host is no IPv6 address') from None
    return address


def _check_punycode(host: str) -> None:
    """Refuse ``xn--`` labels that decode to nothing, or to something that is spelt differently (RFC 5891 4.4)."""
    for label in host.split('.'):
        if label.startswith('xn--'):
            try:
                decoded = label[4:].encode('ascii').decode('punycode')
                same = _international(decoded) and decoded.encode('punycode').decode('ascii') == label[4:]
            except (UnicodeError, OverflowError):
                same = False
            if not same:
                raise ValueError('the host is not valid punycode')


def _international(label: str) -> bool:
    return not label.isascii() and not re.search(_CONTROL1, label)


def _to_ascii(text: str) -> str:
    """Write an internationalised name in ASCII (UTS 46, non-transitional, as browsers and Node do).

    With the ``idna`` package installed its tables are used; without it Python's own IDNA 2003 codec, and then only for names on which both agree.
    """
    if len(text) > 4 * MAX_NAME:  # nothing that maps to a name of 253 characters is longer, and the tables are slow
        raise ValueError('the host is too long for a name')
    try:
        import idna
    except ImportError:
        labels = [_label_2003(label) for label in re.split(_DOTS, text)]
    else:
        try:
            mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
            labels = [_label_uts46(label) for label in mapped.split('.')]
        except (idna.IDNAError, IndexError):
            raise ValueError('the host is no internationalised name') from None
    return '.'.join(labels)


def _label_uts46(label: str) -> str:
    """Encode one mapped label: the validity rules of UTS 46 4.1, which unlike IDNA 2008 let symbols such as emoji pass."""
    if label.isascii():
        return label
    import idna

    idna.check_nfc(label)
    idna.check_initial_combiner(label)
    idna.check_bidi(label)
    for position, char in enumerate(label):
        if char in '\u200c\u200d' and not idna.valid_contextj(label, position):
            raise idna.IDNAError('joiner out of place')
    return _punycode(label)


def _label_2003(label: str) -> str:
    """Encode one label with the standard library, refusing what today's rules would map to another name."""
    if label.isascii():
        return label
    import encodings.idna
    import stringprep
    import unicodedata

    try:
        prepared: str = encodings.idna.nameprep(label)
    except UnicodeError:
        raise ValueError('the host is no internationalised name') from None
    today = unicodedata.normalize('NFKC', label.casefold())
    if prepared != today or re.search(_DEVIATING, label) or any(map(stringprep.in_table_a1, prepared)):
        raise ValueError('the host needs the idna package to be read (pip install idna)')
    return prepared if prepared.isascii() else _punycode(prepared)


def _punycode(label: str) -> str:
    if label.startswith('xn--'):
        raise ValueError('the host is not valid punycode')
    return 'xn--' + label.encode('punycode').decode('ascii')
