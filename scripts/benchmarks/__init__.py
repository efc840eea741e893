"""Benchmarks: the ledger beside the stock eventsourcing library and beside the floors, measured in turns in one run.

Trust the ratios: the machine's noise falls on all contenders alike. Absolute figures are those of one machine.
"""
