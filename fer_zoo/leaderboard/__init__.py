"""Leaderboards: grids of jobs on a track, records of what came out, tables of them."""
