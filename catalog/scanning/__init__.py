"""The nightly job: plan, read, enroll, record."""
