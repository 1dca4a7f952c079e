"""The grammar of http and https URIs, as functions from text to text: where the pieces end, what is escaped, what is refused.

What cuts and checks raises ValueError with a reason; :func:`invalid` and :func:`foreign` make the errors of it. The pieces are cut by
RFC 3986 appendix B: the authority ends at the first ``/``, ``?`` or ``#``, its userinfo at the last ``@``. Text that another widely used parser would
cut elsewhere (backslashes taken for slashes, TABs taken out) is refused, so that no filter in front can be led to think of another host (SECURITY R11).
All patterns are linear (SECURITY P1).
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from requite.errors import InvalidProtocol, InvalidURI
from requite.redaction import link as without_proofs
from requite.wire import host

KEPT = r'!$%&()*+,\-./0-9:;=@A-Z\[\]_a-z~'
"""The characters that stay as they are in path, query and fragment, as a regular expression class (Node's legacy parser escapes all others)."""

BLANKS = ' \t\f\xa0\ufeff'
"""What is trimmed at both ends of a caller's URI (Node's list)."""

PORTS = {'http': 80, 'https': 443}
"""The two schemes there are, and their default ports."""

Userinfo = tuple[str, str | None]
"""User and password, percent-decoded."""

Site = tuple[str, str | None, str | None]
"""Hostname, written port, and path of a UNIX socket."""

_UNIX = '`unix://` URL scheme is no longer supported. Please use the format `http://unix:SOCKET:PATH`'

_control = re.compile(r'[\x00-\x1f\x7f]').search
_escapable = re.compile(rf'[^{KEPT}?#]+')

# Off the hot path: compiled at their first use, by re's own cache, so that `import requite` does not pay for them.
_CONTROL_BUT_TAB = r'[\x00-\x08\x0a-\x1f\x7f]'
_SCHEME = r'([A-Za-z0-9.+-]+):'  # Node's pattern: a leading digit too, so that "127.0.0.1:80/x" is named as what it is
_AUTHORITY = r'//([^/?#]*)'
_BAD_ESCAPE = r'%(?![0-9A-Fa-f]{2})'
_BEFORE_USERINFO = r'(?:[Hh][Tt][Tt][Pp][Ss]?:)?(?://)?'
_NOT_ASCII = r'[^\x00-\x7f]'
_as_others_read = {ord('\\'): '/', ord('\t'): None}


def refuse_controls(text: str) -> None:
    """Raise ValueError where a caller's URI holds CR, LF, NUL or any other control character (SECURITY Q1)."""
    if _control(text):
        raise ValueError('it holds a control character (percent-encode it, if it is meant)')


def clean_reference(text: str) -> str:
    """Make text out of the latin-1 view of a Location header: trimmed, UTF-8 bytes read as UTF-8, other bytes percent-encoded as they are.

    Text that cannot be a latin-1 view is taken as it is. Raises ValueError for CR, LF, NUL and other controls; TAB passes and is escaped later.
    Node reads the bytes as latin-1 and sends them raw; mended.
    """
    if re.search(_CONTROL_BUT_TAB, text):
        raise ValueError('it holds a control character')
    text = text.strip(' \t')
    if text.isascii():
        return text
    try:
        raw = text.encode('latin-1')
    except UnicodeEncodeError:
        return text
    try:
        return raw.decode('utf-8')
    except UnicodeDecodeError:
        return re.sub(_NOT_ASCII, lambda char: f'%{ord(char[0]):02X}', text)


def split_scheme(text: str) -> tuple[str | None, str]:
    """Cut the scheme off: ``('http', '//h/p')``; None where there is none. The scheme comes in lower case."""
    found = re.match(_SCHEME, text)
    return (found[1].lower(), text[found.end() :]) if found else (None, text)


def split_authority(text: str) -> tuple[str | None, str]:
    """Cut the authority off what follows the scheme: ``('h:80', '/p?q#f')``; None where the text does not start with ``//``.

    Of ``//unix:@name:/target``, a socket without a file, the authority is ``unix:`` as with one that has a file.
    """
    found = re.match(_AUTHORITY, text)
    if found is None:
        return None, text
    authority, tail = found[1], text[found.end() :]
    if authority[:6].lower() == 'unix:@' and authority[-1] in ':@' and authority.count('@') == 1:
        return authority[:5], authority[5:] + tail
    return authority, tail


def refuse_ambiguous(text: str) -> None:
    r"""Raise ValueError where a parser that reads ``\`` as ``/``, or drops TABs, would find another scheme or authority (SECURITY R11)."""
    if ('\\' in text or '\t' in text) and _layout(text) != _layout(text.translate(_as_others_read)):
        raise ValueError('it holds a backslash or TAB where the host is read from')


def _layout(text: str) -> tuple[str | None, str | None]:
    scheme, rest = split_scheme(text)
    return scheme, split_authority(rest)[0]


def split_userinfo(authority: str) -> tuple[Userinfo | None, str]:
    """Cut user and password off an authority, percent-decoded once (Node decodes twice: mended); None where there are none.

    The colon between them is looked for before decoding, so a user may hold ``%3A``. Raises ValueError for a malformed escape,
    one that is not UTF-8, and for control characters (RFC 7617 2).
    """
    userinfo, _, hostport = authority.rpartition('@')
    if not userinfo:
        return None, hostport
    username, colon, password = userinfo.partition(':')
    return (_decoded(username), _decoded(password) if colon else None), hostport


def _decoded(text: str) -> str:
    if re.search(_BAD_ESCAPE, text):
        raise ValueError('user or password holds a "%" that is no escape: write it as %25')
    try:
        plain = unquote_to_bytes(text).decode('utf-8')
    except UnicodeError:
        raise ValueError('user or password is not UTF-8') from None
    if _control(plain):
        raise ValueError('user or password holds a control character')
    return plain


def join_userinfo(userinfo: Userinfo) -> str:
    """Write user and password the way Node's ``href`` does: percent-encoded, colons within the password left alone."""
    username, password = userinfo
    text = quote(username, safe="!'()*")
    return text if password is None else text + ':' + quote(password, safe="!'()*:")


def split_port(hostport: str) -> tuple[str, str | None]:
    """Give hostname and port of ``h:8080`` or ``[::1]:8080``, both in their one spelling; an empty port is none.

    Raises ValueError without a reason for an empty host (Node's bare "Invalid URI"), with one for a host or port that is none.
    """
    name, colon, port = hostport.rpartition(':')
    if not colon or hostport.endswith(']'):
        name, port = hostport, ''
    if not name:
        raise ValueError
    return host.normalise(name), normal_port(port)


def normal_port(text: str) -> str | None:
    """Check a port, 0 to 65535 in ASCII digits, and drop leading zeros; '' is None. Raises ValueError."""
    if not text:
        return None
    digits = text.lstrip('0') or '0'
    if not (text.isascii() and text.isdigit()) or len(digits) > 5 or int(digits) > 65535:
        raise ValueError('the port is not a number from 0 to 65535')
    return digits


def split_tail(tail: str) -> tuple[str, str | None]:
    """Make origin-form target and fragment (with its ``#``, or None) of what follows the authority, escaped."""
    target, mark, fragment = tail.partition('#')
    target = escape(target)
    return (target if target.startswith('/') else '/' + target), (escape(mark + fragment) if mark else None)


def escape(text: str) -> str:
    r"""Percent-encode what may not stand in a URI: blanks, quotes, ``<>\^`{|}`` as Node does, and all but ASCII as UTF-8 (Node: latin-1; mended).

    Escapes that are there stay as they are, ``%zz`` too. A backslash becomes ``%5C`` everywhere (Node turns it into a slash within the path).
    Raises ValueError for lone surrogates.
    """
    try:
        return _escapable.sub(lambda run: quote(run[0], safe=''), text)
    except UnicodeEncodeError:
        raise ValueError('it holds half of a surrogate pair') from None


def split_socket(tail: str) -> tuple[str, str]:
    """Cut ``/path/to.sock:/target?q#f`` into socket path (percent-decoded once) and the rest, which may hold more colons (Node cuts there: mended).

    A path ``@name`` is, on Linux, that of a socket without a file.
    """
    text = re.split('[:?#]', tail, maxsplit=1)[0]
    path, rest = _decoded(text), tail[len(text) :]
    if len(path) < 2 or path.endswith('/'):
        raise ValueError('no path of a socket: write http://unix:/path/to.sock:/target')
    return path, rest.removeprefix(':')


def join_socket(path: str) -> str:
    """Write the path of a socket so that :func:`split_socket` reads it back."""
    return quote(path, safe='/!$&()*+,;=@~')


def remove_dots(path: str) -> str:
    """Take ``.`` and ``..`` out of an absolute path (RFC 3986 5.2.4); ``%2e`` is no dot."""
    if '/.' not in path:
        return path
    kept: list[str] = []
    segments = path.split('/')[1:]
    for segment in segments:
        if segment == '..':
            del kept[-1:]
        elif segment != '.':
            kept.append(segment)
    if segments[-1] in ('.', '..'):
        kept.append('')
    return '/' + '/'.join(kept)


def redact(text: str) -> str:
    """Make any text that may be a URI fit for an error or a log: no userinfo, no token in a query, no control characters, at most 200 characters (SECURITY Q9).

    Everything up to the last ``@`` counts as userinfo, since the text may be too broken to tell.
    """
    start = re.match(_BEFORE_USERINFO, text)
    if start and '@' in text:
        text = f'{start[0]}***@{text.rpartition("@")[2]}'
    text = without_proofs(text) if '=' in text else text
    text = text if len(text) <= 200 else text[:197] + '...'
    return ''.join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def invalid(text: str, reason: str = '') -> InvalidURI:
    """Make the error for a URI that is none: Node's words, then the reason where Node has no such check."""
    return InvalidURI(f'Invalid URI "{redact(text)}"{": " + reason if reason else ""}')


def foreign(scheme: str | None, rest: str, text: str) -> InvalidURI | InvalidProtocol:
    """Make the error for a text without scheme or with a foreign one, in Node's words."""
    if scheme == 'unix':
        return InvalidURI(_UNIX)
    if scheme is None or not _names_host(scheme, rest):
        return invalid(text)
    return InvalidProtocol(f'Invalid protocol: {redact(scheme)}:')


def _names_host(scheme: str, rest: str) -> bool:
    """Tell whether a URI of a foreign scheme has a host for Node, which decides between its two errors."""
    authority, tail = split_authority(rest)
    text = tail if authority is None else authority
    return scheme != 'javascript' and text[:1] not in ('', '/', '?', '#')
