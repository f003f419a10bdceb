"""The landing step: files of any origin become text rows with an address; it judges structure, never values."""
