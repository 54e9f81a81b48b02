"""Rows of a test program: each is counted and printed once, and the last line sums them up."""
import sys

_counts = {"passed": 0, "failed": 0}


def row(name, fault):
    """Counts and prints one row; `fault` is None when it went well."""
    if fault is None:
        _counts["passed"] += 1
        print(f"ok    {name}", flush=True)
    else:
        _counts["failed"] += 1
        print(f"FAIL  {name}: {fault}", flush=True)


def finish():
    """Prints how many rows there were and ends the program: with 0 only when nothing failed."""
    print(f"{_counts['passed']} passed, {_counts['failed']} failed")
    sys.exit(1 if _counts["failed"] else 0)
