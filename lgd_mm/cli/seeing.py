"""What the commands share whose student reads regions of a detector."""

from collections.abc import Callable
from typing import Any

import click


def seen_by(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--detector`` and ``--config``: what sees the images for the student."""
    for option in (
            click.option('--config', metavar='CONFIG', help='Config that the regions were extracted with.  [default: '
                         'that in the checkpoint]'),
            click.option('--detector', metavar='RUN', help='The detector whose regions STUDENT was trained on: the '
                         'folder of its training, or a checkpoint. Of cells of a grid: the student whose backbone '
                         'it was.  [default: the teacher of --config]')):
        command = option(command)
    return command
