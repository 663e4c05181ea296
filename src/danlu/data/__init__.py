"""Data: where files are found, what rows are made of them, how they are split, checked and fetched."""
