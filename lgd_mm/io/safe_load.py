"""Checkpoint files are read here and nowhere else: data only, never code.

A pickle can run any code when it is loaded. torch's restricted loader refuses that, but mmengine answers the refusal by
loading the file unrestrictedly, and its list of allowed names has ``getattr``, which reaches every module. Both are
replaced: what is not plain data is an error.
"""

import io
import os
import re
from pathlib import Path
from typing import IO, Any

from lgd_mm.errors import DataError, UserError
from lgd_mm.io.contents import check_contents
from lgd_mm.io.files import open_plain
from lgd_mm.io.torch_files import check_beginning, check_file

# How torch's restricted loader says that a pickle wants more than plain data.
RUNS_CODE = re.compile(
    r'Unsupported global: GLOBAL (?P<used>\S+)|unsupported GLOBAL (?P<blocked>\S+)'
    r'|reduce for unrecognized function|Can only (?:build|create new object)|may not be called'
)

#: What torch's restricted loader found, behind its advice to load without it.
UNKNOWN = re.compile(r'WeightsUnpickler error:\s*([^\n]+)')

#: Parts of a checkpoint that have parts themselves.
PARTS = ('meta', 'state_dict', 'optimizer', 'message_hub')

#: Characters of a config in a checkpoint, and those outside of quoted texts, which cost time and memory when it is
#: read: 300,000 names take ten million and 600,000.
CONFIG = 2**24
CONFIG_PARTS = 2**20
#: A quoted text.
QUOTED = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
#: Entries and characters of what a safetensors file says about itself.
ENTRIES = 10_000
TEXT = 2**25


def load_checkpoint_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint from a file onto the CPU without running code from it.

    Args:
        path (str | PathLike): A ``torch.save`` file or a safetensors file (told by its content).

    Returns:
        dict: What the file holds; a safetensors file gives ``dict(meta=..., state_dict=...)``, with
            strings as its meta data.

    Raises:
        UserError: If the path is a URL, or the file is missing, cut off, not a checkpoint, or would run code.
    """
    if '://' in str(path):
        raise UserError(f'{path} is a URL, not a file: download it first and give the path of the file')
    checkpoint = safe_torch_load(path)
    if not isinstance(checkpoint, dict):
        raise DataError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint: name a file saved by training')
    for part in PARTS:  # of a checkpoint that was made smaller, some are None: they are not there
        if part in checkpoint and checkpoint[part] is None:
            del checkpoint[part]
    parts = {part: checkpoint[part] for part in PARTS if part in checkpoint}
    odd = next((part for part, value in parts.items() if not isinstance(value, dict)), None)
    if odd is not None:
        raise DataError(f'{path} is not a checkpoint, its {odd} is a {type(parts[odd]).__name__}: name a file saved by '
                        'training')
    names = [*checkpoint, *parts.get('state_dict', ())]
    if not all(isinstance(name, str) for name in names):
        raise DataError(f'{path} is not a checkpoint, its keys are not names: name a file saved by training')
    if not isinstance(parts.get('meta', {}).get('cfg', ''), str):
        raise DataError(f'{path} is not a checkpoint, its meta.cfg is not the text of a config: name a file saved by '
                        'training')
    _check_length(str(path), parts.get('meta', {}).get('cfg', ''))
    return checkpoint


def safe_torch_load(
    file: str | os.PathLike[str] | IO[bytes], map_location: Any = 'cpu', weights_only: bool | None = None
) -> Any:
    """Stands for mmengine's ``_safe_torch_load``: same arguments, but it never falls back to running code.

    Args:
        file (str | PathLike | IO): A path, or an open binary file.
        map_location (Any): As of ``torch.load``. Defaults to 'cpu'.
        weights_only (bool | None): Accepted for mmengine and always taken as True.

    Returns:
        Any: What the file holds.

    Raises:
        UserError: If the file is missing, cut off, not a checkpoint, or would run code.
    """
    import torch

    name = str(file) if isinstance(file, (str, os.PathLike)) else str(getattr(file, 'name', 'the checkpoint'))
    try:
        flat = isinstance(file, (str, os.PathLike)) and _is_safetensors(Path(file))
    except FileNotFoundError:
        raise UserError(f'{name} does not exist: check the path of the checkpoint') from None
    except OSError as error:
        raise DataError(f'{name} cannot be read: {error.strerror or error}') from error
    try:
        if flat:
            return _load_safetensors(name, map_location)
        if isinstance(file, (str, os.PathLike)):
            with open(file, 'rb') as plain:
                check_file(plain, name)
        else:
            check_file(file, name)
        with torch.serialization.safe_globals(allowed_types()):
            content = torch.load(file, map_location=map_location, weights_only=True)
        check_contents(content, name)
        return content
    except (MemoryError, UserError):
        raise
    except Exception as error:  # a damaged file raises nearly anything
        raise DataError(f'{name} {diagnosis(error)}') from error


def check_head(path: str | os.PathLike[str]) -> None:
    """See that a file begins as a checkpoint does, within milliseconds: torch is not imported, and no value is read.

    Args:
        path (str | PathLike): A file that is there.

    Raises:
        UserError: If it cannot be read, or is something else.
    """
    try:
        if _is_safetensors(Path(path)):
            from safetensors import safe_open
            with safe_open(path, framework='numpy'):
                return
        with open_plain(path) as file:
            check_beginning(file)
    except OSError as error:
        raise DataError(f'{path} cannot be read: {error.strerror or error}') from error
    except Exception as error:  # as above
        raise DataError(f'{path} {diagnosis(error)}') from error


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str] | None:
    """What a safetensors file says about itself, within milliseconds: torch is not imported.

    Args:
        path (str | PathLike): A file of weights.

    Returns:
        dict[str, str], optional: None of a file of another kind.

    Raises:
        UserError: If it cannot be read, is damaged, or says more than any training would.
    """
    check_head(path)
    if not _is_safetensors(Path(path)):
        return None
    from safetensors import safe_open
    with safe_open(path, framework='numpy') as file:
        return _metadata(file, str(path))


def _metadata(file: Any, path: str) -> dict[str, str]:
    meta: dict[str, str] = file.metadata() or {}
    length = sum(map(len, meta.values()))
    if len(meta) > ENTRIES or length > TEXT:
        raise DataError(f'{path} is not a checkpoint, its metadata has {len(meta):,} entries of {length:,} '
                        'characters: name a file saved by training')
    return meta


def _is_safetensors(path: Path) -> bool:
    with open_plain(path) as file:
        start = file.read(9)
    # Eight bytes of length, then a JSON object; a zip file and a pickle have other ninth bytes.
    return start[8:] == b'{' or (path.suffix == '.safetensors' and not start.startswith((b'PK', b'\x80')))


def too_long(config: str) -> bool:
    """Whether a text would take long to be parsed; no training has written it then.

    Args:
        config (str): As of ``mmengine.Config.pretty_text``.

    Returns:
        bool: Of its length, and of what is left when each quoted text counts for one character.
    """
    return len(config) > CONFIG or len(''.join(QUOTED.sub('_', config).split())) > CONFIG_PARTS


def _check_length(path: str, config: str) -> None:
    """Raise before a text is parsed that no training has written."""
    if too_long(config):
        raise DataError(f'{path} is not a checkpoint, its meta.cfg has {len(config):,} characters, more than any '
                        'config: name a file saved by training')


def _load_safetensors(path: str, map_location: Any) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework='pt', device=str(map_location or 'cpu')) as file:
        meta = _metadata(file, path)
        return dict(meta=meta, state_dict={key: file.get_tensor(key) for key in file.keys()})


def allowed_types() -> list[Any]:
    """mmengine's list for its own checkpoints, with ``getattr`` narrowed to what a ``HistoryBuffer`` needs of it.

    Added are numpy's other plain types, and the names that its two constructors have in files of numpy 1.
    """
    import numpy as np
    from mmengine.runner.checkpoint import get_torch_safe_globals

    allowed: list[Any] = []
    for item in get_torch_safe_globals():
        allowed.append((_statistic, 'builtins.getattr') if item is getattr else item)
        if getattr(item, '__module__', None) == 'numpy._core.multiarray':
            allowed.append((item, f'numpy.core.multiarray.{item.__name__}'))
    codes = np.typecodes['AllInteger'] + np.typecodes['AllFloat'] + '?SU'
    return allowed + [type(np.dtype(code)) for code in codes]


def _statistic(owner: Any, name: str) -> Any:
    from mmengine.logging import HistoryBuffer

    HistoryBuffer()  # the first one registers the statistics
    if owner is not HistoryBuffer or name not in HistoryBuffer._statistics_methods:
        raise ValueError(f'getattr may not be called for {name!r}')
    return HistoryBuffer._statistics_methods[name]


def diagnosis(error: Exception) -> str:
    text = str(error)
    found = RUNS_CODE.search(text)
    if found:
        used = found['used'] or found['blocked']
        what = f' ({used})' if used else ''
        return (
            f'would run code{what} when loaded and was refused: use a checkpoint that holds only tensors and plain data'
            ', such as the state_dict() of its network'
        )
    if isinstance(error, (EOFError, io.UnsupportedOperation)) or not text:
        text = 'it ends too early'
    if 'with TorchScript' in text or 'legacy .tar' in text:  # torch's advice is to run them
        return 'is a program or of the first versions of torch, no file of weights: give its state dict as .safetensors'
    unknown = UNKNOWN.search(text)
    reason = f'torch.save writes no such thing: {unknown[1]}' if unknown else text.splitlines()[0].rstrip('.')
    return f'is cut off or not a checkpoint ({reason}): copy or download it again'
