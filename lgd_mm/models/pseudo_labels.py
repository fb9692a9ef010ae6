"""How the pseudo labels of a pre-training fall to the names."""

from collections.abc import Mapping

from torch import nn

from lgd_mm.language import Vocabulary
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.many_students import students_of, whose
from lgd_mm.models.necks.lgka import LGKA

#: Share of the pseudo labels of an epoch from which one category counts as the only one.
ALONE = 0.9


def one_sided(model: nn.Module | None) -> list[str]:
    """Warnings of the whole pre-training that nearly all pseudo labels are one name: from that, nothing is learnt.

    Args:
        model (nn.Module, optional): As trained, not wrapped.

    Returns:
        list[str]: A sentence with the cure for each student, mostly none.
    """
    told = []
    for name, lgka in banks_of(distillers_of(model)).items():
        counts = lgka.counts.cpu()
        total, most = int(counts.sum()), int(counts.max())
        if total and len(counts) > 1 and most >= ALONE * total:
            share, learnt = ('all', 'nothing') if most == total else (f'{100 * most // total} %', 'little')
            label = names_of(lgka)[int(counts.argmax())]
            told.append(f'{whose(name)}{share} of {total:,} pseudo labels are {label!r}, so the names have '
                        f'taught {learnt}: give names of what the images show, a teacher that knows them, and the '
                        'preprocessing that it expects')
    return told


def distillers_of(model: nn.Module | None) -> dict[str, Distiller]:
    """Those that learn from a teacher, by name."""
    return {name: student for name, student in students_of(model).items() if isinstance(student, Distiller)}


def banks_of(students: Mapping[str, Distiller]) -> dict[str, LGKA]:
    return {name: student.lgka for name, student in students.items()
            if isinstance(getattr(student, 'lgka', None), LGKA)}


def names_of(lgka: LGKA) -> tuple[str, ...]:
    return Vocabulary.from_tensor(lgka.vocabulary).categories
