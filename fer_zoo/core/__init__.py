"""Words shared by all: registry, cards, label spaces, input spec, sample schema, errors, paths, safe files."""
