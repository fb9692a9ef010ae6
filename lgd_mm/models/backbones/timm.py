"""Networks of timm as backbones."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from lgd_mm.models.backbones.timm_keys import in_form_of
from lgd_mm.registry import MODELS

#: What lets a network take images of other sizes than it was made for, where its class knows one of them.
ANY_SIZE: tuple[dict[str, Any], ...] = (dict(dynamic_img_size=True, dynamic_img_pad=True), dict(strict_img_size=False))


@MODELS.register_module()
class TIMMBackbone(BaseModule):
    """A network of timm without its classifier, which fits where those of mmpretrain do.

    Maps have their channels first, also of networks that put them last (Swin, MambaOut). A network that is made for one
    size interpolates its positions for others where timm can do that, and an image that its patches do not divide is
    padded with zeros below and on the right. Weights go in from both forms of a network, plain and ``features_only``,
    and from timm's own files, whose keys are others.

    Args:
        model_name (str): Of ``timm.list_models()``.
        features_only (bool): Return a map of each stage, or of the stages in ``out_indices``, rather than the network's
            last output. Defaults to False.
        pretrained (bool): Begin with timm's weights. Defaults to False.
        checkpoint_path (str): Weights to begin with. Defaults to ``''``: none.
        in_channels (int): Of the images. Defaults to 3.
        norm_cfg (dict, optional): ``dict(type='SyncBN')`` lets :func:`synchronise_timm` take batch norms over the
            images of all GPUs. Defaults to None: each GPU by itself.
        init_cfg (dict, optional): As in mmengine. Defaults to None.
        **kwargs: Further arguments of ``timm.create_model``.

    Attributes:
        channels_last (bool): Whether the network itself puts the channels of its maps last.
    """

    def __init__(self,
                 model_name: str,
                 features_only: bool = False,
                 pretrained: bool = False,
                 checkpoint_path: str = '',
                 in_channels: int = 3,
                 norm_cfg: dict[str, Any] | None = None,
                 init_cfg: dict[str, Any] | None = None,
                 **kwargs: Any) -> None:
        import timm  # takes a second
        from timm.layers.patch_embed import PatchEmbed
        super().__init__(init_cfg)
        self.synchronised = (norm_cfg or {}).get('type') == 'SyncBN'
        network: Any = timm.create_model(
            model_name,
            features_only=features_only,
            pretrained=pretrained,
            checkpoint_path=checkpoint_path,
            in_chans=in_channels,
            **{**for_any_size(model_name), **kwargs})
        if hasattr(network, 'reset_classifier'):
            try:
                network.reset_classifier(0, '')
            except AssertionError:  # it cannot do without its own pooling
                network.reset_classifier(0)
        for module in network.modules():
            if isinstance(module, PatchEmbed) and module.strict_img_size:
                module.strict_img_size = False
                module.register_forward_pre_hook(_follow_size)
        self.timm_model = network
        self.channels_last = 'NHWC' in str(getattr(network, 'output_fmt', ''))
        if pretrained or checkpoint_path:
            self._is_init = True  # mmengine's init_weights() keeps what is there
        self.register_load_state_dict_pre_hook(_rename)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """The network's outputs.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            tuple[Tensor, ...]: Maps (B, d, h, w), or of a plain transformer tokens (B, N, d).
        """
        outputs = self.timm_model(self._padded(inputs))
        outputs = outputs if isinstance(outputs, (list, tuple)) else (outputs, )
        return tuple(output.permute(0, 3, 1, 2).contiguous() if self.channels_last and output.dim() == 4 else output
                     for output in outputs)

    def _padded(self, inputs: Tensor) -> Tensor:
        """Images whose sides the patches divide, where the network does not see to that."""
        patches = getattr(self.timm_model, 'patch_embed', None) or getattr(
            getattr(self.timm_model, 'model', None), 'patch_embed', None)
        side = getattr(patches, 'patch_size', None)
        if side is None or getattr(patches, 'dynamic_img_pad', True):
            return inputs
        below, right = (-length % each for length, each in zip(inputs.shape[-2:], side))
        return F.pad(inputs, (0, right, 0, below)) if below or right else inputs


def _follow_size(patches: Any, inputs: Any) -> None:
    """Before patches are cut: CoaT, which is made for any size, asks them for the grid that they are on."""
    patches.grid_size = patches.dynamic_feat_size(inputs[0].shape[-2:])


def synchronise_timm(model: nn.Module) -> None:
    """Take the batch norms of timm's networks over the images of all GPUs, where their config says so. mmengine's own
    ``sync_bn`` would leave out the activations that timm computes in its norms.

    Args:
        model (nn.Module): Changed in place.
    """
    from timm.layers.norm_act import convert_sync_batchnorm
    for module in model.modules():
        if isinstance(module, TIMMBackbone) and module.synchronised:
            module.timm_model = convert_sync_batchnorm(module.timm_model)


def _rename(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
    """Before weights go in, give those of another form of the network the keys of this one."""
    own = [key for key in state_dict if key.startswith(prefix)]
    given = {key.removeprefix(prefix): state_dict.pop(key) for key in own}
    state_dict.update({prefix + key: value for key, value in in_form_of(module.state_dict(), given).items()})


@cache
def timm_channels_last(model_name: str) -> bool:
    """Whether a network puts the channels of its maps last.

    Args:
        model_name (str): Of timm.
    """
    import timm
    with torch.device('meta'):
        return 'NHWC' in str(getattr(timm.create_model(model_name), 'output_fmt', ''))


@cache
def for_any_size(model_name: str) -> Mapping[str, Any]:
    """What lets a network take images of any size.

    Args:
        model_name (str): Of timm.

    Returns:
        Mapping[str, Any]: Arguments of ``timm.create_model``; none if it takes any size by itself, or its class cannot.
    """
    import timm
    known = timm.get_pretrained_cfg(model_name)
    if known is None or not known.fixed_input_size:
        return {}
    for arguments in ANY_SIZE:
        try:
            with torch.device('meta'):  # neither memory nor weights
                timm.create_model(model_name, **arguments)
        except TypeError:
            continue
        return arguments
    return {}
