# What configs of the harder generated world add to those of the first: its folder, its teacher, the names of its
# categories (classes) and those for pre-training, which are more (names).
harder = dict(
    data_root='work_dirs/harder/data/',
    teacher='local-dir:' + __import__('lgd_mm').__path__[0] + '/datasets/shapes/teacher_harder',
    classes=__import__('lgd_mm.datasets.shapes.worlds', fromlist=['WORLDS']).WORLDS['harder'].classes,
    names=__import__('lgd_mm.datasets.shapes.worlds', fromlist=['WORLDS']).WORLDS['harder'].names)
