"""The network that a checkpoint describes, filled with its weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.model import BaseModel

from lgd_mm.console.quiet import quiet_loading
from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.errors import UserError
from lgd_mm.io.networks import find_network
from lgd_mm.safety.bounded_build import check_network


def trained_network(checkpoint: Mapping[str, Any], cfg: Config, source: str | Path) -> BaseModel:
    """Build the network of a checkpoint within the bounds of its weights, and fill it.

    Args:
        checkpoint (Mapping[str, Any]): As it was read.
        cfg (Config): That of the checkpoint, of parts that were checked.
        source (str | Path): The file, for messages.

    Returns:
        BaseModel: Of mmdet, mmseg or mmpretrain, in eval mode, on the CPU.

    Raises:
        UserError: If it cannot be built, is no network that predicts, or the weights are of another one.
    """
    network = dict(cfg.model)
    if cfg.get('data_preprocessor'):
        network.setdefault('data_preprocessor', cfg.data_preprocessor)
    state = find_network(checkpoint, source).state
    with quiet_loading():
        model = check_network(network, cfg.default_scope, state, source)
    if not isinstance(model, BaseModel):
        raise UserError(f'{source} is of a {type(model).__name__}, which predicts nothing: give a trained network')
    check_weights(model, state, source)
    model.load_state_dict(state, strict=False)  # what may be missing was just looked at
    return model.eval()
