# The student's pre-training with an adapted teacher, in MiniVLM's schedule: 32 GPUs x 64 texts, 100 epochs. There it is
# 7 million pairs (CC, SBU, COCO, GQA, Flickr30k, VQA, VG-QA); COCO's captions are what this config reads.
_base_ = [
    '../_base_/models/distill_vlm.py', '../_base_/datasets/vl_coco_captions.py', '../_base_/schedules/vl_adamw.py',
    '../_base_/vl_runtime.py'
]
model = dict(student=dict(task=dict(type='lgd_mm.VLPretraining', seq2seq=True)),
             teacher=dict(task=dict(type='lgd_mm.VLPretraining', seq2seq=True)))
