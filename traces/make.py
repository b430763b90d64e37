#!/usr/bin/env python3
"""Makes the example traces of this folder, always the same bytes.

    python3 traces/make.py

Everything is drawn from the distributions below with a fixed seed; nothing is
taken from a real system. See README.md.
"""

import math
import random
from pathlib import Path

FOLDER = Path(__file__).parent
# Relative demand of each hour of the day.
PROFILE = [2, 1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 9, 8, 9, 10, 10, 9, 8, 6, 5, 4, 3, 3, 2]


def arrivals(rng, count, per_hour):
    """Seconds of `count` arrivals of a Poisson process that follows PROFILE (thinning)."""
    peak = max(PROFILE)
    rate = per_hour * peak / (sum(PROFILE) / len(PROFILE)) / 3600
    now, times = 0.0, []
    while len(times) < count:
        now += rng.expovariate(rate)
        if rng.random() < PROFILE[int(now // 3600) % 24] / peak:
            times.append(int(now))
    return times


def lognormal(rng, median, p95):
    """A whole number of at least 1 from a lognormal distribution."""
    sigma = math.log(p95 / median) / 1.6448536
    return max(1, round(rng.lognormvariate(math.log(median), sigma)))


def batch():
    """A batch log in Standard Workload Format: 1,500 jobs on 256 processors."""
    rng = random.Random("batch-small")
    lines = [
        "; Version: 2.2",
        "; Computer: none; synthesised by traces/make.py",
        "; MaxJobs: 1500",
        "; MaxRecords: 1500",
        "; UnixStartTime: 1772409600",
        "; TimeZoneString: UTC",
        "; MaxNodes: 256",
        "; MaxProcs: 256",
        "; Note: synthetic, no record stems from a real system",
    ]
    for number, submit in enumerate(arrivals(rng, 1500, 9), 1):
        procs = rng.choices([1, 2, 4, 8, 16, 32, 64, 128], [30, 10, 14, 14, 14, 10, 6, 2])[0]
        runtime = min(lognormal(rng, 1500, 30000), 129600)
        # Users ask for round times, and for more than they need.
        wanted = runtime * rng.uniform(1.1, 5)
        steps = [900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800]
        request = next((step for step in steps if step >= wanted), 172800)
        user = min(int(rng.paretovariate(1.1)), 40)
        fields = [number, submit, -1, runtime, procs, -1, -1, procs, request, -1, 1, user, 1 + user % 5, -1, 1, 1, -1, -1]
        lines.append(" ".join(map(str, fields)))
    return "\n".join(lines) + "\n"


def gpu_nodes():
    """A node list in the columns of Alibaba's cluster-trace-gpu-v2023: 30 nodes."""
    rows = ["sn,cpu_milli,memory_mib,gpu,model"]
    kinds = [(9, 96000, 393216, 8, "T4"), (8, 96000, 786432, 8, "V100M32"), (8, 128000, 1048576, 8, "A100-80GB"), (5, 64000, 262144, 0, "")]
    for count, cpu, memory, gpus, model in kinds:
        for _ in range(count):
            rows.append(f"example-node-{len(rows) - 1:04},{cpu},{memory},{gpus},{model}")
    return "\n".join(rows) + "\n"


def gpu_pods():
    """A pod list in the columns of the same data set: 2,400 pods, many with a part of a GPU."""
    rng = random.Random("gpu-pods-small")
    rows = ["name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"]
    for number, created in enumerate(arrivals(rng, 2400, 60)):
        kind = rng.choices(["cpu", "part", "one", "many"], [13, 38, 40, 9])[0]
        if kind == "cpu":
            gpus, share, cpu, memory = 0, 0, rng.choice([4000, 8000, 16000]), rng.choice([8192, 16384, 32768])
        elif kind == "part":
            gpus, share = 1, rng.choice([100, 250, 300, 460, 500, 600, 810])
            cpu, memory = rng.choice([2000, 4000, 6000, 8000]), rng.choice([4096, 8192, 16384])
        elif kind == "one":
            gpus, share, cpu, memory = 1, 1000, rng.choice([6000, 8000, 11000]), rng.choice([24576, 32768, 61440])
        else:
            gpus, share = rng.choices([2, 4, 8], [4, 2, 3])[0], 1000
            cpu, memory = 11000 * gpus, 40960 * gpus
        spec = ""
        if gpus and rng.random() < 0.25:
            spec = rng.choice(["A100-80GB", "V100M32|A100-80GB", "T4"])
        qos = rng.choices(["LS", "BE", "Burstable"], [6, 3, 1])[0]
        lives = min(lognormal(rng, 9000, 50000), 64800)
        rows.append(f"example-pod-{number:04},{cpu},{memory},{gpus},{share},{spec},{qos},Succeeded,{created},{created + lives},{created}")
    return "\n".join(rows) + "\n"


def vms():
    """Virtual machines: 1,200 rows with lifetimes in hours and memory in GiB."""
    rng = random.Random("vms-small")
    rows = ["vm,created_s,lifetime_h,cores,memory_gib,owner,importance"]
    for number, created in enumerate(arrivals(rng, 1200, 25)):
        cores = rng.choices([1, 2, 4, 8, 16, 32], [30, 28, 20, 13, 7, 2])[0]
        memory = min(cores * rng.choices([2, 4, 8], [3, 5, 2])[0], 128)
        hours = min(lognormal(rng, 180, 3000) / 60, 72)
        owner = rng.choices(["web", "data", "build", "lab"], [5, 3, 4, 2])[0]
        importance = rng.choices([0, 1], [4, 1])[0]
        rows.append(f"vm-{number:04},{created},{hours:.3f},{cores},{memory},{owner},{importance}")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    makers = {"batch-small.swf": batch, "gpu-nodes-small.csv": gpu_nodes, "gpu-pods-small.csv": gpu_pods, "vms-small.csv": vms}
    for name, make in makers.items():
        (FOLDER / name).write_text(make())
