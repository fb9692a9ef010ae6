"""What a config that came in a file may build: parts that the libraries register, of plain data.

A registry imports whatever module a dotted name begins with, and calls what it finds there. So a config that came in a
checkpoint, a student, a cache or the folder of a run is never built as it is: :func:`checked` goes first. What a user
names as a config is a program, and trusted.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import mmengine.registry as registries
from mmengine.registry import Registry

from lgd_mm.errors import UserError
from lgd_mm.safety.allowed_packages import EXCEPT, EXCEPT_CLASSES, KINDS, VISION_LANGUAGE, Kind
from lgd_mm.safety.config_numbers import LARGEST_PLAIN, LONGEST, Numbers
from lgd_mm.safety.timm_weights import local_weights

#: Libraries whose registries are asked, mmengine's for all of them.
SCOPES = ('mmengine', 'mmpretrain', 'mmdet', 'mmseg', 'lgd_mm')


#: Where weights would come from: those of the file itself are taken.
WEIGHTS = ('init_cfg', 'pretrained', 'checkpoint_path', 'pretrained_cfg', 'pretrained_cfg_overlay', 'cache_dir')
#: Where a data set or metric would read or write elsewhere than on this machine, or what nobody asked for.
ELSEWHERE = ('backend_args', 'file_client_args', 'outfile_prefix', 'output_dir', 'format_only', 'proposal_file',
             'collect_dir')
#: Of a model of vision and language: files of words, one on each line, and where its weights would come from.
LINES, BEGINNINGS = ('vocabulary', 'answers'), ('bert', 'weights')
#: Keys of words that somebody wrote: names and prompts.
WORDS = ('categories', 'templates', 'classes', 'CLASSES')
#: What a user's own classes derive from, by kind.
OWN_BASES = dict(teacher='lgd_mm.models.teachers.base.Teacher', network='lgd_mm.models.distiller.Distiller',
                 backbone='mmpretrain.models.backbones.base_backbone.BaseBackbone')
#: mmengine's key for the library of a part and all in it.
SCOPE = '_scope_'
#: mmcv's operators that a detector names, which are in no registry, by the key they stand under.
OPERATORS = dict(nms=('nms', 'soft_nms', 'nms_match', 'nms_rotated'),
                 roi_layer=('RoIAlign', 'RoIPool', 'RoIAlignRotated', 'DeformRoIPool', 'ModulatedDeformRoIPool'))
#: Endings of files that are run, or may run something, when they are read; alone they name a reader of such files.
PROGRAMS = ('py', 'pkl', 'pickle', 'yml', 'yaml', 'npy', 'so')

KEY = re.compile(r'[A-Za-z][\w\-]*', re.ASCII)
TYPE = re.compile(r'(?:(?P<scope>[A-Za-z]\w*)\.)?(?P<name>[A-Za-z]\w*)', re.ASCII)
#: A name of a variant: no dotted name, no path, no address, no program; ``regnetx_1.6gf`` is one.
VARIANT = re.compile(r'(?:[\w\- ]|(?<=\d)\.(?=\d))*', re.ASCII)
TIMM = re.compile(r'[A-Za-z]\w*(?:\.\w+)?', re.ASCII)

#: The deepest nesting, and the most values of a config.
DEEPEST, MOST = 24, 20_000


def checked(config: Any, kind: str, source: object, key: str, scope: str | None = None) -> dict[str, Any]:
    """A config that came in a file, once all that it would build is on the list.

    Args:
        config (Any): As it was read.
        kind (str): Of :data:`KINDS`.
        source (object): The file, for messages.
        key (str): Of the config in the file, for messages.
        scope (str, optional): Library of the types that name none. Defaults to mmpretrain.

    Returns:
        dict[str, Any]: A copy of it, without the files and addresses that weights would be taken from.

    Raises:
        UserError: If it is no config of that kind; names the file, the key and what is there.
    """
    if not isinstance(config, Mapping) or 'type' not in config:
        raise UserError(f'{source}: {key} is {_told(config)}, where the config of a {kind} should be: the file is '
                        'damaged or of another program')
    check = _Check(KINDS[kind], kind, str(source), scope or 'mmpretrain')
    result: dict[str, Any] = check.value(config, key, 0)
    return result


def plain(value: Any, source: object, key: str) -> Any:
    """A copy of what came in a file, once it is nothing but plain data; it is not to be built.

    Raises:
        UserError: If it is something else; names the file and the key.
    """
    return _Check(None, 'value', str(source), 'mmengine').value(value, key, 0)


class _Check:
    """Goes through one config."""

    def __init__(self, kind: Kind | None, called: str, source: str, scope: str) -> None:
        self.kind, self.called, self.source, self.scope = kind, called, source, scope
        self.seen = 0
        self.numbers = Numbers(called, called in ('dataset', 'metric'))

    def refuse(self, key: str, value: Any, reason: str) -> UserError:
        return UserError(f'{self.source}: {key} is {_told(value)}, {reason}')

    def value(self, value: Any, key: str, depth: int) -> Any:
        self.seen += 1
        if depth > DEEPEST or self.seen > MOST:
            raise UserError(f'{self.source}: {key} lies too deep or has too many values for a config: the file is '
                            'damaged or of another program')
        if isinstance(value, Mapping):
            return self.mapping(value, key, depth)
        if isinstance(value, (list, tuple)):
            if len(value) > LONGEST and not self.numbers.images and all(type(item) is int for item in value):
                raise self.refuse(key, value, f'of {len(value):,} numbers: no {self.called} has as many')
            return type(value)(self.value(item, f'{key}.{index}', depth + 1) for index, item in enumerate(value))
        if isinstance(value, str):
            return self.string(value, key)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            fault = self.numbers.fault(value, key) if self.kind is not None else None
            if self.kind is None and isinstance(value, int) and abs(value) > LARGEST_PLAIN:
                fault = f'more than {LARGEST_PLAIN:,}'
            if fault:
                raise self.refuse(key, value, fault)
            return value
        raise self.refuse(key, value, 'which is no plain data: a config in a file has numbers, words, lists and dicts')

    def mapping(self, node: Mapping[Any, Any], key: str, depth: int) -> dict[str, Any]:
        for name in node:
            if not isinstance(name, str) or not (KEY.fullmatch(name) or name == SCOPE):
                raise UserError(f'{self.source}: {key} has the key {_told(name)}, which is no name of a setting: the '
                                'file is damaged or of another program')
        if self.kind is None:
            return {name: self.value(item, f'{key}.{name}', depth + 1) for name, item in node.items()}
        outer = self.scope
        self.scope = node.get(SCOPE, outer)
        if self.scope not in SCOPES:
            raise self.refuse(f'{key}.{SCOPE}', self.scope, f'which is none of {", ".join(SCOPES)}')
        try:
            return self.settings(node, key, depth)
        finally:
            self.scope = outer

    def settings(self, node: Mapping[str, Any], key: str, depth: int) -> dict[str, Any]:
        """The settings of a part, or of many."""
        own = self.own_type(node, key, top=not depth) if 'type' in node else None
        kept: dict[str, Any] = {}
        for name, item in node.items():
            below = f'{key}.{name}'
            if name in ('type', SCOPE):
                kept[name] = item
            elif own is not None and name in (*LINES, *BEGINNINGS) and _within(own, VISION_LANGUAGE):
                kept |= {name: self.file(item, below)} if name in LINES else {}
            elif name == 'teacher' and self.called == 'network' and not _within(own, VISION_LANGUAGE):
                kept[name] = checked(item, 'teacher', self.source, below, self.scope)
            elif own is not None and own.__name__ == 'TIMMBackbone' and name == 'model_name':
                kept[name] = self.timm(item, below)
            elif name in WEIGHTS:
                kept |= self.weights(own, name, item, below)
            elif name == 'backbone' and own is not None and own.__name__ == 'BackboneTeacher':
                kept[name] = checked(item, 'backbone', self.source, below, self.scope)
                if isinstance(item, Mapping) and item.get('pretrained') is True and 'model_name' in item:
                    kept[name] |= _at_hand(item['model_name'])
            elif name in ELSEWHERE and self.called in ('dataset', 'metric'):
                continue
            elif name in WORDS:
                kept[name] = self.words(item, below, depth + 1)
            elif isinstance(item, str) and (name == 'norm_layer' or name.endswith('_fn')):
                kept[name] = self.registered(item, below, top=False) and item
            elif isinstance(item, str) and name == 'class_weight':
                raise self.refuse(below, item, 'a file of weights: give the config of the run by its path')
            else:
                kept[name] = self.value(item, below, depth + 1)
        if not depth and own is not None and self.called in ('metric', 'teacher'):
            self.arguments(own, kept, key)
        return kept

    def arguments(self, own: Any, given: Mapping[str, Any], key: str) -> None:
        """Whether a class takes what a config gives; a teacher that only lends its name may lack something."""
        signature = inspect.signature(own)
        try:
            (signature.bind if self.called == 'metric' else signature.bind_partial)(
                **{name: value for name, value in given.items() if name not in ('type', SCOPE)})
        except TypeError as error:
            raise self.refuse(key, given, f'which {given["type"]} cannot be built of ({error}): the file is damaged or '
                              'of another program') from error

    def weights(self, own: Any, name: str, item: Any, key: str) -> dict[str, Any]:
        """What is kept of a key that says where weights come from."""
        if name == 'pretrained' and self.called == 'teacher' and own is not None:
            return {name: self.string(item, key) if isinstance(item, str) else None}  # a tag of open_clip, or a file
        return {name: False} if name == 'pretrained' and own is not None and own.__name__ == 'TIMMBackbone' else {}

    def own_type(self, node: Mapping[str, Any], key: str, top: bool) -> Any:
        """The class of a ``type``."""
        name = node['type']
        if isinstance(name, str) and name in OPERATORS.get(key.rpartition('.')[2], ()):
            return None
        return self.registered(name, f'{key}.type', top)

    def registered(self, name: Any, key: str, top: bool) -> Any:
        assert self.kind is not None
        found = list(_registered(name, self.scope, self.kind.registries)) if isinstance(name, str) else []
        packages = self.kind.own if top else self.kind.parts
        names = self.kind.names
        if not found or not all((_within(item, packages) and (not names or item.__name__ in names))
                                or (top and _ones_own(item, self.called)) for item in found):
            raise self.refuse(key, name, f'which is not in the list of what the {self.called} of a file may be made of '
                              '(docs/security.md): a file is data, and names no other code')
        return found[0]

    def timm(self, name: Any, key: str) -> str:
        import timm  # takes a second
        if not isinstance(name, str) or not TIMM.fullmatch(name) or not timm.is_model(name.partition('.')[0]):
            raise self.refuse(key, name, 'which is no name of timm: a file names no other networks')
        return name

    def words(self, value: Any, key: str, depth: int) -> Any:
        """Names and prompts: any text that no config takes for a variable."""
        if isinstance(value, str):
            if '{{' in value:
                raise self.refuse(key, value, 'where a config would take the braces for a variable')
            return value
        if isinstance(value, (list, tuple)):
            return type(value)(self.words(item, f'{key}.{index}', depth + 1) for index, item in enumerate(value))
        return self.value(value, key, depth)

    def string(self, value: str, key: str) -> str:
        if self.kind is None:
            return self.words(value, key, 0)
        if not self.kind.paths:
            if not VARIANT.fullmatch(value):
                raise self.refuse(key, value, f'which is no name of a variant: a {self.called} of a file names no '
                                  'files, addresses or code')
            return value
        return self.file(value, key)

    def file(self, value: Any, key: str) -> str:
        """The path of a file of data, or any other word."""
        if not isinstance(value, str) or '://' in value or '{{' in value or not value.isprintable() or (
                value.lower().rpartition('.')[2] in PROGRAMS):
            raise self.refuse(key, value, 'which is no file of data on this machine: a file names no addresses or '
                              'programs')
        return value


def _registered(name: str, scope: str, roots: tuple[str, ...]) -> Iterator[Any]:
    """What registries hold under a name, without importing anything by it."""
    parts = TYPE.fullmatch(name)
    if parts is None:
        return
    if scope == 'mmpretrain' or parts['scope'] == 'mmpretrain':
        from mmpretrain.registry import BATCH_AUGMENTS
        if 'MODELS' in roots and parts['name'] in BATCH_AUGMENTS.module_dict:
            yield BATCH_AUGMENTS.module_dict[parts['name']]
    for root in (getattr(registries, each) for each in roots):
        for node in _nodes(root, parts['scope'] or scope):
            if parts['name'] in node.module_dict:
                yield node.module_dict[parts['name']]
                break


def _nodes(root: Registry, scope: str) -> Iterator[Registry]:
    """A library's own registry, then mmengine's; the library is imported, and no other."""
    if scope in SCOPES:
        if scope != 'mmengine':
            import_module(f'{scope}.registry')
        child = root.children.get(scope)
        if child is not None:
            child.import_from_location()
            yield child
        root.import_from_location()
        yield root


def _within(item: Any, packages: tuple[str, ...]) -> bool:
    """Whether a class, or a function that collates, comes from packages on the list."""
    if not isinstance(item, type) and item not in registries.FUNCTIONS.module_dict.values():
        return False
    module = f'{item.__module__}.'
    inside = [any(module.startswith(f'{package}.') for package in some) for some in (packages, EXCEPT)]
    return inside == [True, False] and item.__name__ not in EXCEPT_CLASSES


def _ones_own(item: Any, kind: str) -> bool:
    """Whether a user's own program has registered a class of that kind: it is imported, and what it says it is."""
    if not isinstance(item, type) or item.__module__.split('.')[0] in (*SCOPES, 'torch', 'mmcv'):
        return False
    return any(f'{base.__module__}.{base.__qualname__}' == OWN_BASES.get(kind) for base in item.__mro__)


def _at_hand(model_name: str) -> dict[str, Any]:
    """The settings of timm that take a network's weights from this machine: a file fetches nothing."""
    file = local_weights(model_name)
    return dict(pretrained=True, pretrained_cfg_overlay=dict(file=str(file))) if file else dict(pretrained=False)


def _told(value: Any) -> str:
    if type(value) is int and value.bit_length() > 256:  # Python itself refuses to write thousands of digits
        return f'a number of {value.bit_length():,} bits'
    text = repr(value) if isinstance(value, (str, int, float, bool, type(None))) else f'a {type(value).__name__}'
    return text if len(text) <= 80 else f'{text[:80]}...'
