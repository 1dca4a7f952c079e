from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from requite import fromcurl, request
from requite.cliaddress import Wanted
from requite.cookies import NetscapeFileStore
from requite.errors import OptionsError


def read(line: str) -> Wanted:
    """What a line asks for; what it opens is closed again."""
    with ExitStack() as opened:
        return fromcurl.read(line, opened)


def headers(line: str) -> dict[str, Any]:
    """Its header fields."""
    found: dict[str, Any] = read(line).options['headers']
    return found


def test_an_address_alone_is_a_get_that_follows_nothing() -> None:
    asked = read('curl http://h/')
    assert (asked.method, asked.url, asked.output, asked.head) == ('GET', 'http://h/', None, False)
    assert asked.options == {
        'gzip': False,
        'follow_redirect': False,
        'follow_all_redirects': False,
        'remove_referer_header': True,
        'headers': {'accept': '*/*'},
    }
    assert read('h/x') == read('/usr/bin/curl --url h/x') == read('curl -sS h/x')


@pytest.mark.parametrize(
    ('line', 'method', 'body', 'kind'),
    [
        ('-d a=b -d c=d', 'POST', b'a=b&c=d', 'application/x-www-form-urlencoded'),
        ('--data-raw @a', 'POST', b'@a', 'application/x-www-form-urlencoded'),
        ("--data-binary $'a\\nb' -H 'Content-Type: x/y'", 'POST', b'a\nb', 'x/y'),
        (
            "--data-urlencode 'a=b c&' --data-urlencode '=d ' --data-urlencode 'e f'",
            'POST',
            b'a=b+c%26&d+&e+f',
            None,
        ),
        ("""--json '{"a":' --json '1}' """, 'POST', b'{"a":1}', 'application/json'),
        ('-X PATCH -d x', 'PATCH', b'x', None),
        ('-XDELETE', 'DELETE', None, None),
        ('--request QUERY', 'QUERY', None, None),
        ('-I', 'HEAD', None, None),
        ('--head', 'HEAD', None, None),
    ],
)
def test_method_and_content(line: str, method: str, body: bytes | None, kind: str | None) -> None:
    asked = read(f'curl http://h/ {line}')
    assert asked.method == method
    assert asked.options.get('body') == body
    if kind is not None:
        assert {name.lower(): value for name, value in asked.options['headers'].items()}['content-type'] == kind


def test_data_comes_from_files_as_curl_reads_them(tmp_path: Path) -> None:
    (tmp_path / 'data').write_bytes(b'a\r\nb\n\xff')
    assert read(f'curl h -d @{tmp_path}/data').options['body'] == b'ab\xff'
    assert read(f'curl h --data-binary @{tmp_path}/data').options['body'] == b'a\r\nb\n\xff'
    assert read(f'curl h --data-urlencode n@{tmp_path}/data').options['body'] == b'n=a%0D%0Ab%0A%FF'
    asked = read(f'curl h/up/ -T {tmp_path}/data')
    assert (asked.method, asked.url, asked.options['body'].name) == ('PUT', 'http://h/up/data', f'{tmp_path}/data')


@pytest.mark.parametrize(
    ('line', 'url'),
    [
        ('-G -d a=b -d c=d http://h/', 'http://h/?a=b&c=d'),
        ('-G -d a=b http://h/?x#f', 'http://h/?x&a=b#f'),
        ('-G http://h/', 'http://h/'),
        ('--unix-socket /run/s http://h/x?y', 'http://unix:/run/s:/x?y'),
        ('--unix-socket /run/s http://h', 'http://unix:/run/s:/'),
    ],
)
def test_where_it_goes(line: str, url: str) -> None:
    asked = read(f'curl {line}')
    assert (asked.method, asked.url) == ('GET', url)
    assert 'body' not in asked.options


def test_a_form_is_multipart(tmp_path: Path) -> None:
    (tmp_path / 'photo.png').write_bytes(b'PNG')
    (tmp_path / 'note').write_text('text')
    line = (
        f"curl h -F a=b -F 'c=@{tmp_path}/photo.png;type=x/y;filename=\"o\\\"t\"' -F 'd=<{tmp_path}/note' "
        "--form-string 'e=@x;type=y' -F 'f=g;type=t/u'"
    )
    with ExitStack() as opened:
        asked = fromcurl.read(line, opened)
        sent = b''.join(asked.options['form_data'].joined().chunks())
    assert asked.method == 'POST'
    for part in (
        b'name="a"\r\n\r\nb\r\n',
        b'name="c"; filename="o\\"t"\r\n',
        b'Content-Type: x/y\r\n\r\nPNG\r\n',
        b'name="d"\r\n\r\ntext\r\n',
        b'name="e"\r\n\r\n@x;type=y\r\n',
        b'Content-Type: t/u\r\n\r\ng\r\n',
    ):
        assert part.replace(b'\\"', b'%22') in sent or part in sent


def test_header_fields() -> None:
    assert headers("curl h -H 'A: 1' -H 'A:2' -H 'Accept: x/y' -A me -e http://r/ -r 0-9") == {
        'user-agent': 'me',
        'referer': 'http://r/',
        'range': 'bytes=0-9',
        'A': ['1', '2'],
        'Accept': 'x/y',
    }
    assert headers("curl h -H 'Accept:' -H 'X-Empty;' -H 'User-Agent:'") == {
        'Accept': None,
        'X-Empty': '',
        'User-Agent': None,
    }
    assert headers("curl h -b 'a=b' -b 'c=d; e=f'")['cookie'] == 'a=b; c=d; e=f'


def test_who_asks_and_on_which_way() -> None:
    asked = read(
        'curl https://h -u me:p:w --digest -k -x proxy:3128 -U a:b@ -L --max-redirs 3 -m 1.5 --connect-timeout 0.25 --retry 2 -4 '
        '--compressed --tlsv1.3'
    ).options
    assert asked['auth'] == {'user': 'me', 'pass': 'p:w', 'digest': True}
    assert asked['proxy'] == 'http://a:b%40@proxy:3128'
    assert (asked['strict_ssl'], asked['gzip'], asked['family'], asked['min_version']) == (False, True, 4, 'TLSv1.3')
    assert (asked['follow_redirect'], asked['follow_all_redirects'], asked['max_redirects']) == (True, True, 3)
    assert (asked['deadline'], asked['timeout'], asked['retry']) == (1500, {'connect': 250}, 2)
    assert read('curl h --oauth2-bearer t').options['auth'] == {'bearer': 't'}
    assert read('curl h -u me --anyauth').options['auth'] == {'user': 'me', 'pass': None, 'sendImmediately': False}
    assert read("curl h --noproxy '*'").options['proxy'] == ''
    assert read('curl h --aws-sigv4 aws:amz:eu-west-1:s3 -u k:s').options['aws'] == {
        'sign_version': 4, 'key': 'k', 'secret': 's', 'region': 'eu-west-1', 'service': 's3',
    }  # fmt: skip


def test_cookies_of_files(tmp_path: Path) -> None:
    (tmp_path / 'in.txt').write_text('h.example\tFALSE\t/\tFALSE\t0\ta\tb\n')
    jar = read(f'curl h -b {tmp_path}/in.txt -c {tmp_path}/out.txt').options['jar']
    assert jar.get_cookie_string('http://h.example/') == 'a=b'
    assert type(jar.store) is NetscapeFileStore
    assert (tmp_path / 'out.txt').exists()


def test_where_the_answer_goes() -> None:
    assert read('curl h -o file -i').output == 'file'
    assert read('curl h -i').head
    assert read('curl -O http://h/a/b.iso?x=/y').output == 'b.iso'


@pytest.mark.parametrize(
    ('line', 'said'),
    [
        ('curl --foo h', 'curl: --foo has no meaning here'),
        ('curl -Z h', 'curl: -Z has no meaning here'),
        ('curl -sZ h', 'curl: -Z has no meaning here'),
        ('curl --data=x h', '--data=x has no meaning here'),
        ('curl h -d', '-d has no value behind it'),
        ('curl h --header', '--header has no value behind it'),
        ('curl', 'there is no address'),
        ('curl a b', "'b' is a second address"),
        ('curl h -H nothing', "write 'Name: value'"),
        ('curl h -m soon', "--max-time 'soon' is no number"),
        ('curl h --retry -1', "--retry '-1' is no number"),
        ('curl h -d @missing', "cannot read 'missing'"),
        ('curl h -F a=@missing', "cannot read 'missing'"),
        ('curl h -F a', 'write name=value or name=@file'),
        ("curl h -F 'a=b;encoder=base64'", ';encoder= in --form has no meaning here'),
        ('curl h -F a=b -d c', 'do not go together'),
        ('curl h -G -F a=b', 'leave -G out'),
        ('curl -O http://h/', '-O needs an address that ends in a name'),
        ('curl h --cacert missing', "cannot read 'missing'"),
        ('curl h -b missing', "cannot read 'missing'"),
        ('curl h --noproxy example.com', 'say NO_PROXY in the environment'),
        ("curl 'h", 'has no end'),
        ('curl h | sh', "'|'"),
    ],
)
def test_what_has_no_meaning_is_named(line: str, said: str) -> None:
    with pytest.raises(OptionsError) as caught:
        read(line)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    'options',
    [
        {'uri': 'http://h.example/a?b=c'},
        {'uri': 'http://h.example/', 'method': 'PUT', 'json': {'a': "it's \xe9"}},
        {'uri': 'http://h.example/', 'method': 'POST', 'form': {'a': ['1', '@2']}, 'auth': ('me', 'w:d')},
        {'uri': 'http://h.example/', 'method': 'DELETE', 'headers': {'X-A': 'b', 'accept': 'x/y'}},
        {'uri': 'http://h.example/', 'method': 'HEAD', 'headers': {'user-agent': None}},
        {'uri': 'http://h.example/', 'method': 'POST', 'body': '@not a file'},
    ],
)
def test_what_to_curl_writes_is_read_back(options: dict[str, Any]) -> None:
    made = request(options)
    made.refused = True
    asked = read(made.to_curl(secrets=True))
    again = request({**asked.options, 'uri': asked.url, 'method': asked.method})
    again.refused = True
    assert again.method == made.method
    assert again.uri.href == made.uri.href
    assert {name.lower(): value for name, value in again.headers.items()} == {
        name.lower(): value for name, value in made.headers.items()
    }
    bodies = [b'' if each._carry.body is None else b''.join(each._carry.body.chunks()) for each in (made, again)]
    assert bodies[0] == bodies[1]


def test_browsers_lines_are_read() -> None:
    line = r"""curl 'https://h.example/api?x=1' \
  -H 'accept: application/json' \
  -H 'content-type: application/json' \
  -b 'session=1' \
  --data-raw $'{"a":"it\'s \u0021"}' \
  --compressed ;"""
    with pytest.raises(OptionsError):
        read(line)
    asked = read(re.sub(' ;$', '', line))
    assert asked.options['body'] == b'{"a":"it\'s !"}'
    assert asked.options['headers'] == {
        'accept': 'application/json',
        'content-type': 'application/json',
        'cookie': 'session=1',
    }


@pytest.mark.parametrize(
    ('line', 'url'),
    [
        ('h/a/../b', 'http://h/b'),
        ('h/a/./b/..', 'http://h/a/'),
        ('h/a?x=/../b#/../c', 'http://h/a?x=/../b#/../c'),
        ('--path-as-is h/a/../b', 'http://h/a/../b'),
        ('-g h/[1-2]', 'http://h/[1-2]'),
        (r"'h/x?a\[1\]=2'", 'http://h/x?a[1]=2'),
        ("'h/x?a[]=2'", 'http://h/x?a[]=2'),
        ('http://[::1]:80/x', 'http://[::1]:80/x'),
        ('http://me:word@[::1]/x', 'http://me:word@[::1]/x'),
    ],
)
def test_the_address_is_the_one_that_curl_would_ask_for(line: str, url: str) -> None:
    assert read(f'curl {line}').url == url


@pytest.mark.parametrize(
    ('line', 'said'),
    [
        ("'h/{a,b}'", 'add -g'),
        ("'h/[1-2]'", 'add -g'),
        ("'http://[1-2]/'", 'add -g'),
        ("'h/a}'", 'add -g'),
        ("-g 'h/{a}'", 'write %7B and %7D'),
        (r"'h/\{a\}'", 'write %7B and %7D'),
    ],
)
def test_several_addresses_in_one_and_raw_braces_are_refused(line: str, said: str) -> None:
    with pytest.raises(OptionsError, match=re.escape(said)):
        read(f'curl {line}')


def test_a_refused_address_shows_no_password() -> None:
    with pytest.raises(OptionsError) as caught:
        read("curl 'http://me:hunter2@h/{a,b}'")
    assert 'hunter2' not in str(caught.value)
