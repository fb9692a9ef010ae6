# A corruption of each family at two severities: nine test sets in place of one, for the generated worlds.
quick_corruptions = dict(corruptions=['gaussian_noise', 'motion_blur', 'fog', 'jpeg_compression'], severities=[1, 3])
corrupt = dict(type='lgd_mm.Corrupt')
