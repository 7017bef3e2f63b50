"""A whole operator's world on one machine: LNbits, Lamassu's database, SSH, and sales coming in.

`python -m demo` runs it; the tests use the same parts one by one. Nothing here is used by the
extension at run time, and nothing here imports the extension: the demo speaks to it as an
operator does, through its REST API.
"""
