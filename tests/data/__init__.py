"""Tests of danlu.data, a package so that its file names may also be used elsewhere."""
