"""A user's own pictures: any file becomes a picture, any method of the study labels it, any folder trains one.

`methods` names what there is, `reading` and `segmenting` take a file to a label map, `training` makes checkpoints that
`checkpoints` keeps, and `jobs` measures the methods that need no training side by side.
"""
