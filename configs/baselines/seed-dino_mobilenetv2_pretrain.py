# SEED with a teacher that knows no text, DINO's ViT-S/16 (timm downloads its weights): what LGD gains, less language.
_base_ = './seed_mobilenetv2_pretrain.py'
model = dict(
    teacher=dict(
        _delete_=True,
        type='lgd_mm.BackboneTeacher',
        backbone=dict(type='mmpretrain.TIMMBackbone', model_name='vit_small_patch16_224.dino', pretrained=True),
        class_token=True,
        image_size=224))
