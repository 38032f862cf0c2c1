"""Public fakes for tests of anything built on the player.

    clock.FakeClock          virtual time, advanced by hand or jumping by itself
    faults                   the vocabulary of misbehaviour, shared by the two below
    transport.FakeTransport  a Transport out of a dictionary, on any clock
    origin.Origin            a real HTTP/1.1 server on 127.0.0.1

Nothing is imported here, so that importing one fake does not load the others' dependencies.
"""
