"""`make bench`: what a poll, the reading, the API and the rest of LNbits cost, as ratios.

Only ratios within one run mean something on a machine that has other work to do.
"""
