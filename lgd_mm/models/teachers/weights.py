"""Where a teacher's weights lie: a local file, a download cache, or the hub the user named."""

import hashlib
import os
import socket
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import open_clip
import torch
from huggingface_hub import try_to_load_from_cache
from mmengine.logging import print_log
from open_clip.pretrained import download_pretrained, get_pretrained_cfg
from torch import Tensor

from lgd_mm.errors import MissingError, UserError
from lgd_mm.io.networks import Network, prefix_of

#: Names under which open_clip's hub repositories keep their weights, the preferred one first.
HUB_FILES = ('open_clip_model.safetensors', 'open_clip_pytorch_model.bin')
#: What OpenAI's archives hold beside weights.
OF_TORCHSCRIPT = ('input_resolution', 'context_length', 'vocab_size')


def resolve_weights(model: str, pretrained: str, checkpoint: str | None) -> Path:
    """Find, and if the user named a tag and the network is there, download a teacher's weights.

    Args:
        model (str): An open_clip model name.
        pretrained (str): One of its tags, or a file.
        checkpoint (str, optional): A local file that holds the tag's weights.

    Returns:
        Path: The weights file.

    Raises:
        UserError: If there is no such tag or file, or it cannot be downloaded; the sentence says what to fetch, from
            where, and which key takes it.
    """
    tag = get_pretrained_cfg(model, pretrained)
    if checkpoint is not None:
        if not Path(checkpoint).is_file():
            raise UserError(f'model.teacher.checkpoint: no file {checkpoint}')
        tags = open_clip.list_pretrained_tags_by_model(model)
        if tags and not tag:
            raise UserError(f'model.teacher.pretrained: {pretrained!r} is no tag of {model}, and says which activation '
                            f'and image statistics {checkpoint} needs: give one of {", ".join(tags)}')
        return Path(checkpoint)
    if not tag:
        if Path(pretrained).is_file():
            return Path(pretrained)
        tags = ', '.join(open_clip.list_pretrained_tags_by_model(model))
        raise UserError(f'model.teacher.pretrained: {pretrained!r} is neither a file nor a tag of {model} '
                        f'(its tags: {tags or "none"})')
    cached = _cached(tag)
    if cached is not None:
        return cached
    url = _download_url(tag)
    if not _reachable(url):
        raise MissingError(f'the weights of teacher {model}/{pretrained} are not on this machine and '
                           f'{urlparse(url).netloc} cannot be reached: fetch {url} elsewhere and set '
                           'model.teacher.checkpoint to the file')
    try:
        return Path(download_pretrained(tag))
    except Exception as error:
        raise MissingError(f'the download of teacher {model}/{pretrained} failed ({error}): fetch {url} and set '
                           'model.teacher.checkpoint to the file') from error


def fit_state(network: Network, path: str | Path, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A teacher's weights by its own keys, in place of open_clip's own reader, which knows one wrapper alone.

    Args:
        network (Network): What the file holds.
        path (str | Path): The file, for messages.
        wanted (Mapping[str, Tensor]): Of the model that they are for.

    Returns:
        dict[str, Tensor]: Without what their writer put before the keys; that is told.

    Raises:
        UserError: If the file holds several networks that fit.
    """
    state = {key: value for key, value in network.state.items() if key not in OF_TORCHSCRIPT}
    prefix = prefix_of(state, wanted, path)
    if prefix or str(network):
        told = ', '.join(filter(None, (str(network), f'{prefix} is taken off its keys' if prefix else '')))
        print_log(f'teacher weights {path}: {told}', logger='current')
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def state_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of names and values of weights on the CPU, in hex."""
    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        digest.update(name.encode())
        digest.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _hub_repository(tag: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """A tag's hub repository and the file names to try, best first ('' if it is not on the hub)."""
    repository, file = os.path.split(tag.get('hf_hub', ''))
    return repository, (file, ) if file else HUB_FILES


def _cached(tag: dict[str, Any]) -> Path | None:
    """The tag's file in the hub's cache or in open_clip's own, without touching the network."""
    repository, files = _hub_repository(tag)
    for file in files if repository else ():
        path = try_to_load_from_cache(repository, file)
        if isinstance(path, str):
            return Path(path)
    if tag.get('url'):
        path = Path('~/.cache/clip').expanduser() / os.path.basename(tag['url'])
        # OpenAI's own files are TorchScript archives; they would be executed, so the hub's copy is taken.
        if path.is_file() and not (repository and 'openaipublic' in tag['url']):
            return path
    return None


def _download_url(tag: dict[str, Any]) -> str:
    repository, files = _hub_repository(tag)
    return f'https://huggingface.co/{repository}/resolve/main/{files[0]}' if repository else tag['url']


def _reachable(url: str) -> bool:
    """Whether a connection opens within three seconds; behind a proxy only the download itself can tell."""
    if urllib.request.getproxies():
        return True
    try:
        socket.create_connection((urlparse(url).hostname, 443), timeout=3).close()
    except OSError:
        return False
    return True
