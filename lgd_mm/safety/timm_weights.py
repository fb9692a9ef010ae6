"""Whether timm's own weights of a network lie on this machine."""

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

#: What the weights of a network are called in a repository of the hub, in the order in which timm asks for them.
NAMES = ('model.safetensors', 'pytorch_model.bin')


def local_weights(model_name: str) -> Path | None:
    """The file of a network's own weights, as an earlier download has left it.

    timm given the name alone would ask the hub for the newest, even if they lie here.

    Args:
        model_name (str): Of timm's list, with or without a tag.

    Returns:
        Path, optional: None if the file is not here.
    """
    import timm  # takes a second
    from huggingface_hub import try_to_load_from_cache
    from torch.hub import get_dir
    known: Any = timm.get_pretrained_cfg(model_name, allow_unregistered=True)
    if known is None:
        return None
    if known.hf_hub_id:
        named = getattr(known, 'hf_hub_filename', None)
        found = [try_to_load_from_cache(known.hf_hub_id, name) for name in ((named, ) if named else NAMES)]
        return next((Path(file) for file in found if isinstance(file, str)), None)
    file = Path(get_dir(), 'checkpoints', Path(urlparse(known.url or '').path).name)
    return file if known.url and file.is_file() else None
