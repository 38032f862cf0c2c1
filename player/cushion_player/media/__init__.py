"""The media path: packets in, pictures and sound out, and the reference film that measures it.

av (FFmpeg) is imported here and nowhere else in the player.
"""
