"""Lessons: how they are written, read, run, checked and shown. `danlu learn` is the command; `docs/lessons.md` says how to write one."""
