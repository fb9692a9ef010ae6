"""From a student's file to a checked folder for another library."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from lgd_mm.console.words import there_are
from lgd_mm.errors import UserError
from lgd_mm.exports.report import ExportReport
from lgd_mm.exports.targets import TARGETS, Target
from lgd_mm.io.new_folder import new_folder


@overload
def export_student(student: str | Path, target: str, out: str | Path, **options: Any) -> ExportReport: ...


@overload
def export_student(student: str | Path, target: Sequence[str], out: str | Path,
                   **options: Any) -> list[ExportReport]: ...


def export_student(student: str | Path, target: str | Sequence[str], out: str | Path,
                   **options: Any) -> ExportReport | list[ExportReport]:
    """Write a student as another library takes it, with a model card, and check it by loading it there.

    A folder appears only when everything in it is written and compared.

    Args:
        student (str | Path): ``student.safetensors``, ``student.pth``, or a checkpoint of a pre-training, which also
            has the projection that zero-shot classification needs.
        target (str | Sequence[str]): Of :data:`TARGETS`, or several of them.
        out (str | Path): Folder to write; it must not exist yet or be empty. Several targets get a folder in it each.
        **options: ``int8`` (bool): for ``'onnx'``, quantise it as well; defaults to False. ``categories``
            (str | list[str]): names for zero-shot classification, as of :func:`lgd_mm.language.category_names`;
            defaults to those of the pre-training.

    Returns:
        ExportReport | list[ExportReport]: What was written and how it differs; a list for several targets.

    Raises:
        UserError: If the file, a target, an option or the folder cannot be used, a library is not installed, has no
            such network, or computes something else.
    """
    folders = check_request(target, out, options)
    chosen = {name: TARGETS[name] for name in folders}
    writers = {name: one.load(name) for name, one in chosen.items()}
    # Here: they take seconds to import, and the mistakes above need none of them.
    from mmengine.logging import print_log

    from lgd_mm.console.quiet import quietly
    from lgd_mm.exports.card import model_card
    from lgd_mm.exports.figures import measure
    from lgd_mm.exports.source import read_source
    with quietly():
        source = read_source(student)
    figures = None
    reports = []
    for name, write in writers.items():
        print_log(f'exporting {student} to {name}', logger='current')
        folder = folders[name]
        try:
            with new_folder(folder) as part:
                with quietly():
                    written = write(source, part,
                                    **{key: options[key] for key in chosen[name].options if key in options})
                    if source.file.left_out:
                        written = written._replace(notes=(source.file.left_out, *written.notes))
                    figures = figures or measure(source)
                (part / 'README.md').write_text(model_card(source, name, written, figures), encoding='utf-8')
        except OSError as error:
            check_folder(folder)  # another process may have been first
            raise UserError(f'the export cannot be written to {folder} ({error.strerror or error}): choose a folder '
                            'with disk space that you may write to') from error
        reports.append(ExportReport(
            target=name, folder=folder, files=tuple(sorted(folder.iterdir())), library=written.library,
            difference=written.difference.largest, relative=written.difference.relative, tolerance=written.tolerance,
            usage=written.usage.replace('FOLDER', str(folder)), notes=written.notes))
    return reports[0] if isinstance(target, str) else reports


def check_request(target: str | Sequence[str], out: str | Path, options: dict[str, Any]) -> dict[str, Path]:
    """See whether an export can be asked for; nothing is imported or read for it.

    Args:
        target (str | Sequence[str]): As of :func:`export_student`.
        out (str | Path): The same.
        options (dict[str, Any]): The same.

    Returns:
        dict[str, Path]: Target -> the folder it gets.

    Raises:
        UserError: If a target, an option or a folder cannot be used.
    """
    chosen = {name: _target(name) for name in ([target] if isinstance(target, str) else target)}
    _check_options(chosen, options)
    folders = {name: Path(out) if isinstance(target, str) else Path(out) / name for name in chosen}
    for folder in folders.values():
        check_folder(folder)
    return folders


def _target(name: str) -> Target:
    if name not in TARGETS:
        raise UserError(f'there is no export target {name!r}; {there_are(name, TARGETS)}')
    return TARGETS[name]


def _check_options(chosen: dict[str, Target], options: dict[str, Any]) -> None:
    known = sorted({option for target in TARGETS.values() for option in target.options})
    for key, value in options.items():
        if key not in known:
            raise UserError(f'there is no export option {key!r}; {there_are(key, known)}')
        takers = [name for name, target in TARGETS.items() if key in target.options]
        if value and not set(takers) & set(chosen):
            raise UserError(f'{key} is for the target {" or ".join(takers)}, not for {", ".join(chosen)}: leave it out')


def check_folder(folder: Path) -> None:
    """See that an export may be written to a folder.

    Args:
        folder (Path): As the user gave it.

    Raises:
        UserError: If it names a file, or something is there already.
    """
    if folder.suffix in ('.onnx', '.pth', '.pt', '.pt2', '.safetensors'):
        raise UserError(f'{folder} names a file, but an export is a folder with a model card: give '
                        f'{folder.with_suffix("")}')
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f'{folder} exists already: choose another folder, or remove it first')
