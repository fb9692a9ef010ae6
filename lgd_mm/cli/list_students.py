"""``lgd-mm list students``: what each is like, from the package's table, and which suit a purpose."""

from collections.abc import Callable, Sequence

from lgd_mm.api.known_names import models_of_timm
from lgd_mm.api.students import STUDENTS, TIMM
from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.student_table import HEADS, StudentRow, heads, read_table

#: How to have fewer; said below the list.
NARROWER = f'parts of the name, --max-params MILLIONS, --head {"|".join(HEADS)}, --size PIXELS'
TITLES = ('student', 'parameters', 'images', 'strides', 'heads')


def list_students(
        named: Callable[[str], bool],
        max_params: float | None,
        head: str | None,
        size: int | None) -> list[str]:
    """The lines of the list: the students with ready configs first, then those of timm, small ones first.

    Args:
        named (Callable[[str], bool]): Whether a student is asked for by its name.
        max_params (float, optional): Millions of parameters that it has at most.
        head (str, optional): One of :data:`lgd_mm.student_table.HEADS` that it can serve.
        size (int, optional): Side of images that it takes, in pixels.

    Returns:
        list[str]: A title, a line for each, and how many there are; empty if none is called so.

    Raises:
        UserError: If some are called so, and none is as it is wanted.
    """
    _, rows = read_table()
    called = [row for row in rows if named(row.name)]
    found = [row for row in called
             if (max_params is None or row.parameters <= max_params * 1e6)
             and (head is None or head in heads(row.strides, row.only))
             and (size is None or size == row.size or not row.only)]
    if called and not found:
        wanted = dict(max_params=max_params, head=head, size=size)
        given = ' '.join(f'--{name.replace("_", "-")} {value:g}' if isinstance(value, float) else f'--{name} {value}'
                         for name, value in wanted.items() if value is not None)
        raise UserError(f'none of {len(called):,} students fits {given}: the smallest has '
                        f'{min(row.parameters for row in called) / 1e6:.1f} million parameters, and '
                        '`lgd-mm list students` prints what each is like')
    if not found:
        return []
    found.sort(key=lambda row: (row.name not in STUDENTS, row.parameters, row.name))
    return [*_aligned([TITLES, *map(_cells, found)]), '',
            f'{len(found):,} of {len(rows):,} students; fewer with {NARROWER}', *_other_timm(rows)]


def known_students() -> list[str]:
    """Names in the table."""
    return [row.name for row in read_table()[1]]


def _cells(row: StudentRow) -> tuple[str, ...]:
    return (row.name, f'{row.parameters / 1e6:.1f} M', f'{row.size} only' if row.only else str(row.size),
            ' '.join(map(str, row.strides)) or '-',
            ', '.join(f'{head} {how}'.rstrip() for head, how in heads(row.strides, row.only).items()))


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """In columns as wide as their widest cell; numbers stand to the right."""
    wide = [max(map(len, column)) for column in zip(*lines)]
    return [f'{name:<{wide[0]}}  {parameters:>{wide[1]}}  {images:<{wide[2]}}  {strides:<{wide[3]}}  {served}'
            for name, parameters, images, strides, served in lines]


def _other_timm(rows: Sequence[StudentRow]) -> list[str]:
    """What the installed timm has that the table has not, and the other way round."""
    table = {row.name.removeprefix(TIMM) for row in rows if row.name.startswith(TIMM)}
    installed = set(models_of_timm())
    differences = (('also has', installed - table), ('lacks', table - installed))
    return [f'the installed timm {verb} {some(sorted(names))}' for verb, names in differences if names]
