#!/usr/bin/env python3
"""Builds the provider tables from public data: python3 catalogs/import.py --data DIR

Reads selection.toml (what to pick), assumed/*.csv (what no file says) and the
files named by `file` in selection.toml below DIR. Writes regions.csv,
types.csv, prices.csv and sources.csv of every provider, sorted, so that the
same input gives the same bytes.
"""

import argparse
import csv
import gzip
import json
import re
import tomllib
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
SELECTION = tomllib.loads((HERE / "selection.toml").read_text())
SOURCES = SELECTION["sources"]
PROVIDERS = ["alibaba", "aws", "azure", "coreweave", "gcp", "lambda", "runpod"]
PICO = Decimal("1e-12")
REGION_COLUMNS = "region title zones continent jurisdiction certifications carbon_g_per_kwh source as_of assumed".split()
TYPE_COLUMNS = (
    "type family class vcpus_milli memory_mib gpus gpu_model gpu_memory_mib local_disk_gib network_gbps "
    "speed_millionths power_watts source as_of assumed"
).split()
PRICE_COLUMNS = "region type market usd_per_hour source as_of assumed".split()
SOURCE_COLUMNS = "key title file revision as_of licence".split()


def text(data, key):
    """The text of the source file `key`, unpacked."""
    path = data / SOURCES[key]["file"]
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()


def table(data, key, delimiter=","):
    """The rows of the source file `key` as dictionaries."""
    return csv.DictReader(text(data, key).splitlines(), delimiter=delimiter)


def assumed(name):
    """The rows of our own assumption table `name`."""
    return list(csv.DictReader((HERE / "assumed" / f"{name}.csv").read_text().splitlines()))


def plain(value):
    """A decimal without an exponent or trailing zeros, at most 12 decimals (the unit of a price)."""
    value = Decimal(value)
    if value.as_tuple().exponent < -12:
        value = value.quantize(PICO, ROUND_HALF_UP)
    digits = format(value, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def as_of(sources):
    """The oldest date among `a|b` source keys: a row is only as fresh as its oldest part."""
    return min(SOURCES[key]["as_of"] for key in sources.split("|"))


def row(source, guessed, **columns):
    """A row with its provenance; `guessed` names the columns that are assumed."""
    return {**columns, "source": source, "as_of": as_of(source), "assumed": "|".join(guessed)}


# --- readers of the public files -------------------------------------------------------------


def aws_labels(data):
    """Instance type -> label -> value, from the Markdown reference."""
    labels, current = {}, None
    for line in text(data, "karpenter-aws-types").splitlines():
        if line.startswith("### `"):
            current = labels.setdefault(line[5:-1], {})
        match = re.match(r" \|karpenter\.k8s\.aws/instance-([a-z-]+)\|(.+)\|$", line)
        if match and current is not None:
            current[match[1]] = match[2]
    return labels


def libcloud(data):
    """Type -> region -> price text. 0.0 there means unknown, so it is dropped."""
    prices = json.loads(text(data, "libcloud"), parse_float=str)["compute"]["ec2_linux"]
    return {
        name: {region: price for region, price in regions.items() if Decimal(price) != 0}
        for name, regions in prices.items()
    }


def shared_tenancy(current, older, region):
    """Types whose `older` price in `region` is the shared-tenancy price, and the family factors.

    That table mixes in dedicated-tenancy prices (6 or 10 % dearer). A family's
    prices in two regions differ by one factor, so the cheapest factor to the
    current us-east-1 price, if at least two sizes agree on it, is the shared
    one. Metal sizes are priced apart and are left out. A factor is a pair of
    prices, the dearest agreeing size, whose rounding matters least.
    """
    families = {}
    for name, regions in older.items():
        if name in current and region in regions and ".metal" not in name:
            pair = (Decimal(regions[region]), Decimal(current[name]))
            families.setdefault(name.split(".")[0], []).append((pair[0] / pair[1], pair, name))
    good, factors = set(), {}
    for family, members in families.items():
        agreeing = [m for m in members if m[0] <= min(members)[0] * Decimal("1.003")]
        if len(agreeing) >= 2:
            good.update(name for _, _, name in agreeing)
            factors[family] = max(pair for _, pair, _ in agreeing)
    return good, factors


def gcp_list(data):
    """(type, region, market) -> price text, by a scan of the one section needed."""
    prices, section, name, region = {}, None, None, None
    keys = {"hour": "on-demand", "hour_spot": "spot"}
    for line in text(data, "cyclenerd-gcp").splitlines():
        depth = len(line) - len(line.lstrip())
        key, _, value = line.strip().partition(": ")
        if depth == 2:
            section = line.strip()
        elif section == "instance:" and depth == 4:
            name = key.rstrip(":")
        elif section == "instance:" and depth == 8:
            region = key.rstrip(":")
        elif section == "instance:" and depth == 10 and key in keys:
            prices[name, region, keys[key]] = value
    return prices


def carbon(data):
    """(source, row) -> grams per kilowatt-hour."""
    found = {}
    for key in ("ccf-grid-aws", "ccf-grid-azure"):
        for line in table(data, key):
            if line["Source"]:  # rows of the file with a comma for a point have their cells shifted
                found[key, line["Region"]] = plain(Decimal(line["CO2e (metric ton/kWh)"]) * 1_000_000)
    for line in table(data, "google-carbon"):
        found["google-carbon", line["Google Cloud Region"]] = plain(line["Grid carbon intensity (gCO2eq / kWh)"])
    return found


# --- tables ----------------------------------------------------------------------------------


def regions_of(provider, data, grams, gcp_zones):
    rows = []
    for known in assumed("regions"):
        if known["provider"] != provider:
            continue
        columns = {name: known[name] for name in REGION_COLUMNS[:6]}
        columns["carbon_g_per_kwh"] = grams[known["carbon_source"], known["carbon_row"]]
        guessed = ["title", "zones", "continent", "jurisdiction", "certifications"]
        source = known["carbon_source"]
        if not columns["zones"]:
            columns["zones"] = "|".join(z for z in sorted(gcp_zones) if z.rsplit("-", 1)[0] == known["region"])
            guessed.remove("zones")
            source += "|cyclenerd-gcp-zones"
        # Another provider's figure for the same grid stands in where this one has none.
        if known["carbon_source"] != {"gcp": "google-carbon"}.get(provider, f"ccf-grid-{provider}"):
            guessed.append("carbon_g_per_kwh")
        rows.append(row(source, guessed, **columns))
    return rows


def power(columns, measured):
    """Watts at full load: measured where a table has it, else vCPUs and cards times a constant."""
    if measured:
        return str(Decimal(measured.replace(",", ".")).quantize(Decimal(1), ROUND_HALF_UP))
    rates = SELECTION["power"]
    watts = int(columns["vcpus_milli"]) * rates["watts_per_vcpu"][columns["class"]] // 1000
    return str(watts + int(columns["gpus"]) * rates["watts_per_gpu"].get(columns["gpu_model"], 0))


def finish_type(source, guessed, columns, measured=None):
    columns = {"speed_millionths": "1000000", "power_watts": power(columns, measured), **columns}
    guessed = guessed + ["speed_millionths"] + ([] if measured else ["power_watts"])
    return row(source, guessed, **columns)


def aws_types(data):
    labels = aws_labels(data)
    watts = {line["Instance type"]: line["Instance @ 100%"] for line in table(data, "ccf-aws-instances")}
    classes = {"m": "general", "t": "general", "c": "compute", "r": "memory", "x": "memory", "g": "gpu", "p": "gpu"}
    rows = []
    for name in SELECTION["aws"]["types"]:
        if name not in labels:
            continue  # dropped from the reference: its shape is in our own table
        have = labels[name]
        gpu = "gpu-name" in have
        memory = have.get("gpu-memory", "")
        columns = {
            "type": name,
            "family": have["family"],
            "class": classes[have["category"]],
            "vcpus_milli": str(int(have["cpu"]) * 1000),
            "memory_mib": have["memory"],
            "gpus": have.get("gpu-count", "0"),
            "gpu_model": SELECTION["aws"]["gpu_models"][f"{have['gpu-name']} {memory}"] if gpu else "",
            "gpu_memory_mib": memory,
            "local_disk_gib": have.get("local-nvme", "0"),
            "network_gbps": plain(Decimal(have["network-bandwidth"]) / 1000),
        }
        source = "karpenter-aws-types" + ("|ccf-aws-instances" if watts.get(name) else "")
        rows.append(finish_type(source, [], columns, watts.get(name)))
    return rows


def shapes(provider, data):
    """Type -> (vcpus_milli, memory_mib), and the source key that says so."""
    if provider == "gcp":
        lines = table(data, "cyclenerd-gcp-types", ";")
        key, found = "cyclenerd-gcp-types", {l["NAME"]: (l["CPUS"], l["MEMORY_GB"]) for l in lines}
    elif provider == "azure":
        lines = table(data, "ccf-azure-instances")
        key = "ccf-azure-instances"
        found = {
            "Standard_" + l["Virtual Machine"].replace(" ", "_"): (l["Instance vCPUs"], l["Instance Memory"]) for l in lines
        }
    elif provider == "aws":
        lines = table(data, "ccf-aws-instances")
        key = "ccf-aws-instances"
        found = {l["Instance type"]: (l["Instance vCPU"], l["Instance Memory (in GB)"]) for l in lines}
    else:
        return {}, "assumed"
    usable = {name: pair for name, pair in found.items() if all(re.fullmatch(r"[0-9.]+", cell) for cell in pair)}
    return {name: (plain(Decimal(c) * 1000), plain(Decimal(m) * 1024)) for name, (c, m) in usable.items()}, key


def other_types(provider, data):
    """The types of our own table, with vCPUs and memory from a public file where one has them."""
    known_shapes, key = shapes(provider, data)
    attached = SELECTION["gcp"]["attached"] if provider == "gcp" else {}
    rows = []
    for known in assumed("types"):
        if known["provider"] != provider:
            continue
        columns = {name: known[name] for name in TYPE_COLUMNS[:10]}
        shape = known_shapes.get(attached.get(known["type"], {}).get("host", known["type"]))
        guessed = ["family", "class", "gpus", "gpu_model", "gpu_memory_mib", "local_disk_gib", "network_gbps"]
        if shape:
            columns["vcpus_milli"], columns["memory_mib"] = shape
        else:
            guessed = ["family", "class", "vcpus_milli", "memory_mib"] + guessed[2:]
        if not columns["vcpus_milli"]:
            raise SystemExit(f"{provider} {known['type']}: no file and no assumed row gives its vCPUs and memory")
        rows.append(finish_type(key if shape else "assumed", guessed, columns))
    return rows


def price(region, name, market, usd, source, guessed=False):
    columns = {"region": region, "type": name, "market": market, "usd_per_hour": plain(usd)}
    return row(source, ["usd_per_hour"] if guessed else [], **columns)


def aws_prices(data, advisor):
    """The list price; where it is missing or doubtful but the size is sold, the family's factor times us-east-1."""
    current = {l["instance_type"]: l["usd_per_hour"] for l in table(data, "karpenter-aws") if l["region"] == "us-east-1"}
    older = libcloud(data)
    rows = []
    for region in SELECTION["aws"]["regions"]:
        good, factors = shared_tenancy(current, older, region)
        for name in SELECTION["aws"]["types"]:
            family = name.split(".")[0]
            if region == "us-east-1":
                rows.append(price(region, name, "on-demand", current[name], "karpenter-aws"))
            elif name in good:
                rows.append(price(region, name, "on-demand", older[name][region], "libcloud"))
            elif family in factors and name in advisor[region]["Linux"]:
                there, here = factors[family]
                usd = (Decimal(current[name]) * there / here).quantize(Decimal("1e-6"), ROUND_HALF_UP)
                rows.append(price(region, name, "on-demand", usd, "karpenter-aws|libcloud", True))
    return rows


def aws_spot(advisor, on_demand):
    """On-demand prices less the advisor's average saving."""
    rows = []
    for base in on_demand:
        entry = advisor[base["region"]]["Linux"].get(base["type"])
        if entry:
            usd = Decimal(base["usd_per_hour"]) * (100 - entry["s"]) / 100
            rows.append(price(base["region"], base["type"], "spot", usd, base["source"] + "|aws-spot-advisor", True))
    return rows


def azure_prices(data):
    regions = SELECTION["azure"]["regions"]
    names = {known["type"] for known in assumed("types") if known["provider"] == "azure"}
    return [
        price(line["region"], line["sku"], "on-demand", line["usd_per_hour"], "karpenter-azure")
        for line in table(data, "karpenter-azure")
        if line["region"] in regions and line["sku"] in names
    ]


def gcp_prices(data, gcp_zones):
    """Listed machines where a zone offers them, and hosts with cards attached."""
    listed, chosen = gcp_list(data), SELECTION["gcp"]
    offers = {(zone.rsplit("-", 1)[0], name) for zone, names in gcp_zones.items() for name in names}
    rows = []
    for known in assumed("types"):
        name = known["type"]
        if known["provider"] != "gcp":
            continue
        extra = chosen["attached"].get(name)
        stated = chosen["offered"].get(known["gpu_model"] if extra else known["family"])
        for region in chosen["regions"]:
            if region not in stated if stated else (region, name) not in offers:
                continue
            for market in ("on-demand", "spot"):
                usd = listed.get((extra["host"] if extra else name, region, market))
                if usd is None or Decimal(usd) == 0:
                    continue
                if extra:
                    usd = Decimal(usd) + extra["gpus"] * Decimal(extra[market.replace("-", "_")])
                rows.append(price(region, name, market, usd, "cyclenerd-gcp", extra is not None))
    return rows


def assumed_prices(provider, regions, have):
    """Our own list prices; region `*` means everywhere, times the region's factor."""
    factors = SELECTION.get(provider, {}).get("region_factors", {})
    rows = []
    for known in assumed("prices"):
        if known["provider"] != provider:
            continue
        for region in regions if known["region"] == "*" else [known["region"]]:
            if (region, known["type"]) not in have:
                usd = Decimal(known["usd_per_hour"]) * Decimal(factors.get(region, "1"))
                rows.append(price(region, known["type"], known["market"], usd, "assumed", True))
    return rows


def discounted(on_demand, fraction):
    """Spot prices where none are published: one assumed discount for all."""
    left = 1 - Decimal(fraction)
    return [
        price(b["region"], b["type"], "spot", Decimal(b["usd_per_hour"]) * left, b["source"], True) for b in on_demand
    ]


def prices_of(provider, data, regions, gcp_zones):
    rules = tomllib.loads((HERE / provider / "provider.toml").read_text())
    advisor = json.loads(text(data, "aws-spot-advisor"))["spot_advisor"]
    listed = {"aws": lambda: aws_prices(data, advisor), "azure": lambda: azure_prices(data), "gcp": lambda: gcp_prices(data, gcp_zones)}
    rows = listed.get(provider, list)()
    rows += assumed_prices(provider, regions, {(r["region"], r["type"]) for r in rows})
    on_demand = [r for r in rows if r["market"] == "on-demand"]
    if provider == "aws":
        rows += aws_spot(advisor, on_demand)
    elif "assumed_spot" in rules:
        rows += discounted(on_demand, rules["assumed_spot"]["discount"])
    return rows


def write(path, columns, rows, keys):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda r: [r[key] for key in keys]))


def sources_of(provider, tables):
    used = {key for rows in tables for r in rows for key in r["source"].split("|")} | {"assumed"}
    used |= set(re.findall(r'source = "([^"]+)"', (HERE / provider / "provider.toml").read_text()))
    return [{"key": key, **SOURCES[key]} for key in used]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data")
    parser.add_argument("--out", type=Path, default=HERE, help="where to write (default: beside this file)")
    data, out = (args := parser.parse_args()).data, args.out
    grams, gcp_zones = carbon(data), {}
    for line in table(data, "cyclenerd-gcp-zones", ";"):
        gcp_zones.setdefault(line["ZONE"], set()).add(line["NAME"])
    for provider in PROVIDERS:
        folder = out / provider
        folder.mkdir(parents=True, exist_ok=True)
        regions = regions_of(provider, data, grams, gcp_zones)
        prices = prices_of(provider, data, [r["region"] for r in regions], gcp_zones)
        sold = {r["type"] for r in prices}
        types = other_types(provider, data) + (aws_types(data) if provider == "aws" else [])
        types = [t for t in types if t["type"] in sold]
        write(folder / "regions.csv", REGION_COLUMNS, regions, ["region"])
        write(folder / "types.csv", TYPE_COLUMNS, types, ["type"])
        write(folder / "prices.csv", PRICE_COLUMNS, prices, ["region", "type", "market"])
        write(folder / "sources.csv", SOURCE_COLUMNS, sources_of(provider, (regions, types, prices)), ["key"])
        print(f"{provider}: {len(regions)} regions, {len(types)} types, {len(prices)} prices")


if __name__ == "__main__":
    main()
