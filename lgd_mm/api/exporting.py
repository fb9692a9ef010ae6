"""Students and fine-tuned networks in the forms of other libraries."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgd_mm.api.images import check_folder, images_in
from lgd_mm.console.words import there_are
from lgd_mm.deploy.targets import WHOLE_TARGETS
from lgd_mm.errors import UserError
from lgd_mm.exports import export as student_exports
from lgd_mm.exports.targets import TARGETS

if TYPE_CHECKING:
    from lgd_mm.deploy.report import DeployReport
    from lgd_mm.exports.report import ExportReport

#: Options that only a whole network has, as they are typed, and a student's alone.
WHOLE, STUDENT = ('size', 'raw', 'check_images', 'calibrate'), ('categories', )


def export(network: str | Path, target: str | Sequence[str], out: str | Path, *, int8: bool = False,
           size: Sequence[int] | None = None, raw: bool = False, check_images: str | Path | None = None,
           calibrate: str | Path | None = None, backbone_only: bool = False,
           categories: str | list[str] | None = None) -> 'list[ExportReport | DeployReport]':
    """Write a student, or a fine-tuned network as a whole, as another library takes it; what is written is run there
    and compared, and a folder appears only if it is the same.

    Args:
        network (str | Path): Folder of a pre-training or a student's file; or folder of a fine-tuning, or a checkpoint
            of one; or a student of vision and language, which ``'onnx'`` and ``'safetensors'`` take, without options.
        target (str | Sequence[str]): Of :data:`lgd_mm.exports.TARGETS`, for a whole network of
            :data:`lgd_mm.deploy.targets.WHOLE_TARGETS`; or several. Of a fine-tuned network, the others take the
            backbone alone.
        out (str | Path): Folder to write; it must not exist yet or be empty. Several targets get a folder in it each.
        int8 (bool): Write the ONNX graph with 8 bits, too: of a student its weights, of a whole network also what flows
            through it. Defaults to False.
        size (Sequence[int], optional): Of a whole network, height and width of all images, into which they are fitted.
            Defaults to None: any.
        raw (bool): Of a whole network, leave out what follows it: threshold, non-maximum suppression, scaling. Defaults
            to False.
        check_images (str | Path, optional): Of a whole network, folder of images to compare on. Defaults to None: of
            its own test set, or drawn.
        calibrate (str | Path, optional): Folder of images that the ranges of int8 are measured on. Defaults to None:
            the training set of the network.
        backbone_only (bool): Of a fine-tuned network, take the backbone alone. Defaults to False.
        categories (str | list[str], optional): Of a student, names for zero-shot classification. Defaults to None:
            those of the pre-training.

    Returns:
        list[ExportReport | DeployReport]: For each target.

    Raises:
        UserError: If an argument, the file or a folder cannot be used, a library is not installed, has no such network,
            or computes something else.
    """
    options = dict(int8=int8, size=size, raw=raw, check_images=check_images, calibrate=calibrate,
                   backbone_only=backbone_only, categories=categories)
    folders = check_export(target, out, options)
    from lgd_mm.api.student import find_student
    from lgd_mm.deploy.source import is_finetuned
    from lgd_mm.vision_language.student import is_vision_language
    file = find_student(network)
    if is_vision_language(file):
        given = next((name for name, value in options.items() if value), None)
        if given is not None:
            raise UserError(f'{_typed(given)} is not for students of vision and language, such as {file}: leave it out')
        from lgd_mm.vision_language.export import export_student
        return list(export_student(file, folders))
    finetuned = not backbone_only and is_finetuned(file)
    whole = {name: folder for name, folder in folders.items() if finetuned and name in WHOLE_TARGETS}
    rest = {name: folder for name, folder in folders.items() if name not in whole}
    _check_kind(file, rest, options)
    reports: list[Any] = []
    for name, folder in rest.items():
        kept = {key: options[key] for key in ('int8', 'categories') if key in TARGETS[name].options}
        reports.append(student_exports.export_student(file, name, folder, **kept))
    if whole:
        from lgd_mm.deploy.export import export_finetuned
        reports += export_finetuned(
            file, whole, size=(size[0], size[1]) if size else None, raw=raw,
            images=None if check_images is None else images_in(check_images, 'check_images'), int8=int8,
            calibration=None if calibrate is None else images_in(calibrate, 'calibrate'))
    return reports


def check_export(target: str | Sequence[str], out: str | Path, options: dict[str, Any]) -> dict[str, Path]:
    """See whether an export can be asked for; nothing is imported or read for it.

    Args:
        target (str | Sequence[str]): As of :func:`export`.
        out (str | Path): The same.
        options (dict[str, Any]): Its further arguments.

    Returns:
        dict[str, Path]: Target -> the folder it gets.

    Raises:
        UserError: If a target, an option or a folder cannot be used.
    """
    names = [target] if isinstance(target, str) else list(target)
    every = dict.fromkeys([*TARGETS, *WHOLE_TARGETS])
    for name in names:
        if name not in every:
            raise UserError(f'there is no export target {name!r}; {there_are(name, every)}')
    if options.get('int8') and 'onnx' not in names:
        raise UserError(f'int8 is for the target onnx, not for {", ".join(names)}: leave it out')
    given = [name for name in WHOLE if options.get(name)]
    if given and not set(names) & set(WHOLE_TARGETS):
        raise UserError(f'{_typed(given[0])} is for the target {" or ".join(WHOLE_TARGETS)}, not for '
                        f'{", ".join(names)}: leave it out')
    if given and options.get('backbone_only'):
        raise UserError(f'{_typed(given[0])} is for whole networks, not for their backbones: leave it or '
                        '--backbone-only out')
    if options.get('calibrate') and not options.get('int8'):
        raise UserError('--calibrate is for --int8: give both, or none')
    size = options.get('size')
    if size and not (len(size) == 2 and all(32 <= side <= 4096 for side in size)):
        raise UserError(f'--size {" ".join(map(str, size))}: give height and width, each of 32 to 4096 pixels')
    for name in ('check_images', 'calibrate'):
        if options.get(name):
            check_folder(Path(options[name]), name)
    folders = {name: Path(out) if isinstance(target, str) else Path(out) / name for name in names}
    for folder in folders.values():
        student_exports.check_folder(folder)
    return folders


def _check_kind(file: Path, students: dict[str, Path], options: dict[str, Any]) -> None:
    """See that nothing is asked of a student, or of a backbone, that only a whole network has.

    Args:
        file (Path): The network.
        students (dict[str, Path]): Targets that take it as a student.
        options (dict[str, Any]): Arguments.
    """
    only_whole = [name for name in students if name not in TARGETS]
    if only_whole:
        raise UserError(f'{only_whole[0]} takes whole networks, and {file} is exported as a student: give '
                        'onnx')
    given = [name for name in WHOLE if options.get(name)]
    if given and 'onnx' in students:
        raise UserError(f'{_typed(given[0])} is for fine-tuned networks, and {file} is a student: leave it out')


def _typed(option: str) -> str:
    return '--' + option.replace('_', '-')
