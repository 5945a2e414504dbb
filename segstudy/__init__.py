"""segstudy: a reproducible study of five papers that segment images with graphs."""

__version__ = "0.1.0"
