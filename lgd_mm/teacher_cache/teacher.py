"""A teacher whose embeddings were computed before."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.models.teachers.base import Teacher
from lgd_mm.registry import MODELS
from lgd_mm.safety.allow_list import checked
from lgd_mm.teacher_cache.store import TeacherCache


@MODELS.register_module()
class CachedTeacher(Teacher):
    """Stands for the teacher of a cache; the batches bring its embeddings along.

    New category names are encoded by the teacher itself, which is loaded for them and let go.

    Args:
        cache (str): Folder that ``tools/cache_teacher.py`` wrote.

    Raises:
        UserError: If there is no cache.
    """

    has_maps = False  # the batches bring crops instead

    def __init__(self, cache: str) -> None:
        super().__init__((0., 0., 0.), (1., 1., 1.), None)
        about = TeacherCache(cache).about
        self.embed_dim, self.fingerprint, self._config = about['embed_dim'], about['fingerprint'], about['teacher']
        self._cache = cache
        self._text: tuple[Any] | None = None  # a tuple hides it from nn.Module

    def original(self) -> Any:
        """Load the teacher that the cache was made with.

        Returns:
            Teacher: On the CPU, without input statistics.

        Raises:
            UserError: If the teacher's weights have changed since, or the cache names what no file may build.
        """
        file = Path(self._cache, 'cache.json')
        config = checked(self._config, 'teacher', file, 'teacher', 'lgd_mm')
        if config['type'].endswith('CachedTeacher'):
            raise UserError(f'{file}: the teacher of a cache is itself a cache: make the cache anew')
        with torch.random.fork_rng(devices=[]):  # the student begins the same whether its names were known or not
            try:
                teacher = MODELS.build(config)
            except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError
                    ) as error:
                reason = first_line(error)
                raise UserError(f'{file}: the teacher of the cache cannot be built ({reason}): the file is damaged or '
                                'of another program') from error
        if teacher.fingerprint != self.fingerprint:
            raise UserError('the weights of the teacher are not those the cache was made with: fetch them again, or '
                            'make the cache anew')
        return teacher

    def encode_text(self, texts: list[str]) -> Tensor:
        """Embed N texts as (N, D).

        Raises:
            UserError: If the teacher knows no text, or its weights have changed since.
        """
        if self._text is None:
            teacher = self.original()
            if not hasattr(teacher, 'encode_text'):
                raise UserError(f'the teacher of the cache, {self._config["type"]}, knows no text: make a cache of one '
                                'that does, such as lgd_mm.OpenCLIPTeacher')
            self._text = (teacher, )
        return self._text[0].encode_text(texts)

    def release_text(self) -> None:
        """Give the text tower's memory back."""
        self._text = None

    def encode_image(self, images: Tensor) -> Tensor:
        """Refuse: images without embeddings are no batch of a cache."""
        raise UserError('lgd_mm.CachedTeacher has no image tower: set train_dataloader.dataset to '
                        'type=lgd_mm.CachedImages, with a pipeline that ends with lgd_mm.PackView')
