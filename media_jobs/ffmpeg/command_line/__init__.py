"""A user's FFmpeg command, read into values and written anew: what is not known is refused.

Nothing of what a user wrote reaches FFmpeg as it was written. A command is parted into words, the
words into options with values of a known kind, filter graphs into filters with known options, and
the arguments are made from those. Files have no names here but the aliases that they were given.
"""
