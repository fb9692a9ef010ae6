"""``KEY=VALUE``: what the shell's words of ``--cfg-options`` and ``lgd-mm`` mean.

mmengine's own reader takes every space out of a text and splits it at each comma, also between quotes. Here what is
quoted is a text as it was written, and what mmengine read out of anything else is still read so.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from lgd_mm.errors import UserError

PAIRS = {'[': ']', '(': ')', '{': '}'}
DICT = 'dict('
QUOTES = '\'"'
#: What stands where a text without quotes, a number or a key ends.
SPACE = ' \t\n\r'


class OptionsAction(argparse.Action):
    """Argparse action that gathers ``KEY=VALUE`` words, in place of mmengine's ``DictAction``."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any,
                 option_string: str | None = None) -> None:
        """Add the keys and values to those of an earlier use of the option."""
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest, None) or {}), **parse_options(values)})


def parse_options(words: Sequence[str]) -> dict[str, Any]:
    """Read ``KEY=VALUE`` words.

    Args:
        words (Sequence[str]): Such as ``"model.lgka.categories=['cat', 'guinea pig']"``.

    Returns:
        dict[str, Any]: Dotted keys and values; of a key that comes twice, the last.

    Raises:
        UserError: If one has no ``=``, or its brackets or quotes do not match.
    """
    options = {}
    for word in words:
        key, found, text = word.partition('=')
        if not found or not key.strip():
            raise UserError(f'{word!r} is no KEY=VALUE: write an override as model.lgka.momentum=0.99')
        try:
            options[key.strip()] = read_value(text)
        except ValueError as error:
            raise UserError(f'{word!r} is no KEY=VALUE ({error})') from error
    return options


def read_value(text: str) -> Any:
    """Read a value as Python writes it, or without quotes.

    Numbers, ``True``, ``False``, ``None``, lists ``[...]`` or ``a,b``, tuples ``(...)``, ``dict(name=value)`` and
    ``{'name': value}`` within each other, and texts: between quotes, where ``\\`` only stands before a quote or
    another ``\\``, or without them up to the next comma or bracket that ends what they are in.

    Args:
        text (str): The value.

    Returns:
        Any: Plain data.

    Raises:
        ValueError: If its brackets or quotes do not match.
    """
    try:
        return _Reader(text.strip(SPACE)).whole()
    except RecursionError:
        raise ValueError('too many brackets within each other') from None


def written(text: str) -> str:
    """A text as a value that is read as this text.

    Args:
        text (str): Such as a path; it may have commas and brackets.

    Returns:
        str: With quotes around it if they are needed.
    """
    try:
        if read_value(text) == text:
            return text
    except ValueError:
        pass
    escaped = text.replace('\\', '\\\\').replace("'", "\\'")
    return f"'{escaped}'"


class _NotThis(ValueError):
    """What begins like a list, dict or quoted text may still be a text as a whole."""


class _Reader:
    """Goes once through a text; ``at`` is the next character."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def whole(self) -> Any:
        """The value of the whole text; commas outside all brackets make it a list."""
        if self.text[:1] in (*QUOTES, *PAIRS) or self.text.startswith(DICT):
            try:
                item = self._structure()
                if self.at == len(self.text):
                    return item
            except _NotThis:
                if ',' not in self.text and self.text[0] in QUOTES:  # 'tis
                    return self.text
                raise
            self.at = 0
        items, commas = self._items('')
        return items if commas else items[0] if items else ''

    def _items(self, end: str) -> tuple[list[Any], int]:
        """Values up to a bracket, which is passed over, or the end; with the number of commas."""
        items: list[Any] = []
        commas = 0
        while True:
            self._space()
            if self._here(end):
                self.at += len(end)
                return items, commas
            if self.at == len(self.text):
                raise _NotThis(f'a {end} is missing at its end')
            items.append(self._item(end))
            commas += self._comma(end)

    def _item(self, end: str) -> Any:
        """One value, up to a comma or the end of what it is in."""
        begin = self.at
        if self.text[begin] in (*QUOTES, *PAIRS) or self.text.startswith(DICT, begin):
            try:
                value = self._structure()
                self._space()
                if self._here(',') or self._here(end):
                    return value
                if end and self.at >= len(self.text):
                    raise ValueError(f'{end!r} is missing at its end')
                if end and self.text[begin] in QUOTES:
                    raise ValueError(f'a comma is missing behind {value!r} (a quote within a text is written as '
                                     f'\\{self.text[begin]})')
            except _NotThis:
                if end or self.text[begin] not in QUOTES:
                    raise
            self.at = begin
        return _plain(self._bare(end))

    def _structure(self) -> Any:
        """A quoted text, list, tuple or dict."""
        first = self.text[self.at]
        if first in QUOTES:
            return self._quoted()
        if first == '{':
            self.at += 1
            return self._pairs('}', ':', self._quoted_name)
        if first == 'd':
            self.at += len(DICT)
            return self._pairs(')', '=', self._name)
        self.at += 1
        items, _ = self._items(PAIRS[first])
        return items if first == '[' else tuple(items)

    def _pairs(self, end: str, sign: str, name: Callable[[], Any]) -> dict[Any, Any]:
        pairs: dict[Any, Any] = {}
        while True:
            self._space()
            if self._here(end):
                self.at += 1
                return pairs
            key = name()
            self._space()
            if not self._here(sign):
                raise _NotThis(f"a dict is written as dict(name=value) or {{'name': value}}, and {key!r} has no {sign}")
            self.at += 1
            self._space()
            if key in pairs:
                raise ValueError(f'{key!r} comes twice in a dict')
            if self.at == len(self.text) or self._here(',') or self._here(end):
                raise _NotThis(f'{key!r} has no value')
            pairs[key] = self._item(end)
            self._comma(end)

    def _name(self) -> str:
        name = self._until(f'{SPACE}=,()')
        if not name.isidentifier():
            raise _NotThis(f"a dict is written as dict(name=value) or {{'name': value}}, and {name!r} is no name")
        return name

    def _quoted_name(self) -> Any:
        return self._quoted() if self.text[self.at:self.at + 1] in (*QUOTES, ) else _plain(self._until(f'{SPACE}:,}}'))

    def _quoted(self) -> str:
        quote, begin = self.text[self.at], self.at
        parts: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == quote:
                return ''.join(parts)
            if char == '\\' and self.text[self.at:self.at + 1] in ('\\', *QUOTES):
                char, self.at = self.text[self.at], self.at + 1
            parts.append(char)
        raise _NotThis(f'the quote before {self.text[begin + 1:begin + 20]!r} is not closed')

    def _bare(self, end: str) -> str:
        """A text without quotes; the brackets in it stay in it, with what they hold."""
        begin = self.at
        open_: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if not open_ and (char == ',' or (end and char == end)):
                break
            if char in PAIRS:
                open_.append(PAIRS[char])
            elif open_ and char == open_[-1]:
                open_.pop()
            self.at += 1
        if open_ and (end or ',' in self.text):
            raise _NotThis(f'a {open_[-1]} is missing at its end')
        return self.text[begin:self.at].strip(SPACE)

    def _until(self, ends: str) -> str:
        begin = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[begin:self.at]

    def _comma(self, end: str) -> bool:
        self._space()
        if self._here(','):
            self.at += 1
            return True
        if not self._here(end):
            raise _NotThis(f'a {end} is missing at its end')
        return False

    def _space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in SPACE:
            self.at += 1

    def _here(self, what: str) -> bool:
        """Whether a character, or without one the end, is next."""
        return self.text.startswith(what, self.at) if what else self.at == len(self.text)


def _plain(text: str) -> Any:
    """A number, a truth value or None, as mmengine reads them, or the text."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return {'true': True, 'false': False}.get(text.lower(), None if text == 'None' else text)
