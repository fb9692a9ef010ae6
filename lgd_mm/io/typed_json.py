"""JSON as dataclasses: content of another form is refused in a sentence that names the key."""

import reprlib
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from lgd_mm.errors import DataError

T = TypeVar('T')
#: The largest number that every JSON reader takes as it is (RFC 8259, section 6).
LARGEST = 2**53
WORDS = {str: 'a string', int: 'a whole number', float: 'a number between -2**53 and 2**53',
         bool: 'true or false', NoneType: 'null', list: 'a list', dict: 'an object'}


def is_number(value: Any) -> bool:
    """Whether a value is a number that JSON can hold: neither NaN nor infinite nor beyond :data:`LARGEST`.

    Args:
        value (Any): Anything; truth values are no numbers.
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def from_json(kind: type[T], content: Any, of: str, cure: str, exact: bool = False) -> T:
    """Make a dataclass of what JSON says.

    Args:
        kind (type): A dataclass. Its fields are strings, numbers, truth values, ``Literal``, lists, dicts with string
            keys, dataclasses, or unions of them. A field with a default may be missing in the content; with
            ``metadata={'before': NAME}`` it may have its former name. ``__post_init__`` may raise a
            :class:`ValueError` that says what does not fit together.
        content (Any): As :func:`json.loads` returns it.
        of (str): Where it comes from, for messages.
        cure (str): Ends the message.
        exact (bool): Refuse keys that are no fields, which else are passed over. Defaults to False.

    Returns:
        T: Every value has the type of its field.

    Raises:
        UserError: Names the first key that does not fit, what is there, and what it must be.
    """
    try:
        return _parse(kind, content, '', exact)
    except ValueError as error:
        raise DataError(f'{of}: {error}: {cure}') from error


def _parse(kind: Any, value: Any, where: str, exact: bool) -> Any:
    if get_origin(kind) is UnionType:
        kind = next((part for part in get_args(kind) if _fits(part, value)), get_args(kind)[0])
    if not _fits(kind, value):
        raise ValueError(f'{where or "it"} is {reprlib.repr(value)}, and must be {_words(kind)}')
    if is_dataclass(kind):
        return _parse_fields(kind, value, where, exact)
    if get_origin(kind) is list:
        return [_parse(get_args(kind)[0], part, f'{where}[{index}]', exact) for index, part in enumerate(value)]
    if get_origin(kind) is dict:
        return {key: _parse(get_args(kind)[1], part, f'{where}[{reprlib.repr(key)}]', exact)
                for key, part in value.items()}
    return value


def _parse_fields(kind: Any, value: dict[str, Any], where: str, exact: bool) -> Any:
    types = get_type_hints(kind)
    found = {}
    if exact and (unknown := [key for key in value if key not in types]):
        raise ValueError(f'{where or "it"} has the key {reprlib.repr(unknown[0])}; there are: {", ".join(types)}')
    for field in fields(kind):
        key = field.name if field.name in value else field.metadata.get('before', field.name)
        if key in value:
            found[field.name] = _parse(types[field.name], value[key], f'{where}.{key}' if where else key, exact)
        elif not _has_default(field):
            raise ValueError(f'{where or "it"} has no {field.name}')
    try:
        return kind(**found)
    except ValueError as error:
        raise ValueError(f'{where or "it"} {error}') from error


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _fits(kind: Any, value: Any) -> bool:
    """Whether a value is of a type, apart from what is in it."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind in (int, float):
        return is_number(value) and isinstance(value, (int, kind))
    return isinstance(value, dict if is_dataclass(kind) else get_origin(kind) or kind)


def _words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ' or '.join(map(repr, get_args(kind)))
    return WORDS[dict if is_dataclass(kind) else get_origin(kind) or kind]
