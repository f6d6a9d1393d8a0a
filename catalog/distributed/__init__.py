"""Scans with many machines, by Dask: connection to a cluster, tasks of its workers, clusters of this machine."""
