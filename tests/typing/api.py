"""How the public names are typed: checked by mypy --strict, never run.

A line that is a mistake carries the code of the error that it must be; mypy reports each ignore that is not needed any more.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requite import Pool, Request, RequestError, Requests, Response, request

if TYPE_CHECKING:
    from typing_extensions import Unpack, assert_type

    from requite.optiontypes import RequestOptions

URL = 'http://localhost/'


def told(error: RequestError | None, response: Response | None, body: Any) -> None:
    print(error or body, response)


# Forms of arguments.
plain: Request = request(URL)
request(URL, told)
request(URL, lambda error, response, body: print(error or body))
request(URL, {'method': 'PUT'})
request(URL, {'method': 'PUT'}, told)
request(URL, None, told)
request({'uri': URL})
request({'uri': URL}, told)
request(urlsplit(URL), timeout=5)
request(plain.uri)
request({'protocol': 'http:', 'hostname': 'localhost'}, {})
request(uri=URL, callback=told)

# Verbs.
for made in (
    request.get(URL),
    request.head(URL),
    request.options(URL),
    request.post(URL, form={'key': 'value'}),
    request.put(URL, body=b'x'),
    request.patch(URL, json={'a': [1, None]}),
    request.delete(URL),
    request.del_(URL),
):
    answer: Response = made.response
    print(answer.status_code, answer.headers)

# Options, in both spellings.
request(URL, base_url=URL, follow_redirect=lambda response: True, max_redirects=3, strict_ssl=True)
request(URL, allow_insecure_redirect=False, redirect_filter=lambda uri: True, sensitive_headers=['x-key'])
request(URL, baseUrl=URL, followRedirect=False, maxRedirects=3, strictSSL=True)
request(URL, timeout=timedelta(seconds=5), deadline=5000, max_body=None, encoding=None, gzip=True)
request(URL, headers={'a': 'b', 'c': ['d'], 'e': None}, qs={'a': {'b': 1}}, auth=('user', None))
request(URL, headers=[('a', 'b'), ('a', 'c')], auth={'bearer': 'token'}, ca=Path('ca.pem'))
request(URL, pool=Pool(max_sockets=5), agent=False, json_replacer=['a'], json_reviver=lambda key, value: value)
request(URL, pool={'maxSockets': 5}, agent_options={'keepAlive': True}, time=True)

# Defaults, and whatever is made of them.
api: Requests = request.defaults(base_url=URL, json=True)
nested: Requests = api.defaults({'headers': {'a': 'b'}}, timeout=500)
forever: Requests = request.forever({'maxSockets': 5}, {'headers': {}}, timeout=5)


def requester(options: dict[str, Any], callback: Any) -> Request:
    return request(options, callback)


request.defaults(requester)
request.defaults({'json': True}, requester, timeout=5)
user: Any = nested.get('/users/1').end().body
kind: type[Request] = request.Request
pool: Pool = request.Pool(max_sockets=3)
done: bool = request.flush(timedelta(seconds=1))


def fetch(path: str, **options: Unpack[RequestOptions]) -> Request:
    return api.get(path, **options)


fetch('/users', timeout=5, qs={'page': 2})
prepared: RequestOptions = {'timeout': 5, 'followRedirect': False}
request(URL, prepared)
request(URL, **prepared)
request(prepared)

# Chains.
request.get(URL).auth('user', 'password', False).set_header('a', 'b').qs({'a': 1}).on('response', print).end()


async def awaited() -> None:
    """What is awaited is typed as what is asked for."""
    response: Response = await request(URL)
    async for piece in request(URL):
        assert_type(piece, bytes)
    async with request(URL) as streamed:
        assert_type(streamed, Response)
        async for piece in streamed:
            assert_type(piece, bytes)
    assert_type(response.status_code, int)


# Mistakes.
request(5)  # type: ignore[arg-type]
request(URL, 5)  # type: ignore[arg-type]
request(URL, None, 5)  # type: ignore[arg-type]
request(URL, lambda error: None)  # type: ignore[arg-type,misc]
request(URL, timeout=1.5)  # type: ignore[arg-type]
request(URL, timeout='5')  # type: ignore[arg-type]
request(URL, tiemout=5)  # type: ignore[call-arg]
request(URL, gzip='yes')  # type: ignore[arg-type]
request(URL, headers='a: b')  # type: ignore[arg-type]
request(URL, qs='a=1')  # type: ignore[arg-type]
request(URL, auth='user:password')  # type: ignore[arg-type]
request(URL, form=[('a', 'b')])  # type: ignore[arg-type]
request(URL, strictSSL='no')  # type: ignore[arg-type]
request(URL, agent_class=Pool)  # type: ignore[arg-type]
request.get(URL, max_redirects='3')  # type: ignore[arg-type]
request.defaults(5)  # type: ignore[arg-type]
request.defaults(pool='shared')  # type: ignore[arg-type]
request.defaults({}, 'requester')  # type: ignore[arg-type]
fetch('/users', retries=3)  # type: ignore[call-arg]
wrong: RequestOptions = {'timeout': 'soon'}  # type: ignore[typeddict-item]
unknown: RequestOptions = {'retries': 3}  # type: ignore[typeddict-unknown-key]
