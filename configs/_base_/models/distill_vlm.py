# Oscar-B teaches a student of MiniLM's shape, as MiniVLM's run configs have them. Features in boxes of 2,048 and 1,024
# numbers, with 6 of the box. What the paper does not say: docs/distillvlm.md.
vocabulary = 'data/bert-base-uncased/vocab.txt'
model = dict(
    type='lgd_mm.DistillVLM',
    student=dict(
        type='lgd_mm.VisionLanguageModel',
        vocabulary=vocabulary,
        transformer=dict(width=384, depth=12, heads=12, region_width=1024 + 6)),
    teacher=dict(
        type='lgd_mm.VisionLanguageModel',
        vocabulary=vocabulary,
        transformer=dict(width=768, depth=12, heads=12, region_width=2048 + 6),
        weights='work_dirs/adapt_pretrain_coco-captions/student.safetensors'),
    attention=10.,
    hidden=1.,
    temperature=0.1,
    queue_length=4096)
