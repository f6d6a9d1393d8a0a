"""Accuracy, time and paid searches of grouping faces into persons, on ``../shared/data``.

``python -m tests.benchmarks.identities [--work DIR] [ONLY...]`` scans each photo collection once into DIR. It prints
the figures. ONLY names the measurements to take.
"""
