"""Files of ``torch.save``, before torch reads them: of which form they are, and whether they hold what they promise."""

import mmap
import os
import pickle
import zipfile
from contextlib import suppress
from io import BytesIO
from typing import IO, Any

from lgd_mm.errors import DataError, UserError
from lgd_mm.io.pickle_calls import Calls

#: Begins a zip file for torch, whatever else Python's zipfile looks at.
ZIP = b'PK\x03\x04'
#: Begins a pickle of any protocol that holds a number, and stands at its place in a tar file.
PICKLES, TAR = (b'\x80', b'L'), (257, b'ustar')
#: Begins the older form, as a number in a pickle.
OLDER = 0x1950a86a20f9469cfc6c


def check_file(file: IO[bytes], name: str) -> None:
    """See that torch may read a file.

    Args:
        file (IO): Open, and left where it was.
        name (str): For messages.

    Raises:
        UserError: If it is a TorchScript archive, an exported program, compressed, of a form that torch no longer
            writes, or promises more than it holds.
        Exception: If it is damaged.
    """
    start = file.tell()
    try:
        zipped = file.read(len(ZIP)) == ZIP
        file.seek(start)
        (_check_zip if zipped else _check_older)(file, name)
    finally:
        file.seek(start)


def check_beginning(file: IO[bytes]) -> None:
    """See that a file begins as one of torch does, or is a whole zip file; what is in it is not looked at.

    Args:
        file (IO): Open, at its beginning.

    Raises:
        Exception: If it is damaged, or something else.
    """
    begins = file.read(TAR[0] + len(TAR[1]))
    if begins.startswith(ZIP):
        zipfile.ZipFile(file).close()
    elif not begins:
        raise EOFError
    elif not begins.startswith(PICKLES) and not begins.endswith(TAR[1]):
        raise ValueError('it begins as none')


def _check_zip(file: IO[bytes], name: str) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _refuse_programs([member.filename.partition('/')[2] for member in members], name)
        file.seek(0, os.SEEK_END)
        if (any(member.compress_type != zipfile.ZIP_STORED for member in members)
                or sum(member.file_size for member in members) > file.tell()):
            raise DataError(f'{name} is compressed, which torch.save does not do, and may grow to any size: write it '
                            'anew with torch.save, or give .safetensors')
        if min((member.header_offset for member in members), default=0):
            raise ValueError('something lies before it, or it has two tables of contents')
        if not any(member.CRC for member in members):  # torch was told to write none: there is nothing to compare
            for member in members:
                member.CRC = None  # type: ignore[assignment]
        damaged = archive.testzip()  # by its own checksums, which torch does not look at
        if damaged is not None:
            raise ValueError(f'{damaged} in it is not what was written')
        held = {member.filename.partition('/')[2]: member.file_size for member in members}
        for member in members:
            if member.filename.endswith('data.pkl'):
                calls = Calls(BytesIO(archive.read(member)), name)
                calls.load()
                if any(size > held.get(f'data/{key}', size) for key, size in calls.storages.items()):
                    raise _promises(name)


def _refuse_programs(parts: list[str], name: str) -> None:
    """Tell what torch would advise to load without restriction."""
    if 'constants.pkl' in parts or any(part.startswith('code/') for part in parts):
        raise DataError(
            f'{name} is a TorchScript archive, a program and no file of weights: give the same weights as '
            '.safetensors (open_clip_model.safetensors on huggingface.co for a CLIP teacher, which its tag '
            'downloads), or write them where the program may run, in a container without network: python -c '
            '"import torch; from safetensors.torch import save_file; save_file({k: v.clone().contiguous() for k, v '
            f"in torch.jit.load('{name}', 'cpu').state_dict().items()}}, 'weights.safetensors')\"")
    if any(part.endswith(('serialized_exported_program.json', 'models/model.json')) for part in parts):
        raise DataError(f'{name} is a program of torch.export and no file of weights: give its state dict as '
                        '.safetensors')


def _check_older(file: IO[bytes], name: str) -> None:
    """The form of before torch 1.6: five pickles, of which the fourth is the content, and the values."""
    start = file.tell()
    file.seek(start + TAR[0])
    if file.read(len(TAR[1])) == TAR[1]:
        raise DataError(f'{name} is in the form of the first versions of torch (tar), which cannot be read without '
                        'running what is in it: give its state dict as .safetensors')
    file.seek(start)
    whole = _mapped(file)
    if Calls(whole, name).load() != OLDER:
        return  # torch says so
    for _ in range(2):
        Calls(whole, name).load()
    calls = Calls(whole, name)
    calls.load()
    with suppress(AttributeError, EOFError, IndexError, KeyError, TypeError, ValueError, pickle.UnpicklingError):
        filled = Calls(whole, name).load()
        if not set(calls.storages) <= set(filled) or sum(calls.storages.values()) > _size(file):
            raise _promises(name)
        return
    raise EOFError  # the values are missing


def _mapped(file: IO[bytes]) -> Any:
    """What reads no more than there is, whatever it is asked for."""
    try:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        whole.seek(file.tell())
        return whole
    except (OSError, AttributeError):  # in memory already
        return BytesIO(file.read())


def _size(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)


def _promises(name: str) -> UserError:
    return DataError(f'{name} promises more values than it holds: copy or download it again')
