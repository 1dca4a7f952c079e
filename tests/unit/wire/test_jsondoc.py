"""JSON as JavaScript reads and writes it."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import json
import types

import pytest
from hypothesis import given, strategies

from requite.errors import InvalidBody, InvalidOptionType
from requite.wire import jsonwriter
from requite.wire.jsondoc import DROP, dumps, loads

# A value and what JSON.stringify of Node 20 makes of the same one.
STRINGIFY = [
    ({'a': 1, 'b': [True, None, 'x']}, '{"a":1,"b":[true,null,"x"]}'),
    ('hello', '"hello"'),
    (None, 'null'),
    ({'a': 1.0, 'b': 1e21, 'c': 1e-7, 'd': 0.1, 'e': -0.0, 'f': 123456789012345680000.0},
     '{"a":1,"b":1e+21,"c":1e-7,"d":0.1,"e":0,"f":123456789012345680000}'),
    ([1e20, 1e16, 123456789012345680000.0, 5e-324, 1.7976931348623157e308, 0.000001, 0.0000012, 9007199254740992.0, -1.5e-10],
     '[100000000000000000000,10000000000000000,123456789012345680000,5e-324,1.7976931348623157e+308,0.000001,0.0000012,9007199254740992,-1.5e-10]'),
    ([float('nan'), float('inf'), float('-inf')], '[null,null,null]'),
    ('\x00\x1f\b\f\n\r\t"\\/\x7f\u2028\u00e9\U0001f600', '"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\/\x7f\u2028\u00e9\U0001f600"'),
    ('\ud83d', '"\\ud83d"'),
    ({'\udc00': 'a\ud800b'}, '{"\\udc00":"a\\ud800b"}'),
    ({'v': '1.0', 'w': '1.0,', 'x': 'one-time 1.0] 2e-05', 'y': '"1.0', 'z': 2.0},
     '{"v":"1.0","w":"1.0,","x":"one-time 1.0] 2e-05","y":"\\"1.0","z":2}'),
    ({}, '{}'), ([], '[]'), ((), '[]'), (5, '5'), (5.0, '5'), (True, 'true'),
]  # fmt: skip


@pytest.mark.parametrize(('value', 'text'), STRINGIFY)
def test_values_are_written_as_javascript_writes_them(value: object, text: str) -> None:
    assert dumps(value).decode() == text
    assert jsonwriter.write(value).decode() == text
    assert dumps(value, lambda _key, member: member).decode() == text


JSON_VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(-(2.0**53), 2.0**53)
    | strategies.text(),
    lambda children: (
        strategies.lists(children, max_size=4) | strategies.dictionaries(strategies.text(), children, max_size=4)
    ),
    max_leaves=12,
)


@given(value=JSON_VALUES)
def test_both_writers_agree_and_what_was_written_reads_back(value: object) -> None:
    text = dumps(value)
    assert jsonwriter.write(value) == text
    assert json.loads(text) == value
    assert loads(text) == value


@given(value=strategies.floats(allow_nan=False, allow_infinity=False))
def test_no_float_changes_by_being_written(value: float) -> None:
    assert float(dumps(value)) == value


@pytest.mark.parametrize(
    ('keys', 'text'),
    [
        ({1: 0, False: 1}, '{"1":0,"false":1}'),
        ({None: 1, False: 2, 7: 3}, '{"null":1,"false":2,"7":3}'),
        ({1.0: 0}, '{"1":0}'), ({1.5: 0, 1e21: 1, 1e-7: 2}, '{"1.5":0,"1e+21":1,"1e-7":2}'),
        ({float('nan'): 1, float('-inf'): 2}, '{"NaN":1,"-Infinity":2}'),
        ({'1.0': 2.0}, '{"1.0":2}'), ({'b': 1, 'a': 2, '1': 3}, '{"b":1,"a":2,"1":3}'),
    ],
)  # fmt: skip
def test_keys_that_are_no_str_are_written_as_javascript_would(keys: dict[object, object], text: str) -> None:
    assert dumps(keys).decode() == text


def test_keys_that_only_look_alike_to_javascript_are_one_member() -> None:
    """In JavaScript both are the same property, and the later value stays."""
    assert dumps({1: 'a', '1': 'b', 2.0: float('nan')}) == b'{"1":"b","2":null}'


UTC = dt.timezone.utc


def test_a_datetime_is_written_as_to_iso_string_does() -> None:
    moment = dt.datetime(2020, 1, 2, 3, 4, 5, 678999, UTC)
    east = moment.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30)))
    assert (
        dumps({'d': moment, 'l': [moment.replace(microsecond=0)]})
        == b'{"d":"2020-01-02T03:04:05.678Z","l":["2020-01-02T03:04:05.000Z"]}'
    )
    assert dumps(east) == b'"2020-01-02T03:04:05.678Z"'
    assert dumps(dt.date(2020, 1, 2)) == b'"2020-01-02"'
    assert dumps(east.astimezone().replace(tzinfo=None)) == b'"2020-01-02T03:04:05.678Z"'


def test_a_datetime_that_no_clock_of_utc_shows_is_an_error() -> None:
    first = dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=5)))
    with pytest.raises(InvalidBody, match='cannot be told in UTC'):
        dumps([first])


class Snake:
    def to_json(self) -> object:
        return {'snake': 1.0}


class Camel:
    def toJSON(self) -> object:
        return [Snake()]


def test_objects_are_asked_for_their_json() -> None:
    assert dumps({'a': Snake(), 'b': [Camel()]}) == b'{"a":{"snake":1},"b":[[{"snake":1}]]}'
    assert dumps(Snake(), lambda key, value: value) == b'{"snake":1}'


def test_the_kin_of_dicts_lists_and_numbers_are_written_as_such() -> None:
    point = collections.namedtuple('point', 'x y')(1, 2.0)  # noqa: PYI024
    number = enum.IntEnum('number', {'ONE': 1})
    value = {
        'a': types.MappingProxyType({'x': 1.0}),
        'b': point,
        'c': number(1),
        'd': collections.OrderedDict(z=1, a=2),
    }
    assert dumps(value) == b'{"a":{"x":1},"b":[1,2],"c":1,"d":{"z":1,"a":2}}'
    assert jsonwriter.write(value) == dumps(value)


@pytest.mark.parametrize(
    ('value', 'place'),
    [
        (b'bytes', 'the value is bytes'), ({'a': [1, {'b': b'x'}]}, r'a\[1\]\.b is bytes'), ([{1, 2}], r'\[0\] is set'),
        ({'f': object()}, 'f is object'), ({'c': Snake}, 'c is type'), ({'a': {('x', 1): 2}}, 'a has a key of type tuple'),
        ({'a': {b'k': 2}}, 'a has a key of type bytes'), ([1, 2, 1j], r'\[2\] is complex'),
    ],
)  # fmt: skip
def test_what_json_cannot_hold_is_an_error_that_names_its_place(value: object, place: str) -> None:
    """Q5: never the repr of an object on the wire."""
    with pytest.raises(InvalidBody, match=place) as caught:
        dumps(value)
    assert isinstance(caught.value, TypeError)
    with pytest.raises(InvalidBody, match=place):
        dumps(value, lambda _key, member: member)


def test_the_error_does_not_tell_the_value() -> None:
    with pytest.raises(InvalidBody) as caught:
        dumps({'password': b'hunter2'})
    assert 'hunter2' not in str(caught.value)


def test_a_cycle_is_written_as_node_request_writes_it() -> None:
    root: dict[str, object] = {'a': 1}
    root['self'] = root
    root['deep'] = {'list': [root, {'x': 2.0}]}
    inner: dict[str, object] = {}
    inner['up'] = [inner]
    root['inner'] = {'i': inner}
    assert dumps(root) == (
        b'{"a":1,"self":"[Circular ~]","deep":{"list":["[Circular ~]",{"x":2}]},"inner":{"i":{"up":["[Circular ~.inner.i]"]}}}'
    )
    ring: list[object] = [1]
    ring.append({'r': ring})
    assert dumps([ring]) == b'[[1,{"r":"[Circular ~.0]"}]]'


def test_the_same_object_twice_is_no_cycle() -> None:
    shared = {'x': 1.0}
    assert (
        dumps({'a': shared, 'b': [shared, shared], 'n': float('nan')})
        == b'{"a":{"x":1},"b":[{"x":1},{"x":1}],"n":null}'
    )


def test_a_replacer_that_breaks_the_cycle_is_enough() -> None:
    root: dict[str, object] = {'a': 1}
    root['self'] = root
    assert dumps(root, lambda key, value: 'me' if key == 'self' else value) == b'{"a":1,"self":"me"}'


def test_a_replacer_is_called_from_the_outermost_value_on() -> None:
    calls = []

    def replacer(key: str, value: object) -> object:
        calls.append((key, value))
        return value

    assert dumps({'a': [1, {'b': None}]}, replacer) == b'{"a":[1,{"b":null}]}'
    assert calls == [('', {'a': [1, {'b': None}]}), ('a', [1, {'b': None}]), ('0', 1), ('1', {'b': None}), ('b', None)]


def test_a_replacer_drops_with_drop_and_writes_null_for_none() -> None:
    value = {'keep': 1, 'drop': 2, 'none': 3, 'list': ['drop', 4]}

    def replacer(key: str, member: object) -> object:
        if key == 'none':
            return None
        return DROP if 'drop' in (key, member) else member

    assert dumps(value, replacer) == b'{"keep":1,"none":null,"list":[null,4]}'
    assert dumps({'drop': 1, 'last': 2}, replacer) == b'{"last":2}'
    with pytest.raises(InvalidBody, match='nothing is left'):
        dumps(1, lambda _key, _value: DROP)


def test_drop_in_a_value_is_undefined() -> None:
    assert dumps({'u': DROP, 'l': [DROP], 'z': 1}) == b'{"l":[null],"z":1}'
    assert repr(DROP) == 'DROP'


def test_a_replacer_may_give_new_values_and_sees_dates_as_text() -> None:
    seen = []

    def replacer(key: str, value: object) -> object:
        seen.append(value)
        return {'made': [2.0, Snake()]} if key == 'x' else value

    moment = dt.datetime(2020, 1, 2, tzinfo=UTC)
    assert dumps({'x': 1, 'd': moment}, replacer) == b'{"x":{"made":[2,{"snake":1}]},"d":"2020-01-02T00:00:00.000Z"}'
    assert '2020-01-02T00:00:00.000Z' in seen


def test_a_list_of_keys_keeps_those_in_its_order() -> None:
    value = {'a': 1, 'b': {'a': 2, 'c': 3, 'b': 4}, '1': [{'c': 1, 'a': 5}]}
    assert dumps(value, ['b', 'a', 'b', 1]) == b'{"b":{"b":4,"a":2},"a":1,"1":[{"a":5}]}'
    assert dumps(value, ()) == b'{}'


@pytest.mark.parametrize('replacer', ['text', 5, {'a': 1}])
def test_a_replacer_of_another_type_is_an_error(replacer: object) -> None:
    with pytest.raises(InvalidOptionType, match='json_replacer is'):
        dumps({}, replacer)  # type: ignore[arg-type]


def test_what_a_replacer_raises_passes_through() -> None:
    def broken(_key: str, _value: object) -> object:
        raise KeyError('mine')

    with pytest.raises(KeyError, match='mine'):
        dumps({}, broken)


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_without_end_is_an_error_and_no_recursion_error() -> None:
    """P3."""
    with pytest.raises(InvalidBody, match='nested too deeply'):
        dumps(nested(200_000))
    with pytest.raises(InvalidBody, match='nested too deeply'):
        dumps(1, lambda _key, value: [value])
    assert dumps(nested(100)) == b'[' * 101 + b']' * 101


def test_integers_keep_their_digits() -> None:
    assert dumps(12345678901234567890123) == b'12345678901234567890123'
    assert loads('12345678901234567890123') == 12345678901234567890123


def test_an_integer_of_more_digits_than_python_writes_is_an_error() -> None:
    huge = 1 << 100_000
    try:
        str(huge)
    except ValueError:
        with pytest.raises(InvalidBody, match=r'a\[0\] is an integer of too many digits'):
            dumps({'a': [huge]})
    else:
        assert dumps(huge) == str(huge).encode()


@pytest.mark.parametrize('text', ['{"a":', '', ' ', 'NaN', '[Infinity]', '-Infinity', '{"a":NaN}', '01', '1.', '.5', '+1', "'a'", '[1,]',
                                  '{"a":1,}', '"\n"', '"\\x41"', 'tru', '[1] 2', '//', '\ufeff{}', '\u00a01', '\x0b1', '[' * 100_000, '{"a":' * 100_000])  # fmt: skip
def test_what_javascript_would_not_parse_is_a_value_error(text: str) -> None:
    """P2, P3."""
    with pytest.raises(ValueError):
        loads(text)
    with pytest.raises(ValueError):
        loads(text, lambda _key, value: value)


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('{"a":1,"a":2}', {'a': 2}), (' 42 ', 42), ('null', None), ('"\\ud83d\\ude00"', '\U0001f600'), ('[1e2, -0.5]', [100.0, -0.5]),
        ('"\x7f\u2028"', '\x7f\u2028'), ('{"__proto__":1,"__class__":2}', {'__proto__': 1, '__class__': 2}), ('1e999', float('inf')),
    ],
)  # fmt: skip
def test_what_javascript_parses_is_parsed(text: str, value: object) -> None:
    assert loads(text) == value
    assert loads(text.encode()) == value


def test_bytes_are_utf_8_without_their_mark() -> None:
    assert loads(b'\xef\xbb\xbf{"a":1}') == {'a': 1}
    assert loads('"é"'.encode()) == 'é'
    assert loads(b'"\xe9"') == '\ufffd'


def test_a_reviver_is_called_from_the_innermost_value_on() -> None:
    calls = []

    def reviver(key: str, value: object) -> object:
        calls.append((key, value))
        return value + 1 if isinstance(value, int) else value

    assert loads('{"a":1,"b":[2]}', reviver) == {'a': 2, 'b': [3]}
    assert calls == [('a', 1), ('0', 2), ('b', [3]), ('', {'a': 2, 'b': [3]})]


def test_a_reviver_drops_with_drop() -> None:
    assert loads('{"a":1,"b":[1,2],"c":3}', lambda _key, value: DROP if value == 1 else value) == {
        'b': [None, 2],
        'c': 3,
    }
    assert loads('1', lambda _key, _value: DROP) is None


def test_nesting_too_deep_for_a_reviver_is_a_value_error() -> None:
    """P3."""
    with pytest.raises(ValueError, match='nested too deeply'):
        loads('[' * 50_000 + ']' * 50_000, lambda _key, member: member)

    def endless(key: str, member: object) -> object:
        return endless(key, member)

    with pytest.raises(ValueError, match='for a reviver'):
        loads('[1]', endless)
