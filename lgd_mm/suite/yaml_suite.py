"""A suite config as YAML: read as data alone, with paths from the file's own folder."""

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

from lgd_mm.api.configs import config_root
from lgd_mm.engine.settings import apply_options
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.inputs import check_config
from lgd_mm.io.yaml_values import count_values, without_merges
from lgd_mm.suite.definition import ROOT, Suite, check_known

ENDINGS = ('.yaml', '.yml')
#: Bytes of a file.
LIMIT = 1 << 20
#: Keys that name a file or folder, of the suite and of its entries and tasks; ``inputs`` is a list of such.
PATHS = ('work_dir', 'shapes_world', 'config', 'pretrain', 'student', 'data')


def load_yaml(path: str, options: Mapping[str, Any] | None, work_dir: str | None) -> Config:
    """Read a suite config in YAML as :func:`lgd_mm.engine.settings.load_config` reads one in Python.

    Args:
        path (str): The file.
        options (Mapping[str, Any], optional): Keys to overwrite.
        work_dir (str, optional): Goes before the file's own, which goes before the file's folder.

    Returns:
        Config: Relative paths are those from the file's folder, or else from the root of the repository.

    Raises:
        UserError: If it cannot be read, is no mapping, or has a key that no suite has.
    """
    check_config(path)
    try:
        content = yaml.safe_load(without_merges(read_plain(path, LIMIT)))
        count_values(content)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f'{path} cannot be read ({_reason(error)}): correct it, or write it anew') from error
    if not isinstance(content, dict):
        raise UserError(f'{path} is no suite: it must be keys with values (title: ..., entries: ..., tasks: ...)')
    known = [field.name for field in fields(Suite) if field.name != 'name']
    check_known(f'{path} has the key', content, known)
    cfg = Config({key: value for key, value in content.items() if value is not None})
    apply_options(cfg, options, path)
    folder = Path(path).resolve().parent
    for node in (cfg, *_mappings(cfg.get('entries')), *_mappings(cfg.get('tasks'))):
        for key in PATHS:
            if isinstance(node.get(key), str):
                node[key] = _from(folder, node[key])
        if isinstance(node.get('inputs'), list):
            node['inputs'] = [_from(folder, each) if isinstance(each, str) else each for each in node['inputs']]
    cfg.work_dir = work_dir or cfg.get('work_dir') or str(folder)
    return cfg


def _from(folder: Path, name: str) -> str:
    """A path that is relative to the folder of a file, or is that of a ready config."""
    given = Path(os.path.expanduser(name))  # unlike Path, it leaves a user that there is not
    ready = config_root().parent / given
    if (folder / given).exists() or not (ready.exists() or (ROOT / given).exists()):
        return str(folder / given)
    return str(ready) if ready.exists() else name


def _mappings(nodes: Any) -> list[Any]:
    return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []


def _reason(error: Exception) -> str:
    return getattr(error, 'strerror', None) or ' '.join(str(error).split()) or 'it is nested too deeply'
