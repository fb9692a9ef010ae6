# COCO captions of the Karpathy split, in mmpretrain's files, with the regions of tools/extract_regions.py: features of
# the student's detector in its boxes, and the teacher's in the same.
#   data/coco/annotations/coco_karpathy_{train,val,test}.json    data/coco/{train2014,val2014}/
data_root = 'data/coco/'
regions = dict(
    vocabulary='data/bert-base-uncased/vocab.txt', regions='data/regions/student', lengths=(20, 15, 50))
train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='lgd_mm.ViewSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='lgd_mm.VLCaptionPretraining',
        **regions,
        teacher_regions='data/regions/teacher_at_student',
        source=dict(
            type='COCOCaption',
            data_root=data_root,
            data_prefix=dict(img_path=''),
            ann_file='annotations/coco_karpathy_train.json')))
