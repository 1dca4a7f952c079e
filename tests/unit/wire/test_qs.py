"""Query strings in both directions, against npm qs 6.5.5 and Node v20's querystring, and what differs from them on purpose."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import OrderedDict, UserList, deque
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requite.errors import InvalidOptionType, OptionsError, RequestError, UnknownOption
from requite.wire.jstext import number_text
from requite.wire.qs import encode_component, merge, parse, rfc3986, stringify

# Facts: what qs 6.5.5 and querystring answered, asked through the `Querystring` of Node's request 2.88.2.
NODE = json.loads((Path(__file__).parent / 'data' / 'qs-node.json').read_text('utf-8'))


def unescaped(text: str) -> str:
    """A query with its brackets readable; only for data that holds neither of them encoded."""
    return text.replace('%5B', '[').replace('%5D', ']')


def from_token(value: Any) -> Any:
    """The fixture's marks as Python values: ``$date`` (milliseconds), ``$re``, and three functions."""
    if isinstance(value, list):
        return [from_token(item) for item in value]
    if not isinstance(value, dict):
        return value
    marks: dict[str, Callable[[Any], Any]] = {
        '$date': lambda ms: datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms),
        '$re': re.compile,
        '$sort': lambda _: lambda a, b: (a > b) - (a < b),
        '$up': lambda _: lambda item: (item if isinstance(item, str) else number_text(item)).upper(),
        '$filt': lambda _: lambda prefix, item: item + 1 if type(item) in (int, float) else item,
    }
    if len(value) == 1 and next(iter(value)) in marks:
        ((mark, argument),) = value.items()
        return marks[mark](argument)
    return {key: from_token(item) for key, item in value.items()}


@pytest.mark.parametrize('case', NODE, ids=lambda case: case['op'])
def test_both_codecs_answer_what_node_answered(case: dict[str, Any]) -> None:
    flat = case.get('flat', False)
    reading, writing = from_token(case.get('parse')), from_token(case.get('stringify'))
    if case['op'] == 'parse':
        answer: Any = parse(case['text'], reading, flat)
        assert json.dumps(answer) == json.dumps(case['want'])  # as text, so that the order of keys counts
    elif case['op'] == 'stringify':
        assert stringify(from_token(case['data']), writing, flat) == case['want']
    else:
        assert merge(case['query'], from_token(case['data']), reading, writing, flat) == case['want']


# ---- characters ---------------------------------------------------------------------------------------------------------------------


def test_only_the_unreserved_characters_stay_as_they_are() -> None:
    kept = [chr(code) for code in range(128) if encode_component(chr(code)) == chr(code)]
    assert ''.join(kept) == '-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~'
    assert encode_component("!'()*") == '%21%27%28%29%2A'
    assert encode_component('ä€😀') == '%C3%A4%E2%82%AC%F0%9F%98%80'


def test_bytes_are_encoded_as_they_are() -> None:
    assert encode_component(b'a\xff\x00') == 'a%FF%00'
    assert stringify({'a': b'\xe9', 'b': bytearray(b'x y'), 'c': memoryview(b'z')}) == 'a=%E9&b=x%20y&c=z'
    assert stringify({'a': b'\xe9'}, flat=True) == 'a=%E9'


def test_rfc3986_escapes_the_five_marks_and_nothing_else() -> None:
    assert rfc3986("!*()'") == '%21%2A%28%29%27'
    assert rfc3986('a=b%20c&d[]=é+~') == 'a=b%20c&d[]=é+~'


@pytest.mark.parametrize('flat', [False, True])
@pytest.mark.parametrize('options', [None, {'encode': False}])
@pytest.mark.parametrize('data', [{'key': 'a\ud800'}, {'key\udfff': 1}])
def test_a_lone_surrogate_is_an_error_that_names_the_key(data: Any, options: Any, flat: bool) -> None:
    with pytest.raises(OptionsError, match=r'the value of .key.*surrogate'):
        stringify(data, options, flat)


def test_a_lone_surrogate_in_a_component_is_an_error() -> None:
    with pytest.raises(OptionsError, match='surrogate'):
        encode_component('\udc00')


# ---- values -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('number', 'text'),
    [
        (0, '0'), (-3, '-3'), (True, 'true'), (False, 'false'), (10**30, '1' + '0' * 30),
        (1.0, '1'), (-0.0, '0'), (1.5, '1.5'), (0.1, '0.1'), (100.0, '100'), (123456789012345680.0, '123456789012345680'),
        (1e20, '100000000000000000000'), (1e21, '1e+21'), (1.25e22, '1.25e+22'), (-1e21, '-1e+21'),
        (1e-6, '0.000001'), (1e-7, '1e-7'), (-1.5e-9, '-1.5e-9'), (5e-324, '5e-324'), (1.7976931348623157e308, '1.7976931348623157e+308'),
        (float('nan'), 'NaN'), (float('inf'), 'Infinity'), (float('-inf'), '-Infinity'),
    ],
)  # fmt: skip
def test_numbers_are_written_as_javascript_writes_them(number: float, text: str) -> None:
    assert number_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_float_reads_back_as_that_float(number: float) -> None:
    assert float(number_text(number)) == number


def test_an_int_with_too_many_digits_for_python_is_an_options_error() -> None:
    if not hasattr(sys, 'get_int_max_str_digits'):
        pytest.skip('this Python converts ints of any size')
    with pytest.raises(OptionsError, match='digits'):
        stringify({'a': 10**5000})


def test_enums_are_written_as_their_values() -> None:
    class Colour(str, Enum):
        RED = 'r d'

    class Size(IntEnum):
        BIG = 9

    assert stringify({'c': Colour.RED, Colour.RED: Size.BIG}) == 'c=r%20d&r%20d=9'
    assert stringify({'c': Colour.RED, 's': Size.BIG}, flat=True) == 'c=r%20d&s=9'


def test_dates_are_iso_in_utc_with_milliseconds() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
    assert stringify({'d': moment}, {'encode': False}) == 'd=2020-01-02T01:04:05.678Z'
    assert stringify({'d': date(2020, 1, 2)}, {'encode': False}) == 'd=2020-01-02T00:00:00.000Z'
    assert stringify({'d': moment}) == 'd=2020-01-02T01%3A04%3A05.678Z'
    assert stringify({'d': moment}, flat=True) == 'd=2020-01-02T01%3A04%3A05.678Z'  # Node's querystring writes 'd='


def test_a_datetime_without_a_zone_is_local_time() -> None:
    naive = datetime(2020, 6, 1, 12)  # noqa: DTZ001 - what it means is the test
    assert stringify({'d': naive}) == stringify({'d': naive.astimezone(timezone.utc)})


def test_a_date_that_has_no_moment_in_utc_is_an_options_error() -> None:
    with pytest.raises(OptionsError, match='UTC'):
        stringify({'d': datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))})


def test_serialize_date_replaces_the_iso_text() -> None:
    options = {'serializeDate': lambda day: str(day.year)}
    assert stringify({'d': [date(2020, 1, 2)]}, options) == 'd%5B0%5D=2020'


@pytest.mark.parametrize('flat', [False, True])
@pytest.mark.parametrize('value', [object(), {1, 2}, 1j, timedelta(1), iter([1]), open], ids=lambda v: type(v).__name__)
def test_a_value_without_text_is_a_type_error_that_names_key_type_and_what_is_allowed(value: Any, flat: bool) -> None:
    with pytest.raises(
        TypeError, match=rf"the value of 'key' is a {type(value).__name__}, .*str, int, float"
    ) as caught:
        stringify({'key': value}, flat=flat)
    assert isinstance(caught.value, InvalidOptionType)


def test_an_error_names_the_whole_path_and_never_the_value() -> None:
    class Secret:
        def __repr__(self) -> str:
            return 'hunter2'

    with pytest.raises(InvalidOptionType, match=r"'a\[b\]\[0\]'") as caught:
        stringify({'a': {'b': [Secret()]}})
    assert 'hunter2' not in str(caught.value)


@pytest.mark.parametrize('key', [None, b'a', (1, 2)])
@pytest.mark.parametrize('flat', [False, True])
def test_a_key_that_is_no_text_and_no_number_is_a_type_error(key: Any, flat: bool) -> None:
    with pytest.raises(TypeError, match=f'key .* not {type(key).__name__}'):
        stringify({key: 'x'}, flat=flat)


def test_numbers_as_keys_become_text() -> None:
    assert stringify({1: 'a', 2.0: {3: 'b', False: 'c'}}, {'encode': False}) == '1=a&2[3]=b&2[false]=c'


@pytest.mark.parametrize('data', ['a=1', b'a=1', [('a', 1)], 5, None])
def test_data_that_is_no_mapping_is_a_type_error(data: Any) -> None:
    """Node explodes a str into its characters, ``0=a&1=%3D``; here it is an error."""
    for flat in (False, True):
        with pytest.raises(TypeError, match=f'must be a mapping, not {type(data).__name__}'):
            stringify(data, flat=flat)
    with pytest.raises(TypeError, match='must be a mapping'):
        merge('x=1', data)


def test_any_mapping_and_any_sequence_will_do() -> None:
    data = OrderedDict(a=(1, 2), b=UserList([3]), c=MappingProxyType({'d': range(2)}), e=deque())
    assert unescaped(stringify(data)) == 'a[0]=1&a[1]=2&b[0]=3&c[d][0]=0&c[d][1]=1'


# ---- nested, writing ----------------------------------------------------------------------------------------------------------------


def test_nothing_to_say_is_an_empty_text() -> None:
    silent: list[dict[str, Any]] = [{}, {'a': []}, {'a': {}}, {'a': {'b': [{}, []]}}]
    for data in silent:
        assert stringify(data) == ''
    assert stringify({'a': [], 'b': 1}) == 'b=1'


def test_none_is_an_empty_value_unless_options_say_otherwise() -> None:
    data = {'a': None, 'b': '', 'c': [None, 1]}
    assert unescaped(stringify(data)) == 'a=&b=&c[0]=&c[1]=1'
    assert unescaped(stringify(data, {'strictNullHandling': True})) == 'a&b=&c[0]&c[1]=1'
    assert unescaped(stringify(data, {'skip_nulls': True})) == 'b=&c[1]=1'


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (None, 'a[0]=1&a[1]=2'), ({'indices': True}, 'a[0]=1&a[1]=2'), ({'indices': False}, 'a=1&a=2'),
        ({'arrayFormat': 'indices'}, 'a[0]=1&a[1]=2'), ({'array_format': 'brackets'}, 'a[]=1&a[]=2'),
        ({'arrayFormat': 'repeat'}, 'a=1&a=2'), ({'array_format': 'brackets', 'indices': False}, 'a[]=1&a[]=2'),
    ],
)  # fmt: skip
def test_lists_are_written_in_the_format_that_was_asked_for(options: Any, text: str) -> None:
    assert unescaped(stringify({'a': [1, 2]}, options)) == text


def test_the_order_of_keys_is_the_callers() -> None:
    assert stringify({'z': '1', 'a': '2', '10': '3', '9': '4'}) == 'z=1&a=2&10=3&9=4'


def test_sort_is_a_comparison_as_in_javascript() -> None:
    options = {'sort': lambda a, b: (a < b) - (a > b)}
    assert unescaped(stringify({'a': 1, 'c': {'x': 1, 'y': 2}, 'b': 3}, options)) == 'c[y]=2&c[x]=1&b=3&a=1'


def test_filter_may_be_a_list_of_keys_for_every_level() -> None:
    assert unescaped(stringify({'a': ['b', 'c', 'd'], 'e': 'f'}, {'filter': ['a', 0, 2, 'none']})) == 'a[0]=b&a[2]=d'


def test_filter_may_be_a_function_of_prefix_and_value() -> None:
    seen: list[str] = []

    def only_public(prefix: str, value: Any) -> Any:
        seen.append(prefix)
        return {} if prefix.endswith('[secret]') else value

    assert unescaped(stringify({'a': {'b': 1, 'secret': 2}, 'c': 3}, {'filter': only_public})) == 'a[b]=1&c=3'
    assert seen == ['', 'a', 'a[b]', 'a[secret]', 'c']


def test_a_date_survives_a_filter_function() -> None:
    """qs 6.5 leaves dates out as soon as there is a filter function."""
    assert (
        stringify({'d': date(2020, 1, 2)}, {'filter': lambda prefix, value: value}) == 'd=2020-01-02T00%3A00%3A00.000Z'
    )


def test_the_remaining_options_do_what_they_do_in_qs() -> None:
    assert stringify({'a': 1, 'b': 2}, {'delimiter': ';'}) == 'a=1;b=2'
    assert stringify({'a': {'b': {'c': 1}}}, {'allowDots': True}) == 'a.b.c=1'
    assert stringify({'a b': {'c': 'd e'}}, {'encodeValuesOnly': True}) == 'a b[c]=d%20e'
    assert stringify({'q r': 'a b(c)+'}, {'format': 'RFC1738'}) == 'q+r=a+b%28c%29%2B'
    assert stringify({'a': 1}, {'addQueryPrefix': True}) == '?a=1'
    assert stringify({}, {'addQueryPrefix': True}) == ''
    assert stringify({'a': ['x', 5]}, {'encoder': lambda value: f'<{value}>'}) == '<a[0]>=<x>&<a[1]>=<5>'


def test_encode_false_leaves_every_character_alone() -> None:
    assert stringify({'a[b]': "c,d !'()*é", 'n': {'m': b'\xc3\xa9'}}, {'encode': False}) == "a[b]=c,d !'()*é&n[m]=é"
    with pytest.raises(OptionsError, match=r'no UTF-8'):
        stringify({'a': b'\xff'}, {'encode': False})


def test_a_cycle_is_an_options_error() -> None:
    """P3: bounded, and never a RecursionError."""
    ring: dict[str, Any] = {}
    ring['self'] = [ring, ring]
    with pytest.raises(OptionsError, match='holds itself'):
        stringify(ring)
    rows: list[Any] = []
    rows.append(rows)
    with pytest.raises(OptionsError, match=r"'a\[0\]' holds itself"):
        stringify({'a': rows})


def test_the_same_object_twice_is_no_cycle() -> None:
    twin = {'x': 1}
    assert unescaped(stringify({'a': twin, 'b': [twin, twin]})) == 'a[x]=1&b[0][x]=1&b[1][x]=1'


def nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {'k': 1}
    for _ in range(levels):
        data = {'k': data}
    return data


def test_nesting_is_bounded_at_512_levels() -> None:
    """P3: bounded, and never a RecursionError."""
    assert stringify(nested(512)).count('%5Bk%5D') == 512
    for levels in (513, 100_000):
        with pytest.raises(OptionsError, match='more than 512 levels'):
            stringify(nested(levels))


def test_a_filter_that_nests_for_ever_is_bounded() -> None:
    with pytest.raises(OptionsError, match='more than 512 levels'):
        stringify({'a': 1}, {'filter': lambda prefix, value: {'deeper': value}})


# ---- flat, writing ------------------------------------------------------------------------------------------------------------------


def test_the_flat_codec_repeats_keys_and_escapes_the_five_marks() -> None:
    assert (
        stringify({'a': ['1', 2], 'b': "it's (a) *test*!", 'e': []}, flat=True)
        == 'a=1&a=2&b=it%27s%20%28a%29%20%2Atest%2A%21'
    )


def test_the_flat_codec_writes_nested_and_missing_values_empty_as_node_does() -> None:
    data = {'where': {'foo': 'bar'}, 'rows': [[1], {}], 'none': None, 'nan': float('nan'), 'yes': True}
    assert stringify(data, flat=True) == 'where=&rows=&rows=&none=&nan=&yes=true'


def test_the_flat_codec_takes_its_options_in_every_place_that_is_documented() -> None:
    for options in (
        {'sep': ';', 'eq': ':'},
        {'options': {'sep': ';', 'eq': ':'}},
        {'sep': ';', 'options': {'eq': ':'}},
    ):
        assert stringify({'a': 1, 'b': 2}, options, flat=True) == 'a:1;b:2'
        assert parse('a:1;b:2', options, flat=True) == {'a': '1', 'b': '2'}
    upper = {'options': {'encodeURIComponent': str.upper}}
    assert stringify({'a(': 'b'}, upper, flat=True) == 'A%28=B'
    assert parse('a=b+c', {'decodeURIComponent': str.upper}, flat=True) == {'A': 'B%20C'}


# ---- options ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('flat', [False, True])
def test_an_unknown_option_is_a_type_error_with_a_suggestion(flat: bool) -> None:
    with pytest.raises(
        TypeError, match="qs_stringify_options has no option 'arrayFormt'; did you mean 'arrayFormat'"
    ) as caught:
        stringify({'a': 1}, {'arrayFormt': 'repeat'}, flat)
    assert isinstance(caught.value, UnknownOption)
    with pytest.raises(UnknownOption, match="qs_parse_options has no option 'delimeter'; did you mean 'delimiter'"):
        parse('a=1', {'delimeter': ';'}, flat)
    with pytest.raises(UnknownOption, match='may be one of: delimiter, depth'):
        parse('a=1', {'comma': True}, flat)
    with pytest.raises(UnknownOption, match=r'qs_parse_options\.options has no option'):
        parse('a=1', {'options': {'maxKey': 1}}, flat)


def test_both_spellings_of_an_option_at_once_are_a_type_error() -> None:
    with pytest.raises(UnknownOption, match="'skipNulls' and 'skip_nulls', which are one option"):
        stringify({'a': 1}, {'skipNulls': True, 'skip_nulls': True})


def test_an_option_of_the_other_codec_has_no_effect() -> None:
    assert stringify({'a': [1, 2]}, {'arrayFormat': 'brackets'}, flat=True) == 'a=1&a=2'
    assert stringify({'a': 1, 'b': 2}, {'sep': ';', 'eq': ':'}) == 'a=1&b=2'


def test_none_for_an_option_means_its_default() -> None:
    assert stringify({'a': [1]}, {'arrayFormat': None, 'sort': None, 'encode': None}) == 'a%5B0%5D=1'


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        ({'arrayFormat': 'comma'}, "arrayFormat must be one of 'indices', 'brackets', 'repeat', not 'comma'"),
        ({'format': 'RFC9110'}, "format must be 'RFC3986' or 'RFC1738', not 'RFC9110'"),
        ({'encode': 0}, 'encode must be True or False, not 0'), ({'sort': True}, 'sort must be a callable, not True'),
        ({'filter': 'abc'}, 'filter must be'), ({'delimiter': 5}, 'delimiter must be a str'), (['a'], 'must be a mapping, not list'),
        ({'encoder': lambda value: None}, 'encoder must return a str, it returned NoneType'),
    ],
)  # fmt: skip
def test_a_stringify_option_that_cannot_be_meant_is_an_error(options: Any, error: str) -> None:
    with pytest.raises(OptionsError, match=error):
        stringify({'a': 1}, options)


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        ({'delimiter': ''}, 'delimiter must be a str that is not empty'), ({'depth': 513}, 'depth must be an int from 0 to 512, not 513'),
        ({'depth': -1}, 'depth must be'), ({'arrayLimit': -1}, 'arrayLimit must be an int from 0 up'), ({'arrayLimit': 1.5}, 'arrayLimit must'),
        ({'parameterLimit': True}, 'parameterLimit must be'), ({'decoder': lambda text: 5}, 'decoder must return a str'),
    ],
)  # fmt: skip
def test_a_parse_option_that_cannot_be_meant_is_an_error(options: Any, error: str) -> None:
    with pytest.raises(OptionsError, match=error):
        parse('a=1', options)


# ---- nested, reading ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'data'),
    [
        ('', {}), ('&&', {}), ('=x', {}), ('a', {'a': ''}), ('a=b=c', {'a': 'b=c'}), ('a=1&a=2&a=3', {'a': ['1', '2', '3']}),
        ('a[b][c]=1', {'a': {'b': {'c': '1'}}}), ('a[]=1&a[]=2', {'a': ['1', '2']}), ('a[1]=y&a[0]=x', {'a': ['x', 'y']}),
        ('a%5Bb%5D=1', {'a': {'b': '1'}}), ('a[]=', {'a': ['']}), ('a[5]=x', {'a': ['x']}), ('a[b=c]=1', {'a': {'b=c': '1'}}),
        ('a+b=c+d%2B', {'a b': 'c d+'}), ('a=%zz+b', {'a': '%zz+b'}), ('a=%E9', {'a': '%E9'}), ('a=%C3%A9é', {'a': 'éé'}),
        ('a[0]=x&a[k]=y', {'a': {'0': 'x', 'k': 'y'}}), ('a=1&a[b]=2', {'a': ['1', {'b': '2'}]}), ('a[b]=1&a=c', {'a': {'b': '1', 'c': True}}),
        ('a[b]x[c]=1', {'a': {'b': {'c': '1'}}}), ('a[=1&b]=2', {'a[': '1', 'b]': '2'}),
    ],
)  # fmt: skip
def test_a_nested_query_is_read_as_qs_reads_it(text: str, data: dict[str, Any]) -> None:
    assert parse(text) == data


def test_the_rest_of_a_path_below_five_levels_is_one_key() -> None:
    assert parse('a[b][c][d][e][f][g][h]=1') == {'a': {'b': {'c': {'d': {'e': {'f': {'[g][h]': '1'}}}}}}}
    assert parse('a[b][c]=1', {'depth': 1}) == {'a': {'b': {'[c]': '1'}}}


def test_a_list_position_over_the_limit_is_a_key() -> None:
    assert list(parse('a[21]=x&a[2]=y')['a'].items()) == [('2', 'y'), ('21', 'x')]
    assert parse('a[20]=x') == {'a': ['x']}
    assert parse('a[1000000000]=x', {'arrayLimit': float('inf')}) == {'a': ['x']}
    assert parse('a[0]=x&a[]=y', {'parseArrays': False}) == {'a': {'0': ['x', 'y']}}


def test_at_most_a_thousand_parameters_are_read() -> None:
    for flat in (False, True):
        assert len(parse('&'.join(f'k{n}' for n in range(1500)), flat=flat)) == 1000
    assert parse('a&b&c', {'parameterLimit': 2}) == {'a': '', 'b': ''}
    assert len(parse('&'.join(f'k{n}' for n in range(1500)), {'parameterLimit': float('inf')})) == 1500
    assert len(parse('&'.join(f'k{n}' for n in range(1500)), {'maxKeys': 0}, flat=True)) == 1500


def test_the_remaining_parse_options_do_what_they_do_in_qs() -> None:
    assert parse('a=1;b=2', {'delimiter': ';'}) == {'a': '1', 'b': '2'}
    assert parse('a=1;b=2,c=3', {'delimiter': re.compile('[;,]')}) == {'a': '1', 'b': '2', 'c': '3'}
    assert parse('a=1;b', {'delimiter': re.compile('(x)?;')}) == {'a': '1', 'b': ''}
    assert parse('a.b[c].d=1', {'allowDots': True}) == {'a': {'b': {'c': {'d': '1'}}}}
    assert parse('a&b=', {'strict_null_handling': True}) == {'a': None, 'b': ''}
    assert parse('?a=1', {'ignoreQueryPrefix': True}) == {'a': '1'}
    assert parse('a=b', {'decoder': str.upper}) == {'A': 'B'}


def test_names_of_javascripts_object_prototype_are_left_out_unless_they_are_allowed() -> None:
    """P3: and where they are allowed they are keys like any other."""
    text = 'toString=1&x=2&a[hasOwnProperty]=3&__proto__[y]=4'
    assert parse(text) == {'x': '2'}
    everything = {'toString': '1', 'x': '2', 'a': {'hasOwnProperty': '3'}, '__proto__': {'y': '4'}}
    assert parse(text, {'allowPrototypes': True}) == everything
    assert parse(text, {'plainObjects': True}) == everything
    assert parse('toString=1', flat=True) == {'toString': '1'}


def test_text_that_is_no_str_is_a_type_error() -> None:
    bad: Any = b'a=1'
    with pytest.raises(TypeError, match='must be a str, not bytes'):
        parse(bad)


def test_parsing_never_shares_what_it_made() -> None:
    """P3: two readings of one text have nothing in common."""
    first, second = parse('a[]=1&b[c]=2'), parse('a[]=1&b[c]=2')
    first['a'].append('x')
    first['b']['d'] = 'y'
    assert second == {'a': ['1'], 'b': {'c': '2'}}


# ---- flat, reading ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'data'),
    [
        ('a=1&a=2&b[]=3', {'a': ['1', '2'], 'b[]': '3'}), ('&&a&&', {'a': ''}), ('=x&=', {'': ['x', '']}),
        ('a=b+c%zz', {'a': 'b c%zz'}), ('a=%E9', {'a': '\ufffd'}), ('a=é%E9', {'a': 'é\ufffd'}),
    ],
)  # fmt: skip
def test_a_flat_query_is_read_as_querystring_reads_it(text: str, data: dict[str, Any]) -> None:
    assert parse(text, flat=True) == data


# ---- the query of a url -------------------------------------------------------------------------------------------------------------


def test_keys_of_the_data_replace_in_place_and_new_ones_follow() -> None:
    assert merge('x=1&y=2', {'z': 3, 'x': 'new'}) == 'x=new&y=2&z=3'
    assert merge('x=1&x=2&y=2', {'x': 'new'}, flat=True) == 'x=new&y=2'
    assert merge('5=a', {5: 'b'}) == '5=b'


def test_the_existing_query_is_encoded_anew() -> None:
    assert merge('a=b+c&d=%7e&e&f=', {'z': '3'}) == 'a=b%20c&d=~&e=&f=&z=3'
    assert merge('e&f=', {'a': None}, {'strictNullHandling': True}, {'strictNullHandling': True}) == 'e&f=&a'


def test_empty_data_leaves_the_query_as_it_is() -> None:
    """Node re-encodes it."""
    assert merge('a=b+c&e', {}) == 'a=b+c&e'
    assert merge('', {}) == ''
    assert merge('', {'a': []}) == ''
    assert merge('a=1', {'a': []}) == ''


def test_a_merged_query_has_no_question_mark_of_its_own() -> None:
    assert merge('a=1', {'b': 2}, None, {'addQueryPrefix': True}) == 'a=1&b=2'


def test_a_bad_option_is_an_error_without_a_query_too() -> None:
    with pytest.raises(UnknownOption):
        merge('', {'a': 1}, None, {'nonsense': 1})


def test_the_callers_mapping_is_left_as_it_was() -> None:
    data = {'a': {'b': [1, {'c': None}]}, 'd': 'x'}
    before = json.dumps(data)
    merge('a=1&q=2', data)
    stringify(data, {'sort': lambda a, b: 0})
    assert json.dumps(data) == before


# ---- both directions ----------------------------------------------------------------------------------------------------------------

# Surrogates are refused, and names that Node drops or orders as numbers do not come back the same.
PLAIN_TEXT = st.text(st.characters(exclude_categories=['Cs']), max_size=8)
NAMES = st.from_regex(r'[a-z é&=+%._~]{1,6}', fullmatch=True)
TREES = st.recursive(
    PLAIN_TEXT,
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(NAMES, inner, min_size=1, max_size=4),
)


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_what_was_written_reads_back_the_same(data: dict[str, Any]) -> None:
    assert parse(stringify(data), {'depth': 512, 'parameterLimit': float('inf')}) == data


@given(st.dictionaries(NAMES, PLAIN_TEXT | st.lists(PLAIN_TEXT, min_size=2, max_size=4), max_size=4))
def test_what_was_written_flat_reads_back_the_same(data: dict[str, Any]) -> None:
    assert parse(stringify(data, flat=True), flat=True) == data


@given(st.text('ab[]%=&.+0129é\ud800', max_size=60), st.booleans(), st.booleans())
def test_any_text_at_all_can_be_read_and_written_again(text: str, flat: bool, dots: bool) -> None:
    """P2: whatever stands in a URL, the only errors are the library's own."""
    read = parse(text, {'allowDots': dots}, flat)
    try:
        stringify(read, None, flat)
    except RequestError:
        assert '\ud800' in text


def hostile() -> Iterator[tuple[str, str]]:
    for piece in (
        '[',
        ']',
        'a[',
        '[]',
        '[a]',
        '.',
        '.a',
        '%',
        '%4',
        '%41',
        '%E9',
        '%C3',
        '+',
        '&',
        '=',
        ']=',
        'a&',
        'a=&',
        'a[]=1&',
        'a=1&a[b]=2&',
    ):
        yield piece, piece * (65_536 // len(piece))
    yield 'positions', '&'.join(f'a[{n}]=1' for n in range(7_000))
    yield 'names', '&'.join(f'k{n}[x]=1' for n in range(6_000))
    yield 'one deep path', 'a' + '[b]' * 21_800 + '=1'


@pytest.mark.timing
@pytest.mark.parametrize(('name', 'text'), list(hostile()), ids=[name for name, _ in hostile()])
def test_64_kb_of_hostile_query_are_read_at_once(name: str, text: str) -> None:
    """P1, P3: linear time, bounded depth, also with every limit that the caller can lift lifted."""
    lifted = {'parameterLimit': float('inf'), 'maxKeys': 0, 'depth': 512, 'arrayLimit': 10**9, 'allowDots': True}
    for options in (None, lifted):
        for flat in (False, True):
            start = time.process_time()
            parse(text, options, flat)
            assert time.process_time() - start < 1  # 50 ms at most were seen; quadratic would be many seconds


@pytest.mark.timing
def test_a_path_that_is_hostile_to_writing_is_written_at_once() -> None:
    start = time.process_time()
    stringify({'k' * 65_536: "(!'" * 20_000, 'rows': list(range(20_000))})
    assert time.process_time() - start < 2
