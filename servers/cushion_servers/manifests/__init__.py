"""Manifests over one set of segments: an MPD and HLS playlists that name the same objects with their exact sizes."""
