"""From a source file to CMAF segments. The only place in the servers that may import av, and only inside workers."""
