"""The network that saw the regions a student was trained on, and no other one: what it sees means something else."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope

from lgd_mm.console.words import some
from lgd_mm.engine.regions.checkpoint import DetectorFile, read_detector
from lgd_mm.engine.regions.detector import DetectorRegions
from lgd_mm.engine.regions.grid import GridRegions
from lgd_mm.engine.regions.source import ready
from lgd_mm.engine.settings import load_config
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.prediction.network import find_checkpoint
from lgd_mm.safety.bounded_build import check_network
from lgd_mm.safety.config_text import parse_config
from lgd_mm.safety.saved_config import saved_network
from lgd_mm.vision_language.student import Student


def detector_of(student: Student, detector: str | Path | None,
                config: str | Path | None) -> DetectorRegions | GridRegions:
    """Load the network whose regions a student was trained on.

    Args:
        student (Student): The student.
        detector (str | Path, optional): Folder of a detector's training, or a checkpoint of it; of a student that reads
            the cells of a grid, a student's file, or None for the teacher of ``config``.
        config (str | Path, optional): The config that the regions were extracted with. None: that in the checkpoint,
            or in the student's file.

    Returns:
        DetectorRegions | GridRegions: On the device that there is.

    Raises:
        UserError: If it is missing, cannot be used, or is another one.
    """
    seen = student.trained_on.regions
    if seen.boxes is not None:
        raise UserError(f"{student.path} was trained on features in another detector's boxes, and so needs two "
                        'detectors: give a student that was trained on those of one')
    if seen.grid:
        if detector is None and config is None:
            raise UserError(f'{student.path} reads {seen.grid} x {seen.grid} cells of a backbone: give as the detector '
                            'the student whose backbone it was, or as config that of the teacher')
        cfg = load_config(str(config), None, None, 'none') if config else Config(dict(model={}))
        source: DetectorFile | GridRegions = GridRegions(
            cfg, str(config or detector), None if detector is None else str(find_checkpoint(detector)), seen.grid)
    else:
        if detector is None:
            raise UserError(f'{student.path} reads regions of a detector ({some(seen.tags)}): give the detector that '
                            'it was trained with')
        cfg, source = _read(find_checkpoint(detector), config, seen.with_map)
        if source.tags != seen.tags:
            raise UserError(f'{source.path} detects {some(source.tags)}, and {student.path} was trained on regions of '
                            f'{some(seen.tags)}: give the detector of these')
    _check_same(student, source.detector, str(config if detector is None else detector))
    scope = cfg.get('default_scope', 'mmdet')
    if config is None and isinstance(source, DetectorFile):
        check_network(cfg.model, scope, source.state, source.path)
    with DefaultScope.overwrite_default_scope(scope):
        return ready(source, cfg, seen.most)


def _read(checkpoint: Path, config: str | Path | None, with_map: bool) -> tuple[Config, DetectorFile]:
    """A detector's checkpoint by a config, or by that in it, which is read as data."""
    if config is not None:
        cfg = load_config(str(config), None, None, 'none')
        return cfg, read_detector(cfg, str(config), str(checkpoint), with_map)
    content = load_checkpoint_file(checkpoint)
    meta = content.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    if not text:
        raise UserError(f'{checkpoint} does not hold the config of its detector: give as config the file that its '
                        'regions were extracted with')
    cfg = Config(saved_network(text, checkpoint))
    return cfg, read_detector(cfg, str(checkpoint), str(checkpoint), with_map, content, ConfigDict(parse_config(text)))


def _check_same(student: Student, found: Mapping[str, str], given: str) -> None:
    """Compare the digests of a network with those of the student's data."""
    wanted = student.trained_on.regions.detector
    if found['weights'] != wanted.weights:
        raise UserError(f'{given} is not the network whose regions {student.path} was trained on (SHA-256 of the '
                        f'weights {found["weights"][:12]}, and {wanted.weights[:12]}): give that one')
    if found['config'] != wanted.config:
        raise UserError(f'{given} has the weights of the network whose regions {student.path} was trained on, and '
                        'another config (sizes of images, thresholds, layers): give as config the file that its '
                        'regions were extracted with')
