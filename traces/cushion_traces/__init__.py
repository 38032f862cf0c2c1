"""Network traces: link arithmetic, formats, generators."""
