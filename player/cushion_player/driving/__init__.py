"""What a driver needs beside the engine: requests, bodies, keys, manifests that go on, the output, listeners."""
