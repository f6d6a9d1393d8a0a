"""Engines that find, enroll and compare faces, behind one contract."""
