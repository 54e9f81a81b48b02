#!/usr/bin/env python3
"""Cuts the load extracts of testdata/loads and testdata/estimation out of the shared data folder.

Usage: python make_extracts.py SHARED_DATA_FOLDER   (needs pandas and pyarrow)

Source files, all described in SOURCES.md beside this script:
  electric/swiss_15min_7weeks.parquet                        -> loads/swiss_15min.csv.gz
  electric/fontana_ca_hourly.csv.gz, weather/fontana_ca_hourly.csv.gz -> loads/fontana_hourly.csv.gz
  water/daiad_alicante_hourly.parquet                        -> loads/alicante_water_hourly.csv.gz
  gas_electric_eemeter/uk-gas-hdd-only-hourly-sample-0.csv.gz -> loads/uk_gas_hourly.csv.gz
  electric/swiss_15min_7weeks.parquet                        -> estimation/swiss_15min.csv.gz
  electric/sgsc_au_30min.csv.gz                              -> estimation/sgsc_30min.csv.gz
  electric/lcl_london_30min.csv.gz                           -> estimation/london_30min.csv.gz
  electric/fontana_ca_hourly.csv.gz                          -> estimation/fontana_hourly.csv.gz

Every series starts on a Monday at local midnight and covers whole weeks. The output does not depend on
the machine or the day: same input, same bytes.
"""
import gzip
import sys
from pathlib import Path

import numpy as np
import pandas as pd

SWISS_HOMES = 100
SWISS_HOMES_FOR_ESTIMATION = 60
SWISS_INTERVALS = 7 * 7 * 96
FONTANA_HOMES = ["FON11", "FON01", "FON05", "FON06", "FON09", "FON17"]
WATER_HOMES = 12
WEEKS = 52


def write(path, lines):
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=9, mtime=0, filename="") as out:
        out.write(("\n".join(lines) + "\n").encode())
    print(path.name, path.stat().st_size, "bytes")


def by_day_and_on_time(values):
    """A home's quarter hours with its clock mended; none if it draws 36 % or more between 22:00 and 06:00 (storage heating).

    Two homes in three are stamped an hour later in the first three weeks than in the other four: the average day of each of these
    weeks fits that of the later ones best when it is moved by an hour. Those three weeks are moved back; the last hour of them
    stays, as nothing else is known of it. A home whose weeks disagree is left out.
    """
    hours = values.reshape(7, 7, 24, 4).sum(axis=(1, 3))
    shapes = np.sqrt(hours)
    shapes -= shapes.mean(axis=1, keepdims=True)
    late = shapes[3:].mean(axis=0)
    fits = {int(np.argmax([(shapes[week] * np.roll(late, hour)).sum() for hour in (-1, 0, 1)])) for week in range(3)}
    if hours[:, [22, 23, 0, 1, 2, 3, 4, 5]].sum() >= 0.36 * hours.sum() or fits not in ({1}, {2}):
        return None
    end = 3 * 672
    return values if fits == {1} else np.concatenate([values[4:end], values[end - 4:]])


def swiss(data, out):
    """One row a home: meter id, then 4704 quarter hours of Wh."""
    table = pd.read_parquet(data / "electric/swiss_15min_7weeks.parquet")
    wide = table.pivot(index="meter_id", columns="idx15", values="wh").sort_index()
    usable = wide[wide.notna().all(axis=1) & (wide.max(axis=1) <= 8000) & ((wide > 0).mean(axis=1) > 0.9)]
    usable = usable[(usable.mean(axis=1) > 40) & (usable.mean(axis=1) < 800)]
    mended = [(meter, by_day_and_on_time(row.to_numpy())) for meter, row in usable.iterrows()]
    mended = [(meter, row) for meter, row in mended if row is not None]
    step = len(mended) / SWISS_HOMES
    chosen = [mended[int(i * step)] for i in range(SWISS_HOMES)]
    lines = ["meter_id,wh_from_monday_midnight"]
    for meter, row in chosen:
        assert len(row) == SWISS_INTERVALS
        lines.append(f"{meter}," + ",".join(str(int(v)) for v in row))
    write(out / "swiss_15min.csv.gz", lines)


def fontana(data, out):
    """One row an hour: air temperature in tenths of a degree, then load Wh and PV W per kW of each home."""
    table = pd.read_csv(data / "electric/fontana_ca_hourly.csv.gz")
    weather = pd.read_csv(data / "weather/fontana_ca_hourly.csv.gz").sort_values("ts_hour_ending").reset_index(drop=True)
    # Labels end the hour: the row of Monday 00:00 is Sunday's last hour and is left out.
    hours = slice(1, 1 + WEEKS * 7 * 24)
    columns = {"temperature_dc": (weather["outdoor_dry_bulb_temperature"] * 10).round().astype(int)[hours]}
    for home in FONTANA_HOMES:
        rows = table[table.meter_id == home].sort_values("ts_hour_ending").reset_index(drop=True)
        columns[f"{home}_load_wh"] = (rows.load_kwh * 1000).round().astype(int)[hours]
        columns[f"{home}_pv_w_per_kw"] = rows.pv_w_per_kw.round().astype(int)[hours]
    frame = pd.DataFrame(columns)
    lines = [",".join(frame.columns)] + [",".join(map(str, row)) for row in frame.itertuples(index=False)]
    write(out / "fontana_hourly.csv.gz", lines)


def water(data, out):
    """One row a home: 8736 hours of litres; hours without a reading and register drops are 0."""
    table = pd.read_parquet(data / "water/daiad_alicante_hourly.parquet")
    table["hour"] = table.ts.dt.floor("h")
    start = pd.Timestamp("2016-03-07")
    hours = pd.date_range(start, periods=WEEKS * 7 * 24, freq="h")
    table = table[(table.hour >= start) & (table.hour <= hours[-1])]
    diff = table["diff"].astype("float").where(lambda d: (d >= 0) & (d <= 3000))
    wide = table.assign(diff=diff).groupby(["meter_id", "hour"], observed=True)["diff"].sum(min_count=1)
    wide = wide.unstack("hour").reindex(columns=hours)
    covered = wide.notna().mean(axis=1).sort_values(ascending=False, kind="stable")
    lines = ["meter_id,litres_from_monday_midnight"]
    for meter in sorted(covered.index[:WATER_HOMES]):
        lines.append(f"{meter}," + ",".join(str(int(v)) for v in wide.loc[meter].fillna(0)))
    print("water coverage of the last home taken:", round(covered.iloc[WATER_HOMES - 1], 4))
    write(out / "alicante_water_hourly.csv.gz", lines)


def gas(data, out):
    """One row: 8736 hours of litres, from kWh at 11.1 kWh a cubic metre, the remainder carried on."""
    table = pd.read_csv(data / "gas_electric_eemeter/uk-gas-hdd-only-hourly-sample-0.csv.gz")
    table["start"] = pd.to_datetime(table.start, utc=True)
    hours = pd.date_range("2020-04-06", periods=WEEKS * 7 * 24, freq="h", tz="UTC")
    kwh = table.set_index("start").value.reindex(hours).fillna(0)
    lines, carried = [], 0.0
    for value in kwh:
        carried += value / 11.1 * 1000
        lines.append(int(carried))
        carried -= int(carried)
    write(out / "uk_gas_hourly.csv.gz", ["meter_id,litres_from_monday_midnight", "UK0," + ",".join(map(str, lines))])


def homes_in_rows(path, homes):
    """One row a home: id, first local date, then whole days of Wh; nothing between two commas is a missing reading."""
    lines = ["meter_id,first_date,wh_from_midnight"]
    for meter, first, values in homes:
        lines.append(f"{meter},{first}," + ",".join("" if pd.isna(v) else str(int(v)) for v in values))
    write(path, lines)


def swiss_for_estimation(data, out):
    """Every fourth and a bit of the usable homes; the source names no year, so its weeks 44 to 50 are put into 2018."""
    table = pd.read_parquet(data / "electric/swiss_15min_7weeks.parquet")
    wide = table.pivot(index="meter_id", columns="idx15", values="wh").sort_index()
    usable = wide[wide.notna().all(axis=1) & (wide.max(axis=1) <= 8000) & ((wide > 0).mean(axis=1) > 0.9)]
    usable = usable[(usable.mean(axis=1) > 40) & (usable.mean(axis=1) < 800)]
    step = len(usable) / SWISS_HOMES_FOR_ESTIMATION
    chosen = usable.iloc[[int(i * step) for i in range(SWISS_HOMES_FOR_ESTIMATION)]]
    homes_in_rows(out / "swiss_15min.csv.gz", [(meter, "2018-10-29", row) for meter, row in chosen.iterrows()])


def stamped_for_estimation(data, out, source, name, meter, stamp, value, step_min, ending, margin):
    """The first whole years of every home, from a Monday on, on the grid of `step_min`; gaps stay gaps.

    `margin` weeks more are those at both ends in which no gap begins. Over whole years the season cancels: estimates from earlier
    days lag behind it, which over part of a year would be taken for bias.
    """
    table = pd.read_csv(data / source)
    table["at"] = pd.to_datetime(table[stamp], errors="coerce") - pd.Timedelta(minutes=step_min if ending else 0)
    table = table.dropna(subset=["at"])
    table = table[(table["at"].dt.hour * 60 + table["at"].dt.minute) % step_min == 0]
    homes = []
    for home, rows in table.groupby(meter):
        series = rows.drop_duplicates("at").set_index("at")[value]
        first = series.index.min().normalize() + pd.Timedelta(days=1)
        first += pd.Timedelta(days=(7 - first.weekday()) % 7)
        end = series.index.max().normalize() + pd.Timedelta(days=1)
        years = max(1, ((end - first).days // 7 - margin) // 52)
        last = min(first + pd.Timedelta(weeks=52 * years + margin), end)
        grid = pd.date_range(first, last, freq=f"{step_min}min", inclusive="left")
        homes.append((home, first.date(), (series.reindex(grid) * 1000).round()))
    homes_in_rows(out / name, homes)


def for_estimation(data, out):
    swiss_for_estimation(data, out)
    stamped_for_estimation(data, out, "electric/sgsc_au_30min.csv.gz", "sgsc_30min.csv.gz", "customer_id", "ts", "kwh", 30, False, 3)
    stamped_for_estimation(data, out, "electric/lcl_london_30min.csv.gz", "london_30min.csv.gz", "meter_id", "ts", "kwh", 30, False, 3)
    stamped_for_estimation(data, out, "electric/fontana_ca_hourly.csv.gz", "fontana_hourly.csv.gz", "meter_id", "ts_hour_ending", "load_kwh", 60, True, 3)


def main():
    data, here = Path(sys.argv[1]), Path(__file__).resolve().parent
    cuts = {"loads": (swiss, fontana, water, gas), "estimation": (for_estimation,)}
    for folder, makers in cuts.items():
        (here / folder).mkdir(exist_ok=True)
        for cut in makers:
            cut(data, here / folder)


if __name__ == "__main__":
    main()
