"""What the sources of everything on the list read, run and fetch: a new reader comes here with its reason, or onto
EXCEPT."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.safety.allow_list import checked
from lgd_mm.safety.allowed_packages import EXCEPT, KINDS, METRIC_CLASSES

#: Modules that run or fetch; calls that read what may be a pickle, run what a string says, or wait for a pipe.
MODULES = ('pickle', 'subprocess', 'requests', 'urllib', 'importlib', 'shelve', 'marshal', 'dill', 'joblib', 'socket',
           'cloudpickle', 'http', 'yaml', 'huggingface_hub', 'ctypes', 'runpy', 'lmdb', 'h5py', 'transformers', 'ldm',
           'omegaconf', 'dsdl', 'onedl', 'tarfile', 'clip')
CALLS = ('load', 'loads', 'eval', 'exec', 'import_module', '__import__', 'import_modules_from_strings', 'urlopen',
         'urlretrieve', 'from_pretrained', 'hf_hub_download', 'load_state_dict_from_url', 'load_url', 'read_pickle',
         'load_checkpoint', '_load_checkpoint', 'loadmat', 'loadtxt', 'genfromtxt', 'fromfile', 'download_url', 'popen',
         'instantiate_from_config', 'datafrombytes', 'Popen', 'system', 'check_call', 'check_output', 'open',
         'download_and_extract_archive')
#: Names that are looked up in a whole package.
WHOLE = re.compile(r'getattr\((?:ops|albumentations|iaa|torch|torchvision|mmcv|transforms)\b')
READS = re.compile(rf'(?<![\w.])(?:import|from) (?:{"|".join(MODULES)})\b|{WHOLE.pattern}'
                   rf'|(?<!\.)\beval\(|\b(?:{"|".join(set(CALLS) - {"eval"})})\(')

#: By what is read: why it does no harm.
REVIEWED = {
    # Strings never end in what mmengine would take for a pickle (PROGRAMS), and files of this machine are plain ones.
    'mmengine.load(self.ann_file)', 'load(self.ann_file)', 'mmengine.load(self.question_file)',
    'mmengine.load(self.split_file)', 'mmengine.load(conversation_path)',
    "mmengine.load(mmengine.join_path(self.data_prefix['img_path'], sample_id, 'data.json'))",
    # Left out of what a file says: proposal_file, pretrained, init_cfg; and class_weight is refused.
    'load(self.proposal_file, backend_args=self.backend_args)',
    'load_checkpoint(self, self.pretrained, strict=False, logger=logger)',
    "CheckpointLoader.load_checkpoint(self.init_cfg.checkpoint, logger=logger, map_location='cpu')",
    "CheckpointLoader.load_checkpoint(self.init_cfg['checkpoint'], logger=None, map_location='cpu')",
    "CheckpointLoader.load_checkpoint(self.init_cfg['checkpoint'], map_location='cpu')",
    "_load_checkpoint(self.init_cfg['checkpoint'], logger=None, map_location='cpu')",
    'np.load(class_weight)', 'load(class_weight)',
    # Of operators by their names alone, arrays without objects, mmseg's without pickles, and what was just written.
    'eval(nms_op)', 'getattr(ops, layer_type)', 'np.load(filename)', 'load(result_files[metric])',
    'pickle.loads(bytes)', 'datafrombytes(data_bytes, backend=self.decode_backend)',
    # Of a class on EXCEPT_CLASSES, and of torchvision's wrappers, which are no classes.
    'getattr(albumentations, obj_type)', "eval(f'torch.{t}')", 'getattr(torchvision.transforms, module_name)',
    # MATLAB's matrices are read by Python of numbers and words.
    'mat4py.loadmat(self.ann_file)', 'mat4py.loadmat(self.train_test_split_file)',
    # torch's own, JSON, and the name of the operating system.
    'json.loads(example)', 'platform.system()',
    'load(child, child_state_dict, child_prefix)', 'load(self, state_dict)',
    'import pickle',  # mmengine's data sets keep their own lists in one
}


@cache
def sources() -> dict[str, Path]:
    """The modules that the list lets through, with their files; of metrics those that are named."""
    found = {}
    for package in sorted({package for kind in KINDS.values() for package in kind.own + kind.parts}):
        spec = find_spec(package)
        top = Path((spec.submodule_search_locations or [spec.origin])[0])
        for file in sorted(top.rglob('*.py')) if top.is_dir() else [top]:
            inner = file.relative_to(top).with_suffix('').parts if top.is_dir() else ()
            module = '.'.join((package, *inner)).removesuffix('.__init__')
            if not any(f'{module}.'.startswith(f'{one}.') for one in EXCEPT) and not module.startswith('lgd_mm.'):
                found[module] = file
    named = re.compile(rf'^class (?:{"|".join(METRIC_CLASSES)})\b', re.MULTILINE)
    return {module: file for module, file in found.items()
            if '.evaluation.metrics' not in module or named.search(file.read_text(encoding='utf-8'))}


def readers(text: str) -> Iterator[str]:
    """The calls and imports of a source that read, run or fetch."""
    for node in ast.walk(ast.parse(text)) if READS.search(text) else ():
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            name = called.rpartition('.')[2]
            if (name in CALLS and not (name == 'eval' and '.' in called)) or WHOLE.match(ast.unparse(node)):
                yield ast.unparse(node)
        elif isinstance(node, ast.Import):
            yield from (f'import {one.name}' for one in node.names if one.name.partition('.')[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or '').partition('.')[0] in MODULES:
            yield ast.unparse(node)


#: Files of data sets that hold helpers alone, which no class on the list calls.
HELPERS = ('mmpretrain.datasets.utils', )


def test_what_is_on_the_list_reads_data_alone():
    found = {f'{module}: {read}' for module, file in sources().items() if module not in HELPERS
             for read in readers(file.read_text(encoding='utf-8')) if read not in REVIEWED}
    assert found == set()


def test_what_they_call_elsewhere_in_the_libraries_reads_data_alone():
    """Functions that the modules on the list have taken from other modules: mmseg's ``datafrombytes`` was one."""
    taken = {}
    for module in sources():
        if module.split('.')[0] in ('mmpretrain', 'mmdet', 'mmseg') and module in sys.modules:
            for item in vars(sys.modules[module]).values():
                home = getattr(item, '__module__', None) or ''
                if inspect.isfunction(item) and home.split('.')[0] in ('mmpretrain', 'mmdet', 'mmseg') \
                        and home not in sources() and not any(f'{home}.'.startswith(f'{one}.') for one in EXCEPT):
                    taken[f'{home}.{item.__name__}'] = item
    assert len(taken) > 50
    found = {f'{name}: {read}' for name, item in taken.items()
             for read in readers(inspect.cleandoc('\n' + inspect.getsource(item)))}
    assert found == set()


@pytest.fixture(scope='module', autouse=True)
def libraries():
    for name in ('mmpretrain', 'mmdet', 'mmseg'):
        for part in ('models', 'datasets', 'evaluation'):
            import_module(f'{name}.{part}')


@pytest.mark.parametrize('name', ['mmpretrain.RefCOCO', 'mmdet.RefCocoDataset', 'mmpretrain.COCORetrieval',
                                  'mmdet.DSDLDetDataset', 'mmseg.DSDLSegDataset', 'mmdet.ODVGDataset',
                                  'mmdet.ReIDDataset', 'mmpretrain.OneDL', 'mmdet.OneDLDataset'])
def test_data_sets_that_read_more_than_data(name):
    with pytest.raises(UserError, match=f"dataset.type is '{name}', which is not in the list"):
        checked(dict(type=name, data_root='/x'), 'dataset', 'file', 'dataset')


@pytest.mark.parametrize('step', ['LoadBiomedicalImageFromFile', 'LoadBiomedicalAnnotation', 'LoadBiomedicalData',
                                  'LoadDepthAnnotation'])
@pytest.mark.parametrize('backend', ['pickle', 'Pickle', 'pkl', 'x.pkl'])
def test_pickles_that_a_step_of_a_pipeline_asks_for(step, backend):
    data = dict(type='mmseg.BaseSegDataset', pipeline=[dict(type=f'mmseg.{step}', decode_backend=backend)])
    with pytest.raises(UserError, match='^file: dataset.pipeline.0.decode_backend is .*names no addresses'):
        checked(data, 'dataset', 'file', 'dataset')
    data['pipeline'][0]['decode_backend'] = 'numpy'
    assert checked(data, 'dataset', 'file', 'dataset') == data


@pytest.mark.parametrize('name', ['pkl', 'pickle', 'yaml', 'PKL', 'x/y.pickle'])
def test_a_list_that_mmengine_would_take_for_a_pickle(name):
    with pytest.raises(UserError, match='dataset.ann_file is'):
        checked(dict(type='mmdet.CocoDataset', ann_file=name), 'dataset', 'file', 'dataset')


def test_arrays_of_mmseg_are_no_pickles(tmp_path):
    import io
    import pickle

    import mmseg.datasets.transforms.loading as loading
    import mmseg.utils
    import numpy as np

    content = io.BytesIO()
    np.save(content, np.arange(3))
    for decode in (loading.datafrombytes, mmseg.utils.datafrombytes, mmseg.utils.io.datafrombytes):
        assert decode(content.getvalue()).tolist() == [0, 1, 2]
        with pytest.raises(UserError, match="decode_backend='pickle' would run"):
            decode(pickle.dumps(1), 'pickle')
    (tmp_path / 'a.png').write_bytes(pickle.dumps(np.zeros((2, 2))))
    with pytest.raises(UserError, match="decode_backend='pickle' would run"):
        loading.LoadBiomedicalAnnotation(decode_backend='pickle').transform(
            dict(seg_map_path=str(tmp_path / 'a.png'), seg_fields=[]))
