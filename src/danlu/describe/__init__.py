"""Recipes as plain data: YAML, JSON, overrides, schema; and a user's own files."""
