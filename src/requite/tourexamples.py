"""What the tour shows: the examples of README.md, and some more."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """One statement of the tour, what there is to see in it, and the name of the error that it is meant to raise."""

    source: str
    remark: str
    raises: str = ''


EXAMPLES = (
    Example(
        "request('http://www.google.com', lambda error, response, body: print(error or body))",
        'A callback is called once, with an error or with the response and its body.',
    ),
    Example(
        "request('http://google.com/doodle.png').pipe(open('doodle.png', 'wb'))",
        'A response flows into a file, piece by piece. The file is closed behind it.',
    ),
    Example(
        "pipe(open('file.json', 'rb'), request.put('http://mysite.com/obj.json'))",
        'A file flows into a request, and says by its name what it is.',
    ),
    Example(
        "request.get('http://google.com/img.png').pipe(request.put('http://mysite.com/img.png'))",
        'One server flows into another, and no byte waits in between.',
    ),
    Example(
        "request.post('http://service.com/upload', form={'key': 'value'})",
        'Nobody holds this request, nobody waits for it: it is sent in the background.',
    ),
    Example(
        "request.get('http://some.server.com/').auth('username', 'password', False).response.body",
        'False: no credentials until the server asks for them. It does, with a 401.',
    ),
    Example(
        "api = request.defaults(base_url='https://api.example.com', json=True, headers={'x-token': 't'})",
        'A callable like request, with defaults of its own. This sends nothing.',
    ),
    Example("user = api.get('/users/1').response.body", 'The answer is JSON, and so the body is its value.'),
)
"""The first block of README.md, line by line."""

MORE = (
    Example("request('http://www.example.com/old').response.request.href", 'Redirects are followed.'),
    Example(
        "len(request('http://www.example.com/packed', gzip=True).response.body)",
        'Compressed on the wire, unpacked in your hands.',
    ),
    Example("list(request('http://www.example.com/lines'))", 'A body comes in pieces, as soon as they are there.'),
    Example(
        "request('http://www.example.com/slow', timeout=100).response",
        'A timeout, in milliseconds, is one of many errors.',
        'ReadTimeout',
    ),
    Example(
        "request('http://www.example.com/', tiemout=100)",
        'A slip of the pen is an error at once, and sends nothing.',
        'UnknownOption',
    ),
)
