"""Public fakes for tests of anything built on the player.

    clock.FakeClock           virtual time, advanced by hand or jumping by itself
    transport.FakeTransport   a Transport out of a dictionary or of sites, on any clock
    origin.Origin             a real HTTP/1.1 server on 127.0.0.1
    answers                   what both serve: Answer, NotYet, and the protocol Site (path, query, time → answer)
    live.LiveSite             a Site: live, low-latency and on-demand DASH and HLS out of a few seconds of media
    faults, fault_script      the vocabulary of misbehaviour, and which request gets which; both origins act it out
    outputs, reading_output   outputs that write down what they are told, or read the boxes of what they are fed
    timelines, virtual        timelines made to order, and the engine alone over a modelled link

docs/howto/test-against-the-origin.md shows how they go together. Nothing is imported here, so that importing one fake
does not load the others' dependencies.
"""
