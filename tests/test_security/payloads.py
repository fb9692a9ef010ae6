"""Files that would run, fetch or import something if what they hold were built, and the places they lie in."""

import contextlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

WEIGHTS = {'backbone.x': torch.zeros(1)}
STATISTICS = dict(mean=[0., 0., 0.], std=[1., 1., 1.])
CONVNEXT = dict(type='mmpretrain.ConvNeXt', arch=dict(depths=[1, 1, 1, 1], channels=[8, 8, 8, 8]))
RESNET = dict(type='mmpretrain.ResNet', depth=18, stem_channels=2, base_channels=2)
TIMM = dict(type='mmpretrain.TIMMBackbone', model_name='test_resnet')
#: Lies on the import path of the test, and touches the marker when it is imported.
PLANTED = 'planted_module'


class Canary:
    """Touches the marker when a pickle of it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.marker}', )


def backbones(marker: Path) -> dict[str, dict[str, Any]]:
    """Configs of backbones, by what they try."""
    call = dict(type='subprocess.check_output', args=['touch', str(marker)])
    weights = str(marker.with_name('evil.pkl'))
    return {
        'a function as an activation': dict(CONVNEXT, act_cfg=call),
        'a function as a normalisation': dict(RESNET, norm_cfg=call),
        'a function in a list': dict(RESNET, plugins=[dict(cfg=call, stages=(True, ) * 4, position='after')]),
        'a function as the backbone': call,
        'a module beside': dict(type=f'{PLANTED}.Network'),
        'a module beside, as a scope': dict(RESNET, _scope_=PLANTED),
        "a module beside, as timm's normalisation": dict(TIMM, norm_layer=f'{PLANTED}.Norm'),
        'a network of the hub': dict(TIMM, model_name='hf-hub:evil/network', pretrained=True),
        'a folder as a network': dict(TIMM, model_name=f'local-dir:{marker.parent}', pretrained=True),
        "weights from an address, by timm's settings": dict(
            TIMM, pretrained=True, checkpoint_path=weights, cache_dir=str(marker.parent),
            pretrained_cfg=dict(url='https://example.org/evil.pth', hf_hub_id='evil/network', custom_load=True)),
        'weights from an address': dict(
            RESNET, init_cfg=dict(type='Pretrained', checkpoint='https://example.org/evil.pth')),
        'weights from a pickle': dict(RESNET, init_cfg=dict(type='Pretrained', checkpoint=weights)),
        'a key that is code': {**RESNET, f'x=1)\nimport os; os.system("touch {marker}")\ny=dict(z': 1},
        'a value that ends its quotation': dict(CONVNEXT, arch=f"'''\nimport os; os.system('touch {marker}')\n'''"),
        'a variable of configs': dict(CONVNEXT, arch='{{ $HOME:/x }}'),
        'a type that is a list': dict(type=['subprocess.check_output'], args=['touch', str(marker)]),
        'no type': dict(depth=18),
        'a model that is no backbone': dict(type='lgd_mm.OpenCLIPTeacher', model='RN50', pretrained='openai'),
        'a network of a terabyte': dict(RESNET, base_channels=60_000),
        'a number of a million digits': dict(RESNET, depth=10**300),
        'layers without end': dict(CONVNEXT, arch=dict(depths=[9_000, 1, 1, 1], channels=[8, 8, 8, 8])),
        'a dict within a dict': nested(RESNET, 400),
    }


def nested(config: dict[str, Any], times: int) -> dict[str, Any]:
    """A config within itself."""
    for _ in range(times):
        config = dict(RESNET, norm_cfg=config)
    return config


def texts(marker: Path) -> dict[str, str]:
    """Texts of configs that do something when they are run."""
    model = repr(dict(type='FasterRCNN', backbone=RESNET, data_preprocessor=STATISTICS))
    touch = f'os.system("touch {marker}")'
    library = 'default_scope = "mmpretrain"'
    return {
        'statements': f'import os\n{touch}\nmodel = {model}\ndefault_scope = "mmdet"\n',
        'a call in a value': f'import os\n{library}\nmodel = dict(x=[{touch}])\n',
        'custom_imports': f'custom_imports = dict(imports=[{PLANTED!r}])\nmodel = {model}\ndefault_scope = "mmseg"\n',
        'a base': f'_base_ = [{str(marker.with_name("base.py"))!r}]\nmodel = {model}\ndefault_scope = "mmdet"\n',
        'a scope': f'default_scope = {PLANTED!r}\nmodel = {model}\n',
        'a collate function': f'default_scope = "mmdet"\nmodel = {model}\ntest_dataloader = dict(dataset=dict(type='
                              f'"CocoDataset", pipeline=[]), collate_fn="{PLANTED}.collate")\n',
        'a step of the pipeline': 'default_scope = "mmdet"\nmodel = dict(type="FasterRCNN")\ntest_dataloader = dict('
                                  f'dataset=dict(type="CocoDataset", pipeline=[dict(type="{PLANTED}.Step")]))\n',
        'an operator': f'default_scope = "mmdet"\nmodel = dict(type="FasterRCNN", test_cfg=dict(rcnn=dict(nms=dict('
                       f'type="__import__(\'os\').system(\'touch {marker}\')"))))\n',
        'a visualizer': f'default_scope = "mmdet"\nmodel = {model}\nvisualizer = dict(type="{PLANTED}.Visualizer")\n',
        'a teacher': f'{library}\nmodel = dict(type="lgd_mm.LGD", backbone={RESNET!r}, neck=dict(type='
                     f'"{PLANTED}.Neck"), teacher=dict(type="subprocess.check_output", args=["touch", "{marker}"]))\n',
        'no Python': ') os.system(',
    }


def teachers(marker: Path) -> dict[str, Any]:
    """Configs of teachers, by what they try."""
    return {
        'a function': dict(type='subprocess.check_output', args=['touch', str(marker)]),
        'a module beside': dict(type=f'{PLANTED}.Teacher'),
        'a model of the hub': dict(type='lgd_mm.OpenCLIPTeacher', model='hf-hub:evil/model'),
        'an address': dict(type='lgd_mm.OpenCLIPTeacher', model='RN50', pretrained='https://example.org/evil.pt'),
        'a backbone with a function': dict(type='lgd_mm.BackboneTeacher', backbone=backbones(marker)[
            'a function as an activation']),
        'a backbone of the hub': dict(
            type='lgd_mm.BackboneTeacher', backbone=backbones(marker)['a network of the hub']),
        'a cache of itself': dict(type='lgd_mm.CachedTeacher', cache=str(marker.parent)),
        'no teacher': ['x'],
    }


def write_student(file: Path, backbone: Any) -> None:
    """``student.safetensors``."""
    meta = dict(STATISTICS, backbone=backbone, image_size=32, teacher=None, vocabulary_digest=None, lgd_mm='1',
                iteration=1)
    save_file(WEIGHTS, file, metadata={'format': 'pt', **{key: json.dumps(value) for key, value in meta.items()}})


def write_pth(file: Path, backbone: Any) -> None:
    """``student.pth``."""
    torch.save(dict(meta=dict(STATISTICS, backbone=backbone, image_size=32, vocabulary_digest=None, iteration=1),
                    state_dict=WEIGHTS), file)


def write_checkpoint(file: Path, text: str) -> None:
    """A checkpoint of a training, with everything that one has."""
    meta = dict(cfg=text, config=text, iter=1, epoch=1, seed=0, dataset_meta=dict(classes=('a', ), palette=[(0, 0, 0)]))
    torch.save(dict(meta=meta, state_dict=WEIGHTS, optimizer={}, message_hub=dict(runtime_info=dict(cfg=text)),
                    param_schedulers=[]), file)


def write_reader(file: Path, task: Any, vocabulary: str) -> None:
    """A student of vision and language, or a checkpoint of its distillation."""
    transformer = dict(region_width=14, width=8, depth=1, heads=1)
    model = dict(type='lgd_mm.VisionLanguageModel', vocabulary=vocabulary, transformer=transformer, task=task)
    words = torch.tensor(list(b'[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na'), dtype=torch.uint8)
    state = {'transformer.words.weight': torch.zeros(6, 8), 'vocabulary.content': words}
    seen = dict(lengths=[8, 4, 4], regions=dict(detector=dict(config='', weights=''), tags=['a'], width=8, most=4,
                                                grid=None, boxes=None))
    if file.suffix == '.safetensors':
        save_file(state, file, metadata=dict(format='pt', kind='lgd_mm.VisionLanguageModel', model=json.dumps(model),
                                             trained_on=json.dumps(seen)))
        return
    text = f'model = {dict(type="lgd_mm.DistillVLM", student=model, teacher=task)!r}\ndefault_scope = "mmpretrain"\n'
    torch.save(dict(meta=dict(cfg=text, dataset_meta=seen), state_dict={
        f'student.{key}': value for key, value in state.items()}), file)


def files(marker: Path, folder: Path) -> dict[str, Path]:
    """Every payload, in every form that a file of weights has, by a name."""
    made: dict[str, Path] = {}

    def place(name: str, suffix: str) -> Path:
        made[name] = folder / f'{len(made)}{suffix}'
        return made[name]

    for name, backbone in backbones(marker).items():
        write_student(place(f'{name}, student.safetensors', '.safetensors'), backbone)
        write_pth(place(f'{name}, student.pth', '.pth'), backbone)
        text = f'default_scope = "mmpretrain"\nmodel = {dict(backbone=backbone, data_preprocessor=STATISTICS)!r}\n'
        write_checkpoint(place(f'{name}, checkpoint', '.pth'), text)
    for name, text in texts(marker).items():
        write_checkpoint(place(f'{name}, text in a checkpoint', '.pth'), text)
    for suffix in ('.safetensors', '.pth'):
        write_reader(place(f'a task beside{suffix}', suffix), dict(type=f'{PLANTED}.Task'), 'vocab.txt')
    write_reader(place('words from an address', '.safetensors'), dict(type='lgd_mm.VLCaptioning'),
                 'https://example.org/vocab.txt')
    torch.save(dict(meta={}, state_dict=WEIGHTS, trap=Canary(marker)), place('a pickle', '.pth'))
    return made


def write_run(folder: Path, file: Path, marker: Path) -> Path:
    """The folder of a run: a checkpoint with its pointer, and configs that do something when they are run."""
    folder.mkdir(parents=True)
    if file.suffix == '.safetensors':
        (folder / 'student.safetensors').write_bytes(file.read_bytes())
    else:
        (folder / 'epoch_1.pth').write_bytes(file.read_bytes())
        (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
        with contextlib.suppress(pickle.UnpicklingError):
            cfg = torch.load(file, weights_only=True)['meta'].get('cfg')
            if cfg is not None:
                (folder / 'resolved_config.py').write_text(cfg)
    evil = f'import os\nos.system("touch {marker}")\ndefault_scope = "mmdet"\nmodel = dict(type="FasterRCNN")\n'
    (folder / 'task.py').write_text(evil)
    if not (folder / 'resolved_config.py').is_file():
        (folder / 'resolved_config.py').write_text(evil)
    return folder
