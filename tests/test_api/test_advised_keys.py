"""What our own sentences and pages tell people to set can be set."""

import ast
import re

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from lgd_mm.api.configs import ready_config
from lgd_mm.api.overrides import _check
from lgd_mm.engine import settings
from lgd_mm.errors import UserError

ROOTS = ('env_cfg', 'model', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'optim_wrapper', 'default_hooks',
         'train_cfg', 'randomness', 'auto_scale_lr', 'find_unused_parameters', 'model_wrapper_cfg')
KEY = re.compile(rf'(?<![\w./])(?:{"|".join(ROOTS)})(?:\.(?!safetensors)\w+)+(?![\w(])')
#: Each key must fit one of them.
CONFIGS = ('lgd/r18_pretrain.py', 'lgd/r18_cached_pretrain.py', 'lgd/timm_pretrain.py',
           'coco/mask-rcnn_r18_fpn_1x_coco.py', 'classification/linear_r18_folder.py',
           'classification/knn_r18_folder.py', 'classification/zero-shot_r18_imagenet.py',
           'ade20k/upernet_r18_80k_ade20k-512x512.py', 'baselines/mimicking_r18_pretrain.py',
           'lgd/r18_mobilenetv2_pretrain.py', 'baselines/seed-dino_r18_pretrain.py',
           'shapes/zero-shot-segmentation_r18-slim_shapes.py', 'shapes/caption_distill-vlm_shapes.py',
           'shapes/caption_student_shapes.py')


def texts(file):
    """What a file of ours says: strings but docstrings of code, and commands of pages."""
    content = file.read_text(encoding='utf-8')
    if file.suffix == '.md':
        return re.findall(r'`[^`]+`|^    .*$|(?<=```bash\n)[^`]+', content, re.M)
    tree = ast.parse(content)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree)
                  if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))}
    return [node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings]


@pytest.fixture(scope='module')
def advised(pytestconfig):
    """Key -> the file that names it."""
    root = pytestconfig.rootpath
    files = [*root.glob('lgd_mm/**/*.py'), *root.glob('tools/*.py'), *root.glob('docs/*.md'), root / 'README.md']
    return {key: file.name for file in files for text in texts(file) for key in KEY.findall(text)}


def test_keys_that_we_advise_are_taken(advised):
    assert {'env_cfg.dist_cfg.timeout', 'optim_wrapper.accumulative_counts', 'train_dataloader.num_workers',
            'randomness.seed'} <= set(advised)
    configs = [Config.fromfile(ready_config(name)) for name in CONFIGS]
    refused = []
    for key, where in advised.items():
        if not any(taken(cfg, key) for cfg in configs):
            refused.append(f'{where}: {key}')
    assert refused == []


def taken(cfg, key):
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmengine')):
        try:
            _check(cfg._cfg_dict, key.split('.'), None, at='')
        except UserError:
            return False
    return True


def test_tools_take_it_too(tmp_path):
    cfg = settings.load_config(str(ready_config(CONFIGS[0])), {'env_cfg.dist_cfg.timeout': 600}, str(tmp_path), 'none')
    assert cfg.env_cfg.dist_cfg == dict(backend='nccl', timeout=600)


@pytest.mark.parametrize(('key', 'near'), [('env_cfg.dist_cfg.timout', 'timeout'), ('env_cfg.mp_cfg.start', 'mp_start'),
                                           ('env_cfg.dist_cgf.timeout', 'dist_cfg')])
def test_misspelt_keys_of_processes_are_told(key, near):
    cfg = Config.fromfile(ready_config(CONFIGS[0]))
    with pytest.raises(UserError, match=f'there is no key {key.rpartition(".")[0] if "cgf" in key else key}; .*{near}'):
        _check(cfg._cfg_dict, key.split('.'), 1, at='')
