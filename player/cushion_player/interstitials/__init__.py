"""Other presentations that play in between: HLS interstitials and alternative MPDs, of one kind here.

breaks ─→ BreakSchedule ─→ ProgrammePlayer ─→ a Player for the main presentation, and one for each asset
(from a    (pure: what is   (drives them)      over one output, which OutputSwitch hands from one to the next
manifest)   due, and where
            to go on)
"""
