"""How well, how fast and how cheaply the catalogue tells people apart: run by hand, on ``../shared/data``.

``python -m tests.benchmarks.identities.run WORK [ONLY...]`` scans what it needs into the folder WORK once, and prints
the figures; ONLY names the measurements to take.
"""
