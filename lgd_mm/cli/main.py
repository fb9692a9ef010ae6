"""The group of commands, and what becomes of a user's mistake."""

import signal
from typing import Any

import click

from lgd_mm.cli.ask import ask
from lgd_mm.cli.caption import caption
from lgd_mm.cli.compare import compare
from lgd_mm.cli.convert import convert
from lgd_mm.cli.cost import cost
from lgd_mm.cli.doctor import doctor
from lgd_mm.cli.embed import embed
from lgd_mm.cli.export import export
from lgd_mm.cli.index import index
from lgd_mm.cli.inspect import inspect
from lgd_mm.cli.listing import list_names
from lgd_mm.cli.predict import predict
from lgd_mm.cli.training import finetune, pretrain
from lgd_mm.cli.using import evaluate, zero_shot
from lgd_mm.errors import Stopped, UserError, reported
from lgd_mm.version import __version__

#: How ``tools/`` call what is called otherwise here.
TRANSLATED = {'--cfg-options ': '', '--work-dir': '--out', '--categories': '--classes',
              ', or --allow-partial-student': ''}


class Commands(click.Group):
    """Leaves Ctrl-C to :func:`lgd_mm.errors.reported`, where click would print 'Aborted!' and exit with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """As click's."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Stopped(signal.SIGINT, 'stopped') from None


@click.group(cls=Commands, context_settings=dict(help_option_names=['-h', '--help'], max_content_width=110))
@click.version_option(__version__, prog_name='lgd-mm')
def cli() -> None:
    """Small vision backbones, pre-trained by a frozen CLIP teacher on your images and the names of your categories.

    \b
    From images to predictions:
      lgd-mm pretrain --images IMAGES --classes names.txt --out run
      lgd-mm zero-shot run IMAGES --out predictions.csv
      lgd-mm export run --to onnx --out onnx
      lgd-mm finetune --task detection --student run --data SET --out detector
      lgd-mm predict detector IMAGES --out found
    """


for command in (inspect, convert, index, pretrain, zero_shot, export, finetune, predict, evaluate, compare, embed,
                caption, ask, cost, list_names, doctor):
    cli.add_command(command)


def main() -> None:
    """Run ``lgd-mm``; a mistake is told in one sentence, in the words of this command."""
    with reported():
        try:
            cli(prog_name='lgd-mm')
        except UserError as error:
            error.args = tuple(map(_translated, error.args))
            raise


def _translated(sentence: str) -> str:
    for theirs, ours in TRANSLATED.items():
        sentence = sentence.replace(theirs, ours)
    return sentence
