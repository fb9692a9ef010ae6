"""From names as data sets write them to names as people write them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from mmengine.logging import print_log

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import UserError

#: Characters that nobody sees: zero-width spaces, byte-order marks, soft hyphens, marks of direction, control
#: characters. Joiners stay within a name: scripts and emoji need them.
INVISIBLE = re.compile(r'[\u200b\u2060\ufeff\xad\u200e\u200f\u202a-\u202e\u2066-\u2069]|'
                       r'[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]')
JOINERS = '\u200c\u200d'
#: Characters of a name; the longest descriptions have hundreds, and a CLIP model reads as many.
LONGEST = 1000
QUALIFIER = re.compile(r'\s*\(([^()]*)\)')


def clean_names(names: Sequence[str], origin: str) -> list[str]:
    """Strip, turn ``_`` into spaces and drop invisible characters and ``(...)``; where that would make two names one,
    keep what told them apart.

    Args:
        names (Sequence[str]): Raw names, in order.
        origin (str): Where they come from, for messages.

    Returns:
        list[str]: As many names, all different: LVIS' ``bow_(weapon)`` beside ``bow_(decorative_ribbons)`` becomes
        ``bow, weapon``, ``baseball_bat`` becomes ``baseball bat``.

    Raises:
        UserError: If there are no names, one is too long, or two cannot be told apart.
    """
    if not names:
        raise UserError(f'{origin}: there are no category names: give at least one')
    for number, name in enumerate(names, 1):
        if not isinstance(name, str):
            raise UserError(f'{origin}: name number {number} is {shown(name)}: names must be text, put it in quotes')
        if len(name) > LONGEST:
            raise UserError(f'{origin}: name number {number} has {len(name):,} characters, and {LONGEST:,} are the '
                            f'most that a name may have ({shown(name)}): shorten it')
    visible = [INVISIBLE.sub('', name).strip(JOINERS) for name in names]
    changed = [shown(name) for name, seen in zip(names, visible) if name != seen]
    if changed:
        print_log(f'{origin}: invisible characters are taken out of {len(changed)} names: {some(changed)}',
                  logger='current')
    spaced = [' '.join(name.replace('_', ' ').split()) for name in visible]
    short = [QUALIFIER.sub('', name).strip() for name in spaced]
    shared = {name for name, count in _counts(short).items() if count > 1}
    cleaned = [
        QUALIFIER.sub(r', \1', full).strip(' ,') if _key(name) in shared else name
        for full, name in zip(spaced, short)
    ]

    empty = [index for index, name in enumerate(cleaned) if not name]
    if empty:
        raise UserError(f'{origin}: name number {empty[0] + 1} is empty after cleaning ({shown(names[empty[0]])}): '
                        'remove it or give it a name')
    doubles = {name for name, count in _counts(cleaned).items() if count > 1}
    if doubles:
        raw = sorted({name for name, clean in zip(names, cleaned) if _key(clean) in doubles})
        raise UserError(f'{origin}: these names are the same after cleaning: {", ".join(map(shown, raw[:10]))}; rename '
                        'or remove all but one of each')
    kept = [name for name, plain in zip(cleaned, short) if name != plain]
    if kept:
        print_log(f'{origin}: told apart by their qualifiers: {"; ".join(kept)}', logger='current')
    return cleaned


def _counts(names: Sequence[str]) -> Counter[str]:
    return Counter(_key(name) for name in names)


def _key(name: str) -> str:
    """What two names that look the same have in common: neither case nor how accents are written counts."""
    return unicodedata.normalize('NFC', name.casefold())
