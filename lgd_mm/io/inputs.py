"""Paths that a command is given, looked at before the libraries are imported, which takes seconds."""

import os
from collections.abc import Iterable
from pathlib import Path

from lgd_mm.console.printable import shortened
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import check_head


def check_config(path: str) -> None:
    """See that a config is there.

    Args:
        path (str): As the user gave it.

    Raises:
        UserError: If it is no file.
    """
    if '://' in path:
        raise UserError(f'{path} is an address: a config is a program, so read it first, and give the path of the file')
    if not os.path.isfile(path):
        raise UserError(f'config {path} does not exist')


def check_weights_file(path: str | None) -> None:
    """See that a checkpoint or a student is there, and begins as one.

    Args:
        path (str, optional): As the user gave it.

    Raises:
        UserError: If it is none of this machine.
    """
    if path and '://' in path:
        raise UserError(f'{path} is a URL, not a file: download it first and give the path of the file')
    if path and not os.path.exists(path):
        raise UserError(f'{path} does not exist: check the path of the checkpoint')
    if path and not os.path.isdir(path):
        check_head(path)


def check_folder(path: str, cure: str) -> None:
    """See that a folder is there.

    Args:
        path (str): As the user gave it.
        cure (str): Ends the sentence, such as ``'give the work dir of a run'``.

    Raises:
        UserError: If it is none.
    """
    if not os.path.isdir(path):
        raise UserError(f'{shortened(path)} is no folder: {cure}')


def check_data_folder(path: str | None) -> None:
    """See that a data set of one's own is there.

    Args:
        path (str, optional): As the user gave it.

    Raises:
        UserError: If it is no folder.
    """
    if path and not os.path.isdir(path):
        raise UserError(f'data: {path} is no folder: give one as in docs/own_data.md')


def check_outside(out: str | Path, images: Iterable[str | Path]) -> None:
    """See that what is written is not among what is read.

    Args:
        out (str | Path): Folder to write to.
        images (Iterable[str | Path]): As the user gave them.

    Raises:
        UserError: If it is.
    """
    for path in images:
        if os.path.isdir(path) and Path(out).resolve().is_relative_to(Path(path).resolve()):
            raise UserError(f'out: {out} lies in {path}, whose images are read: give a folder elsewhere')
