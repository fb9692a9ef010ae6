"""The names that images are nearest to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from lgd_mm.api.classes import parse_classes
from lgd_mm.api.embedding import embed
from lgd_mm.api.student import Student, load_student
from lgd_mm.api.teachers import SHAPES, about_shapes, teacher_model
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.language import category_names
from lgd_mm.models.zero_shot import bank_of_names, similarities, zero_shot_scores
from lgd_mm.prediction.table import COLUMNS, table_rows, write_table
from lgd_mm.registry import MODELS


@dataclass(frozen=True)
class Predictions:
    """Of N images against C names.

    Attributes:
        paths (list[str]): The images that could be read.
        names (list[str]): The names.
        similarities (Tensor): Cosines of the images' embeddings and the names' (N, C).
        scores (Tensor): The same as CLIP weighs them (N, C): each row sums to one. They tell which name fits best, not
            whether it fits.
        unreadable (list[str]): What could not be read, and why.
    """

    paths: list[str]
    names: list[str]
    similarities: Tensor
    scores: Tensor
    unreadable: list[str]

    @property
    def labels(self) -> list[str]:
        """The best name of each image."""
        return [self.names[index] for index in self.scores.argmax(dim=1)]

    def top(self, k: int) -> list[list[tuple[str, float]]]:
        """The k best names of each image with their scores, the best first."""
        scores, indices = self.scores.topk(min(k, len(self.names)), dim=1)
        return [[(self.names[index], score) for index, score in zip(*row)]
                for row in zip(indices.tolist(), scores.tolist())]

    def write(self, file: str | Path, k: int = 5) -> Path:
        """Write a CSV with the columns picture, rank, name, score and similarity, safe to open in a spreadsheet.

        Args:
            file (str | Path): Replaced if it is one that was written like this.
            k (int): Names of each image. Defaults to 5.

        Returns:
            Path: The file.

        Raises:
            UserError: If it cannot be written, or is any other file.
        """
        place = {name: index for index, name in enumerate(self.names)}
        return write_table(Path(file), COLUMNS, (
            row for path, best, cosines in zip(self.paths, self.top(k), self.similarities)
            for row in table_rows(path, ((name, f'{score:.4f}', f'{cosines[place[name]]:.4f}')
                                         for name, score in best))))


def zero_shot(student: Student | str | Path, images: str | Path | Sequence[str | Path],
              classes: str | Path | Sequence[str] | None = None, *, templates: str | Sequence[str] | None = None,
              teacher: str | None = None, image_size: int | None = None) -> Predictions:
    """Classify images by names, without labels: a student's embeddings against the teacher's of the names.

    Args:
        student (Student | str | Path): A pre-trained student with its projection: the folder of a pre-training, or a
            checkpoint.
        images (str | Path | Sequence[str | Path]): A folder of images, an image, or several.
        classes (str | Path | Sequence[str], optional): See :func:`lgd_mm.pretrain`. Defaults to None: the names it was
            pre-trained with, for which no teacher is needed.
        templates (str | Sequence[str], optional): Prompts for the names. Defaults to None: OpenAI's 80.
        teacher (str, optional): Where the teacher of the pre-training is now, see :func:`lgd_mm.pretrain`. Defaults to
            None: where it was.
        image_size (int, optional): Side of the crop, in pixels. Defaults to None: that of the student's training.

    Returns:
        Predictions: In the order of the images.

    Raises:
        UserError: If the student has no projection, or names, images or teacher cannot be used.
    """
    network = student if isinstance(student, Student) else load_student(student)
    network.check_projection()
    names, bank = _bank(network, classes, templates, teacher)
    found = embed(network, images, image_size=image_size)
    assert found.embeddings is not None
    return Predictions(found.paths, names, similarities(found.embeddings, bank),
                       zero_shot_scores(found.embeddings, bank), found.unreadable)


def _bank(student: Student, classes: str | Path | Sequence[str] | None, templates: str | Sequence[str] | None,
          teacher: str | None) -> tuple[list[str], Tensor]:
    """Names and the teacher's embeddings of them (C, D)."""
    if classes is None and templates is None and student.bank is not None:
        return list(student.names), student.bank
    if classes is None:
        if not student.names:
            raise UserError(f'{student.path} does not say which names it was trained with: give classes')
        classes = student.names
    names = category_names(parse_classes(classes))
    if templates is not None and not isinstance(templates, str):
        templates = list(templates)
    cfg = teacher_model(teacher) if teacher else student.file.teacher_config
    if teacher == SHAPES:
        print_rank0(about_shapes(names))
    if not hasattr(MODELS.get(cfg['type']), 'encode_text'):
        raise UserError(f'the teacher of {student.path} ({cfg["type"]}) embeds no names: zero-shot needs a student of '
                        'a CLIP')
    return names, bank_of_names(MODELS.build(cfg), names, templates)
