"""The report of a pre-training that has ended, or was ended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS, init_default_scope
from torch import nn

from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.engine.failures import user_errors
from lgd_mm.engine.settings import apply_options
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.report.pretraining import write_pretraining_report
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.safety.allow_list import plain
from lgd_mm.safety.bounded_build import check_network
from lgd_mm.safety.config_text import parse_config
from lgd_mm.safety.saved_config import read_config_text, read_saved_run


def report_work_dir(work_dir: str | Path, cfg_options: Mapping[str, Any] | None = None) -> Path:
    """Write ``report.html`` into a work dir, from its config, its logs and its latest checkpoint.

    The config is read as data (:mod:`lgd_mm.safety.saved_config`): nobody has named it as one.

    Args:
        work_dir (str | Path): Of a pre-training.
        cfg_options (Mapping[str, Any], optional): Keys to overwrite in its config. Defaults to None.

    Returns:
        Path: The file.

    Raises:
        UserError: If there is no run, its checkpoint is not of its config, or that names what no file may build.
    """
    configs = sorted(Path(work_dir).glob('*.py'), key=lambda path: path.stat().st_mtime_ns)
    if not configs:
        raise UserError(f'{work_dir} is no work dir of a run: it holds no config (*.py)')
    saved = configs[-1]
    cfg = Config({**plain(parse_config(read_config_text(saved)), saved, 'config'),
                  **read_saved_run(saved)})
    apply_options(cfg, cfg_options, str(saved))
    cfg.work_dir = str(work_dir)
    checkpoint = latest_checkpoint(str(work_dir))
    with user_errors(cfg, when_disk_is_full=''):
        return write_pretraining_report(work_dir, cfg, _model(cfg, checkpoint, saved) if checkpoint else None)


def _model(cfg: Config, checkpoint: Path, saved: Path) -> nn.Module:
    """The model as it was trained."""
    scope = cfg.get('default_scope', 'mmpretrain')
    init_default_scope(scope)
    weights = load_checkpoint_file(checkpoint).get('state_dict', {})
    for student in (cfg.model.get('students') or {'': cfg.model}).values():  # the teacher's size is not the file's
        if 'backbone' not in student:
            raise UserError(f'{saved} is of a model without a backbone, and this report is of those with one: python '
                            'tools/test.py CONFIG CHECKPOINT tests a model of vision and language')
        check_network(student['backbone'], scope, weights, saved)
    try:
        model: nn.Module = MODELS.build(cfg.model)
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f'the model of {checkpoint.parent} cannot be built ({error}): give the folder of a run that '
                        'this version of the libraries has trained') from error
    check_weights(model, weights, checkpoint)
    return model.to(get_device())
