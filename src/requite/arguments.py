"""Node's argument forms, and options as they were given: named canonically and merged, but not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requite import checks, credentials, fields
from requite.errors import InvalidOptionType, UnknownOption
from requite.options import MERGED, merge, unknown
from requite.optiontable import NAMES


def gather(uri: Any, options: Any, callback: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """Node's argument forms as one mapping of options; keywords win over the options argument, the uri argument over both."""
    if callable(options):
        options, callback = None, options
    if options is None and type(uri) is not str and isinstance(uri, Mapping) and not hasattr(uri, 'href'):
        uri, options = None, uri
    given = levels(mapping(options), more)
    if uri is not None and (uri.__class__ is not str or uri or ('uri' not in given and 'url' not in given)):
        given['uri'] = uri
    if callback is not None:
        given['callback'] = callback
    return given


def levels(options: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The options mapping and the keywords of one call, by canonical names: keywords are laid over the mapping as a call is over its defaults."""
    if not options:
        return canonical(more)
    given = canonical(options)
    return merged(given, canonical(more)) if more else given


def canonical(level: Mapping[str, Any]) -> dict[str, Any]:
    """Options by their canonical names; raises ``UnknownOption`` for a name that there is not or an option in both its spellings."""
    given: dict[str, Any] = {}
    for key, value in level.items():
        option = NAMES.get(key)
        if option is None:
            raise unknown(key)
        if option.name in given:
            raise UnknownOption(
                f'option {option.name!r} was given twice, as {option.name!r} and as {option.alias!r}; keep one of them'
            )
        given[option.name] = value
    return given


def mapping(options: Any) -> Mapping[str, Any]:
    """The options argument; raises ``InvalidOptionType`` for what is none."""
    if options is None:
        return {}
    if type(options) is dict or isinstance(options, Mapping):
        return options
    raise InvalidOptionType(f'options must be a mapping, not {checks.kind(options)}; pass single options as keywords')


def merged(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they were given, not normalised, merged as ``compose`` merges them; no mapping in it is the caller's, a ``pool`` excepted."""
    both = {name: _copied(value) if name in _COPIED else value for name, value in {**outer, **inner}.items()}
    if 'uri' in inner or 'url' in inner:
        both = {key: value for key, value in both.items() if key not in ('uri', 'url') or key in inner}
    for name in outer.keys() & inner.keys() & _COPIED:
        both[name] = _over(name, outer[name], inner[name])
    return both


_COPIED = MERGED | {'headers', 'auth'}


def _over(name: str, outer: Any, inner: Any) -> Any:
    if outer is None or inner is None:
        # Headers that are None say nothing, as in ``compose``; any other option takes the default back.
        return _copied(outer if name == 'headers' and inner is None else inner)
    if name == 'headers':
        both = {**fields.header_fields(name, outer), **fields.header_fields(name, inner)}
        return {field[0]: list(field[1]) if isinstance(field[1], tuple) else field[1] for field in both.values()}
    if name == 'auth':
        return credentials.over_keys(credentials.keys(name, outer), credentials.keys(name, inner))
    if name in _SPELLED:
        check = NAMES[name].check
        return merge(check(name, outer), check(name, inner))
    return merge(_copied(outer), inner)


_SPELLED = frozenset(('agent_options', 'qs_parse_options', 'qs_stringify_options'))
"""Options whose keys come in two spellings: they are read before they can be merged."""


def _copied(value: Any) -> Any:
    """A copy of plain mappings, at every depth; everything else is the caller's own object."""
    return merge({}, value) if type(value) is dict else value
