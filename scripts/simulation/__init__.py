"""A seeded simulator of a utility: it makes up customers, lives their years, and writes what the utility heard of it.

It is the world, not the ledger. It knows the calendar, and decides nothing by the ledger's rules: a shutoff follows
only where generous margins say that it must be allowed, and lines meant to be refused say so in their note.
"""
