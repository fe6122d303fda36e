"""How much a tenant and a key may take, and how much they have taken.

What takes something reserves it first and settles at the end, in its own transaction; it says so
in plain numbers, since nothing here knows what a job or a file is.
"""
