"""What is asked for when a pre-training is to be watched."""

from pathlib import Path
from typing import NamedTuple

from lgd_mm.api.images import check_folder
from lgd_mm.errors import UserError


class Watch(NamedTuple):
    """What is asked for.

    Attributes:
        folder (str | Path, optional): The images; None: the pre-training is not watched.
        every (int): Epochs from one look to the next.
        keep_best (bool): Keep the checkpoint with the best figure.
        patience (int, optional): Looks without a better figure that end the training.
    """

    folder: str | Path | None = None
    every: int = 1
    keep_best: bool = False
    patience: int | None = None

    def check(self) -> None:
        """Raises:
            UserError: If the folder or a number cannot be used, or there is no folder.
        """
        given = dict(watch_every=self.every != 1, keep_best=self.keep_best, patience=self.patience is not None)
        if self.folder is None:
            if keys := [key for key, is_given in given.items() if is_given]:
                raise UserError(f'{keys[0]} is about the images of watch, which are not given: give watch, or leave '
                                f'{keys[0]} out')
            return
        for key, value in dict(watch_every=self.every, patience=self.patience).items():
            if value is not None and (not isinstance(value, int) or value < 1):
                raise UserError(f'{key} is {value!r}: it must be a whole number of at least 1')
        check_folder(Path(self.folder), 'watch')
