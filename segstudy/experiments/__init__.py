"""What the notebooks measure, judge and draw: one room for each; the methods themselves are in `segstudy.papers`."""
