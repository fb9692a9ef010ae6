"""What can be seen of an object besides its colour, and the combinations that the harder world is made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """A shape, and in the harder world its texture and a part.

    Attributes:
        shape (str): One of ``SHAPES``.
        texture (str): One of :data:`TEXTURES`, or nothing: a faint one at random, which has no name.
        part (str): ``hole``, ``rim`` or nothing.
    """

    shape: str
    texture: str = ''
    part: str = ''

    @property
    def name(self) -> str:
        """Its name, such as ``star`` or ``striped star with a hole``."""
        return ' '.join(filter(None, [self.texture, self.shape, self.part and f'with a {self.part}']))


TEXTURES = ('plain', 'striped', 'dotted', 'chequered')
PARTS = ('', 'hole', 'rim')

#: A group of letters for each texture, in it one for each part: a category, one that is absent (it has a name and
#: never occurs), or a distractor (it occurs and is on no list of names). Each category differs from another in its
#: shape alone, from one in its texture alone, and from one in its part alone: no attribute can be left out to tell it.
_ROLES = {
    'circle': 'acc ccc cac dda',
    'cross': 'dad cac cca ccc',
    'diamond': 'cca ada dcc ccc',
    'square': 'aad ccc ccc daa',
    'star': 'cdc aad acc cca',
    'triangle': 'ccc ccd ada acc',
}
#: Distractors of a shape of their own.
_STRANGERS = ('crescent', 'ring')


def _in_role(letter: str) -> tuple[Thing, ...]:
    """Combinations in the order of their names, so that an index equals that of a folder-per-class reader."""
    found = [Thing(shape, texture, part) for shape, groups in _ROLES.items()
             for texture, group in zip(TEXTURES, groups.split()) for part, role in zip(PARTS, group) if role == letter]
    return tuple(sorted(found, key=lambda thing: thing.name))


CATEGORIES = _in_role('c')
ABSENT = _in_role('a')
DISTRACTORS = _in_role('d') + tuple(Thing(shape, texture) for shape in _STRANGERS for texture in TEXTURES)
