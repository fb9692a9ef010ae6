"""Tiny random image towers of the families that open_clip has."""

from unittest.mock import patch

import timm
import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.models.convnext import ConvNeXt
from timm.models.eva import Eva
from timm.models.fastvit import FastVit
from timm.models.fastvit import RepConditionalPosEnc as FastPlaces
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer as TimmViT
from torch import nn

#: Height and width of a tower's images; patches of 8 pixels.
SIZE = (32, 48)


def resnet(layers=(1, 1, 1, 2)) -> ModifiedResNet:
    """A CLIP ResNet whose normalisations do something."""
    return randomised(ModifiedResNet(layers, output_dim=24, heads=4, image_size=64, width=8))


def vit(**changes) -> VisionTransformer:
    """A CLIP ViT of three blocks."""
    return randomised(VisionTransformer(**{
        **dict(image_size=SIZE, patch_size=8, width=32, layers=3, heads=4, mlp_ratio=2., output_dim=24), **changes}))


def coca(width=32, **changes) -> VisionTransformer:
    """A ViT with CoCa's attention pool, which also gives its tokens."""
    return vit(**{**dict(width=width, attentional_pool=True, attn_pooler_queries=5, attn_pooler_heads=4,
                         output_tokens=True), **changes})


def timm_tower(family: str, pool: str = 'avg', proj: str = 'linear') -> TimmModel:
    """A timm network with open_clip's pooling and projection; without one its own head projects."""
    classes = dict(num_classes=0 if proj else 24)
    tokens = dict(img_size=SIZE, patch_size=8, embed_dim=32, depth=2, num_heads=4, global_pool=pool, **classes)
    build = dict(
        vit=lambda: TimmViT(**tokens, class_token=pool == 'token', init_values=0.5),
        eva=lambda: Eva(**tokens, qkv_fused=False, swiglu_mlp=True, scale_mlp=True, scale_attn_inner=True,
                        use_rot_pos_emb=True, ref_feat_shape=(4, 4), attn_pool_num_heads=4),
        convnext=lambda: ConvNeXt(depths=(1, 1, 1, 1), dims=(8, 12, 16, 20), **classes),
        fastvit=lambda: FastVit(layers=(1, 1, 1, 1), embed_dims=(8, 8, 32, 32), pos_embs=(None, None, None, FastPlaces),
                                token_mixers=('repmixer', 'repmixer', 'repmixer', 'attention'), **classes),
        swin=lambda: SwinTransformer(img_size=64, patch_size=4, embed_dim=8, depths=(1, 1, 1, 1),
                                     num_heads=(1, 1, 2, 2), window_size=2, **classes),
    )[family]
    trunk = build()
    trunk.default_cfg = trunk.pretrained_cfg = {} if family in ('vit', 'eva') else dict(pool_size=(2, 2))
    with patch.object(timm, 'create_model', lambda *_, **__: trunk):
        return randomised(TimmModel('tiny', embed_dim=24, image_size=SIZE, pool='' if proj else pool, proj=proj))


def randomised(tower: nn.Module) -> nn.Module:
    """Give every weight and statistic a value of its own, for many begin with 0 or 1, and would hide a fault."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in tower.parameters():
            if weight.ndim < 2:
                weight += 0.2 * torch.randn(weight.shape, generator=generator)
        for module in tower.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean += 0.2 * torch.randn(module.running_mean.shape, generator=generator)
                module.running_var += torch.rand(module.running_var.shape, generator=generator)
    return tower.eval()
