"""Print the share of each apparent expression by month: python examples/monthly_expressions.py DATABASE.

Needs pandas: pip install pandas.
"""

from __future__ import annotations

import sys

import pandas as pd

import catalog


def main(database: str) -> None:
    with catalog.open(database, read_only=True) as opened:
        report = opened.report("emotions-by-month")
    table = pd.DataFrame(report.rows, columns=list(report.columns))
    print(table.pivot_table(index="month", columns="emotion", values="share", fill_value=0).round(2).to_string())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except catalog.CatalogError as error:
        print(error, error.remedy, file=sys.stderr)
        sys.exit(error.exit_code)
