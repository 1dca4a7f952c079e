"""A curl command line as the request that it stands for. What has no meaning here is an error that names it; nothing is left out silently."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requite import cliitems, curldata, curlwords
from requite.cliaddress import Wanted, with_query, with_scheme
from requite.errors import OptionsError
from requite.wire.uriparse import redact, remove_dots

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack


def read(line: str, opened: ExitStack) -> Wanted:
    """The request of a line, with or without the word ``curl`` before it. Files that are sent stay open in ``opened``. Raises ``OptionsError``."""
    given = Given()
    for name, value in curlwords.arguments(line):
        given.take(name, value)
    return given.wanted(opened)


class Given:
    """What a line says, word by word, and the request that it comes to."""

    def __init__(self) -> None:
        self.last: dict[str, str] = {}
        self.headers: list[tuple[str, str | None]] = []
        self.cookies: list[str] = []
        self.files: list[str] = []
        self.content: list[tuple[str, str]] = []

    def take(self, name: str, value: str) -> None:
        """One option; of most the last one counts."""
        if name == 'header':
            self.headers.extend(_headers(value))
        elif name == 'cookie':
            (self.cookies if '=' in value else self.files).append(value)
        elif name in curldata.KINDS:
            self.content.append((name, value))
        elif name == 'url' and 'url' in self.last:
            raise OptionsError(f'curl: {value!r} is a second address; send one at a time')
        else:
            self.last[name] = value

    def wanted(self, opened: ExitStack) -> Wanted:
        """The request."""
        last = self.last
        if 'url' not in last:
            raise OptionsError(
                "curl: there is no address in the line; give all of it in one: --from-curl 'curl http://...'"
            )
        url = _address(last)
        data = curldata.read(self.content, opened)
        headers = self._all_headers(data)
        options: dict[str, Any] = {'gzip': 'compressed' in last, **self._settings()}
        method = 'GET'
        if 'get' in last:
            if data.text is None:
                data = data._replace(text='') if not data.options else data
            url, headers = _into_query(url, data), self._all_headers(None)
        elif data.options:
            options.update(data.options)
            method = 'POST'
        if 'upload-file' in last:
            url, options['body'] = _upload(url, last['upload-file'], opened)
            method = 'PUT'
        method = last.get('request') or ('HEAD' if 'head' in last else method)
        options['headers'] = headers
        output = last.get('output')
        if 'remote-name' in last:
            output = url.partition('?')[0].partition('#')[0].rpartition('/')[2]
            if not output:
                raise OptionsError('curl: -O needs an address that ends in a name; write -o FILE')
        return Wanted(method, _local(url, last), options, output, 'include' in last)

    def _all_headers(self, data: curldata.Data | None) -> dict[str, Any]:
        """The fields, curl's own where the line says no other."""
        last = self.last
        fields: list[tuple[str, str | None]] = [('accept', '*/*')]
        if data is not None:
            fields += data.headers
        for name, field in (('user-agent', 'user-agent'), ('referer', 'referer')):
            if name in last:
                fields.append((field, last[name].removesuffix(';auto') or None))
        if 'range' in last:
            fields.append(('range', f'bytes={last["range"]}'))
        if self.cookies:
            fields.append(('cookie', '; '.join(self.cookies)))
        own = {name.lower() for name, _ in self.headers}
        made: dict[str, Any] = {name: value for name, value in fields if name not in own}
        for name, value in self.headers:
            before = next((key for key in made if key.lower() == name.lower()), name)
            held = made.get(before)
            made[before] = value if held is None else [*(held if isinstance(held, list) else [held]), value or '']
        return made

    def _settings(self) -> dict[str, Any]:
        last = self.last
        follow = 'location' in last
        made: dict[str, Any] = {'follow_redirect': follow, 'follow_all_redirects': follow}
        made['remove_referer_header'] = not last.get('referer', '').endswith(';auto')
        if 'max-redirs' in last:
            made['max_redirects'] = _number('max-redirs', last['max-redirs'])
        if 'insecure' in last:
            made['strict_ssl'] = False
        for name, option in (('cacert', 'ca'), ('key', 'key')):
            if name in last:
                made[option] = cliitems.there(f'curl --{name}', last[name])
        if 'cert' in last:
            path, _, word = last['cert'].partition(':')
            made['cert'] = cliitems.there('curl --cert', path)
            made.update({'passphrase': word} if word else {})
        made.update(
            {
                option: last[name]
                for name, option in (('pass', 'passphrase'), ('ciphers', 'ciphers'), ('interface', 'local_address'))
                if name in last
            }
        )
        for name, version in (('tlsv1.2', 'TLSv1.2'), ('tlsv1.3', 'TLSv1.3')):
            if name in last:
                made['min_version'] = version
        for name, family in (('ipv4', 4), ('ipv6', 6)):
            if name in last:
                made['family'] = family
        return {**made, **self._clocks(), **self._identity(), **self._way(), **self._jar()}

    def _clocks(self) -> dict[str, Any]:
        last = self.last
        made: dict[str, Any] = {}
        if 'max-time' in last:
            made['deadline'] = round(_number('max-time', last['max-time'], float) * 1000) or None
        if 'connect-timeout' in last:
            made['timeout'] = {
                'connect': round(_number('connect-timeout', last['connect-timeout'], float) * 1000) or None
            }
        if 'retry' in last:
            made['retry'] = _number('retry', last['retry'])
        return made

    def _identity(self) -> dict[str, Any]:
        last = self.last
        if 'aws-sigv4' in last:
            names = [*last['aws-sigv4'].split(':'), '', '', '', '']
            user, _, secret = last.get('user', '').partition(':')
            return {
                'aws': {
                    'sign_version': 4,
                    'key': user,
                    'secret': secret,
                    'region': names[2] or None,
                    'service': names[3] or None,
                }
            }
        if 'oauth2-bearer' in last:
            return {'auth': {'bearer': last['oauth2-bearer']}}
        if 'user' in last:
            user, colon, word = last['user'].partition(':')
            auth: dict[str, Any] = {'user': user, 'pass': word if colon else None}
            if 'digest' in last:
                auth['digest'] = True
            elif 'anyauth' in last:
                auth['sendImmediately'] = False
            return {'auth': auth}
        if 'netrc-file' in last:
            return {'netrc': cliitems.there('curl --netrc-file', last['netrc-file'])}
        return {'netrc': True} if 'netrc' in last else {}

    def _way(self) -> dict[str, Any]:
        """Through which proxy: curl takes one without a scheme for http."""
        last = self.last
        if last.get('noproxy') == '*':
            return {'proxy': ''}
        if last.get('noproxy'):
            raise OptionsError("curl: --noproxy has no meaning here but as '*'; say NO_PROXY in the environment")
        if 'proxy' not in last:
            return {}
        proxy = last['proxy'] if '://' in last['proxy'] or not last['proxy'] else f'http://{last["proxy"]}'
        if 'proxy-user' in last:
            from urllib.parse import quote

            scheme, _, place = proxy.partition('://')
            user, colon, word = last['proxy-user'].partition(':')
            proxy = f'{scheme}://{quote(user, safe="")}{colon}{quote(word, safe="")}@{place.rpartition("@")[2]}'
        return {'proxy': proxy, 'tunnel': True} if 'proxytunnel' in last else {'proxy': proxy}

    def _jar(self) -> dict[str, Any]:
        """Cookies of the files that are read (``-b``), kept in the one that is written (``-c``)."""
        if not self.files and 'cookie-jar' not in self.last:
            return {}
        from requite.cookies import CookieJar, NetscapeFileStore

        target = self.last.get('cookie-jar')
        jar = CookieJar(None if target is None else NetscapeFileStore(target))
        for path in self.files:
            if path:  # empty: curl's way to switch cookies on
                jar.load(cliitems.there('curl --cookie', path))
        return {'jar': jar}


def _address(last: dict[str, str]) -> str:
    """The address that curl would ask for: without dot segments, and only one."""
    written = last['url']
    if 'globoff' not in last:
        written = _one(written)
    url = with_scheme(written)
    found = re.match(r'([^:/?#]+://[^/?#]*)([^?#]*)(.*)', url, re.DOTALL)
    if found is None:
        return url
    if re.search('[{}]', found[2] + found[3]):
        raise OptionsError(
            f'curl: {redact(last["url"])!r}: curl sends braces as they are, which is no address; write %7B and %7D'
        )
    return url if 'path-as-is' in last else found[1] + remove_dots(found[2]) + found[3]


def _one(url: str) -> str:
    """The address with its escaped braces and brackets as they are meant; raises ``OptionsError`` for what curl would take for several addresses."""
    site, rest = re.match(
        r'((?:[A-Za-z][\w+.-]*://)?(?:[^/?#@]*@)?(?:\[[0-9A-Fa-f:.]+(?:%[^]]*)?\])?)(.*)', url, re.DOTALL
    ).groups()  # type: ignore[union-attr]
    if re.search(r'[][{}]', re.sub(r'\\[][{}]|\[\]', '', rest)):
        raise OptionsError(
            f'curl: {redact(url)!r}: curl takes {{...}} and [...] for several addresses; send one at a time, or add -g if they belong to the address'
        )
    return str(site) + re.sub(r'\\([][{}])', r'\1', rest)


def _headers(value: str) -> list[tuple[str, str | None]]:
    if value.startswith('@'):
        lines = cliitems.text_of(f'curl --header {value}', value[1:]).splitlines()
        return [pair for line in lines if line.strip() for pair in _headers(line)]
    name, colon, content = value.partition(':')
    if colon:
        return [(name.strip(), content.strip() or None)]
    if value.endswith(';'):
        return [(value[:-1].strip(), '')]
    raise OptionsError(f"curl: --header {value!r} is none; write 'Name: value'")


def _number(name: str, text: str, kind: Callable[[str], Any] = int) -> Any:
    try:
        number = kind(text)
    except ValueError:
        number = -1
    if not 0 <= number < 1e9:
        raise OptionsError(f'curl: --{name} {text!r} is no number that could be meant')
    return number


def _into_query(url: str, data: curldata.Data) -> str:
    if data.text is None:
        raise OptionsError('curl: -G puts data into the address, which a form of files cannot be; leave -G out')
    before, mark, fragment = url.partition('#')
    joint = '' if not data.text else '&' if '?' in before else '?'
    return with_query(f'{before}{joint}{data.text}{mark}{fragment}', [])


def _upload(url: str, path: str, opened: ExitStack) -> tuple[str, Any]:
    if path in ('-', '.'):
        import sys

        return url, sys.stdin.buffer
    place = cliitems.there('curl --upload-file', path)
    return (url + Path(place).name if url.endswith('/') else url), opened.enter_context(open(place, 'rb'))


def _local(url: str, last: dict[str, str]) -> str:
    """The address by way of a local socket, where the line names one."""
    if 'unix-socket' not in last:
        return url
    scheme, _, rest = url.partition('://')
    slash = rest.find('/')
    return f'{scheme}://unix:{last["unix-socket"]}:{rest[slash:] if slash >= 0 else "/"}'
