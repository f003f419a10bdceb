"""The landing step: files of any origin become text rows with an address.

It judges structure, never values.
"""
