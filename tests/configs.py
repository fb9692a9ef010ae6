"""The configs of the checkout, each read once."""

import copy
from functools import cache
from pathlib import Path

from mmengine.config import Config

import lgd_mm  # noqa: F401 - makes mmdet:: and mmseg:: configs readable
from tests.tiny import ROOT

FOLDER = ROOT / 'configs'


@cache
def _read(path: Path) -> Config:
    return Config.fromfile(FOLDER / path)


def read_config(path: Path | str) -> Config:
    """A config, which is the caller's to change.

    Args:
        path (Path | str): Below ``configs/``.
    """
    return copy.deepcopy(_read(Path(path)))
