"""What the commands share: values that may be ``auto``, and ``KEY=VALUE`` arguments."""

from collections.abc import Callable, Mapping
from typing import Any

import click

AUTO = 'auto'


class AutoOr(click.ParamType[Any]):
    """``auto``, or a number.

    Args:
        number (type): ``int`` or ``float``.
    """

    def __init__(self, number: type[int] | type[float]) -> None:
        self.number = number
        self.name = f'auto|{"N" if number is int else "RATE"}'

    def get_metavar(self, *args: Any, **kwargs: Any) -> str:
        """As the help shows it."""
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """``'auto'`` or the number."""
        if value == AUTO:
            return value
        try:
            return self.number(value)
        except ValueError:
            self.fail(f"{value!r} is neither 'auto' nor a number", param, ctx)


def auto(name: str, number: type[int] | type[float], what: str) -> Callable[..., Any]:
    """An option that is ``auto`` or a number.

    Args:
        name (str): Such as ``'--epochs'``.
        number (type): ``int`` or ``float``.
        what (str): For the help.

    Returns:
        Callable[..., Any]: A decorator.
    """
    return click.option(name, type=AutoOr(number), default=AUTO, show_default=True, help=what)


def folder_of_run(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--out``, ``--resume`` and ``--overwrite``."""
    for option in (
            click.option('--overwrite', is_flag=True, help='Replace the run in --out.'),
            click.option('--resume', is_flag=True, help='Go on with the run in --out, or begin it.'),
            click.option('--out', required=True, metavar='FOLDER', help='New folder for checkpoints and logs.')):
        command = option(command)
    return command


def overrides(command: Callable[..., Any]) -> Callable[..., Any]:
    """``KEY=VALUE`` arguments, as ``options``."""
    return click.argument('options', nargs=-1, metavar='[KEY=VALUE]...')(command)


def gpus(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--gpus``: train in several processes."""
    return click.option('--gpus', type=click.IntRange(min=1), metavar='N', help='Train on N GPUs of this machine; '
                        'without GPUs, in N processes on the CPU.')(command)


def parsed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as :mod:`lgd_mm.api` takes them. Reading ``KEY=VALUE`` needs its imports: paths are looked at before.

    Args:
        arguments (Mapping[str, Any]): Of a command with :func:`overrides`.

    Returns:
        dict[str, Any]: The same with keys and values in ``options``.

    Raises:
        UserError: If one has no ``=``, or its brackets do not match.
    """
    from lgd_mm.api.overrides import parse_overrides
    return {**arguments, 'options': parse_overrides(arguments['options'])}
