"""Write a scheduling policy for windtunnel in Python.

Copy this file beside your own, override the methods of `Policy` that you
serve, and name your program in a scenario:

    [policy.mine.place]
    external = ["python3", "ours.py"]

The protocol is version 1 of `docs/policy.md`: JSON lines on standard input and
output. Only the standard library is used; Python 3.9 or later. Times are whole
microseconds on the run's clock, cores are thousandths, memory is MiB, shares of
a GPU are thousandths. `print` goes to standard error, which windtunnel shows
when something fails.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from random import Random
from typing import Any, Collection, Dict, Iterable, List, Optional, TextIO, Tuple

PROTOCOL = 1

Share = Dict[str, Any]
"""Tasks on one instance: `{"instance": 3, "tasks": 2}`; see `share`."""

Action = Dict[str, Any]
"""What a whole policy does: `{"place": ...}`, `{"rent": ...}` and so on."""


@dataclass(frozen=True)
class InstanceType:
    """A size of machine, with what work can use of it."""

    name: str
    cpu: int
    memory: int
    gpus: int
    gpu_model: Optional[str]
    speed: int


@dataclass
class Offer:
    """What can be rented, or is owned."""

    name: str
    region: str
    zone: str
    type: InstanceType
    market: str
    price: float
    """US dollars per hour, now."""
    capacity: Optional[int]
    boot: Optional[int]
    """Mean time from request to ready."""


@dataclass
class Rules:
    """Where work may run."""

    offers: Optional[frozenset]
    """Names of offers; `None` allows all."""
    spread: str
    together: str
    """How close together gangs stay: zone, region, provider or anywhere."""
    speeds: Dict[str, int]


@dataclass
class Instance:
    """An instance, with what is free on it now."""

    number: int
    offer: Offer
    booting: bool
    cpu: int
    memory: int
    gpus: List[int]
    allocations: int

    def room(self, work: Work) -> int:
        """How many tasks of `work` fit, if its rules allow them here."""
        if work.rules.offers is not None and self.offer.name not in work.rules.offers:
            return 0
        if work.exclusive and self.allocations:
            return 0
        room = sys.maxsize
        if work.cpu:
            room = min(room, self.cpu // work.cpu)
        if work.memory:
            room = min(room, self.memory // work.memory)
        if work.gpus == 1 and not work.exclusive:
            room = min(room, sum(free // work.gpu_share for free in self.gpus))
        elif work.gpus > 1:
            devices = sum(free >= work.gpu_share for free in self.gpus)
            room = min(room, devices // work.gpus)
        return room

    def mean_left(self, work: Work) -> int:
        """Mean over its resources of what a task leaves free, in millionths."""
        whole = self.offer.type
        parts = [(self.cpu - work.cpu, whole.cpu), (self.memory - work.memory, whole.memory)]
        parts.append((sum(self.gpus) - work.gpus * work.gpu_share, 1000 * whole.gpus))
        shares = [free * 1_000_000 // all_of_it for free, all_of_it in parts if all_of_it]
        return sum(shares) // max(1, len(shares))


@dataclass
class Work:
    """A job or virtual machine, as far as an operator sees it."""

    number: int
    submitted: int
    tasks: int
    gang: bool
    cpu: int
    memory: int
    gpus: int
    gpu_share: int
    estimate: Optional[int]
    deadline: Optional[int]
    priority: int
    tenant: str
    rules: Rules
    ask: Dict[str, Any]
    """Everything else that its `submitted` record says."""
    waiting: int = 0
    """Tasks that are not placed. Of a gang all, or none while it runs, with however many."""
    fewest: int = 0
    """Fewest tasks that may be placed together now: all of a gang, but of one that can go on
    with fewer once its provider or a failure took its place; otherwise one."""

    @property
    def exclusive(self) -> bool:
        """Whether it has its instances alone: its tasks share them, nothing else does."""
        return self.ask.get("exclusive", False)

    def site(self, offer: Offer) -> Optional[Tuple[Optional[str], ...]]:
        """Where `offer` lies for a gang, all of which has one site; `None`
        where its tasks may lie anywhere."""
        together = self.rules.together
        if not self.gang or self.tasks == 1 or together == "anywhere":
            return None
        model = offer.type.gpu_model if self.gpus else None
        if together == "provider":
            return (offer.region.split("/")[0], model)
        return (offer.region, offer.zone if together == "zone" else None, model)

    def one_by_one(self) -> bool:
        """Whether its tasks must be placed one by one: they are spread, or
        share devices with each other."""
        if self.rules.spread != "none":
            return True
        return self.gpus > 0 and self.gpu_share < 1000 and not self.exclusive


@dataclass
class Allocation:
    """Placed tasks."""

    number: int
    work: Work
    on: List[Share]
    started: Optional[int] = None


@dataclass
class World:
    """What windtunnel has told so far. Everything in it is up to date at each
    question; what `take` changes is put back after the answer."""

    seed: int
    random: Random
    """Seeded by windtunnel: the same run draws the same numbers."""
    start: str
    now: int
    types: List[InstanceType]
    offers: Dict[str, Offer]
    quotas: List[Dict[str, Any]]
    links: List[Dict[str, Any]]
    instances: Dict[int, Instance] = field(default_factory=dict)
    work: Dict[int, Work] = field(default_factory=dict)
    allocations: Dict[int, Allocation] = field(default_factory=dict)
    rules: Dict[int, Rules] = field(default_factory=dict)
    records: List[Tuple[str, Dict[str, Any]]] = field(default_factory=list)
    """What has happened since the last question: kind and facts."""
    _taken: List[Tuple[Instance, int, int, List[int], int]] = field(default_factory=list)

    def waiting(self) -> List[Work]:
        """Work with tasks that are not placed, in order of submission."""
        return [work for work in self.work.values() if work.waiting]

    def take(self, instance: Instance, work: Work, tasks: int = 1) -> None:
        """Counts `tasks` of `work` as placed on `instance`, for the rest of
        this answer. Devices are those that windtunnel takes: the fullest with room."""
        saved = (instance, instance.cpu, instance.memory, instance.gpus, instance.allocations)
        self._taken.append(saved)
        instance.allocations += 1
        if work.exclusive:
            instance.cpu = instance.memory = 0
            instance.gpus = [0] * len(instance.gpus)
            return
        instance.cpu -= tasks * work.cpu
        instance.memory -= tasks * work.memory
        if work.gpus:
            fitting = [at for at, free in enumerate(instance.gpus) if free >= work.gpu_share]
            fitting.sort(key=lambda at: (instance.gpus[at], at))
            instance.gpus = list(instance.gpus)
            for at in fitting[: tasks * work.gpus]:
                instance.gpus[at] -= work.gpu_share

    def taken(self) -> int:
        """How often something was taken in this answer, for `put_back`."""
        return len(self._taken)

    def put_back(self, taken: int = 0) -> None:
        """Undoes what was taken in this answer since `taken` was read."""
        while len(self._taken) > taken:
            instance, cpu, memory, gpus, allocations = self._taken.pop()
            instance.cpu, instance.memory, instance.gpus = cpu, memory, gpus
            instance.allocations = allocations


class Policy:
    """Override what you serve; the rest is never asked. An instance of your
    class lives for one run."""

    def begin(self, world: World) -> None:
        """The run begins; nothing has happened yet."""

    def decide(self, world: World, triggers: List[Any]) -> List[Action]:
        """Of a whole policy: what is to be done now?"""
        raise NotImplementedError("this policy serves parts, and was asked as a whole policy")

    def preempt(self, world: World, work: Work) -> Iterable[int]:
        """Which allocations yield so that `work` fits, the first in front?"""
        raise NotImplementedError("this policy does not serve `preempt`")

    def admit(self, world: World, arrivals: List[Work], waiting: int) -> Iterable[Work]:
        """Which of the arrivals are turned away?"""
        raise NotImplementedError("this policy does not serve `admit`")

    def order(self, world: World, work: List[Work]) -> Dict[int, float]:
        """Scores by number, the smallest is served first: for all of `work`,
        which is new, and for other waiting work whose score changes."""
        raise NotImplementedError("this policy does not serve `order`")

    def place(
        self, world: World, work: Work, tasks: int, not_on: Collection[int]
    ) -> List[Share]:
        """Where do the waiting tasks of `work` go? Nowhere: an empty list. Its
        spread allows none on the instances of `not_on`."""
        raise NotImplementedError("this policy does not serve `place`")

    def backfill(self, world: World, head: Work, waiting: List[Work]) -> Iterable[Work]:
        """`head` does not fit: who of those behind it is tried, in which order?"""
        raise NotImplementedError("this policy does not serve `backfill`")

    def provision(
        self, world: World, work: Optional[Work], tasks: int
    ) -> Tuple[Iterable[str], Optional[int]]:
        """Which offers to rent one instance of each, for `work`, which fits
        nowhere (`None`: the run begins); and when to be asked again."""
        raise NotImplementedError("this policy does not serve `provision`")

    def release(
        self, world: World, idle: List[Instance]
    ) -> Tuple[Iterable[Instance], Optional[int]]:
        """Which of the idle instances go back; and when to be asked again."""
        raise NotImplementedError("this policy does not serve `release`")


def share(instance: Instance, tasks: int = 1) -> Share:
    """This many tasks on that instance."""
    return {"instance": instance.number, "tasks": tasks}


def serve(policy: Policy, lines: Optional[TextIO] = None, out: Optional[TextIO] = None) -> None:
    """Answers questions until standard input ends."""
    lines = sys.stdin if lines is None else lines
    out = sys.stdout if out is None else out
    sys.stdout = sys.stderr
    world: Optional[World] = None
    for line in lines:
        message = json.loads(line)
        if "hello" in message:
            world = _world(message["hello"])
            policy.begin(world)
            reply: Dict[str, Any] = {"ready": {"protocol": PROTOCOL}}
        else:
            call = message["call"]
            assert world is not None, "windtunnel says hello first"
            _hear(world, call)
            answer = _answer(policy, world, call["ask"])
            world.put_back()
            reply = {"answer": {"number": call["number"], **answer}}
        out.write(json.dumps(reply, separators=(",", ":"), allow_nan=False) + "\n")
        out.flush()


def _world(hello: Dict[str, Any]) -> World:
    if hello["protocol"] != PROTOCOL:
        raise SystemExit(f"windtunnel speaks protocol {hello['protocol']}, this client {PROTOCOL}")
    world = hello["world"]
    types = [
        InstanceType(
            row["name"], row["cpu"], row["memory"], row["gpus"], row.get("gpu_model"), row["speed"]
        )
        for row in world["types"]
    ]
    offers = {
        row["name"]: Offer(
            row["name"],
            row["region"],
            row["zone"],
            types[row["type"]],
            row["market"],
            row["price"],
            row.get("capacity"),
            row.get("boot"),
        )
        for row in world["offers"]
    }
    return World(
        seed=hello["seed"],
        random=Random(hello["seed"]),
        start=hello["start"],
        now=hello["now"],
        types=types,
        offers=offers,
        quotas=world.get("quotas", []),
        links=world.get("links", []),
    )


def _hear(world: World, call: Dict[str, Any]) -> None:
    """Brings the world up to date."""
    world.now = call["now"]
    world.records = [item for record in call.get("records", []) for item in record.items()]
    for kind, facts in world.records:
        _record(world, kind, facts)
    if call.get("reset"):
        world.instances.clear()
    for row in call.get("instances", []):
        world.instances[row["instance"]] = Instance(
            row["instance"],
            world.offers[row["offer"]],
            row.get("booting", False),
            row["cpu"],
            row["memory"],
            row.get("gpus", []),
            row["allocations"],
        )
    for number in call.get("gone", []):
        world.instances.pop(number, None)


def _record(world: World, kind: str, facts: Dict[str, Any]) -> None:
    if kind == "rules":
        offers = facts.get("offers")
        allowed = None if offers is None else frozenset(offers)
        rules = Rules(
            allowed, facts["spread"], facts.get("together", "zone"), facts.get("speeds", {})
        )
        world.rules[facts["rules"]] = rules
    elif kind == "submitted":
        world.work[facts["work"]] = Work(
            facts["work"],
            facts["at"],
            facts["tasks"],
            facts["gang"],
            facts["cpu"],
            facts["memory"],
            facts.get("gpus", 0),
            facts.get("gpu_share", 0),
            facts.get("estimate"),
            facts.get("deadline"),
            facts["priority"],
            facts["tenant"],
            world.rules[facts["rules"]],
            facts,
            facts["tasks"],
            facts["tasks"] if facts["gang"] else 1,
        )
    elif kind == "placed":
        work = world.work[facts["work"]]
        work.waiting = 0 if work.gang else work.waiting - _tasks(facts["on"])
        number = facts["allocation"]
        world.allocations[number] = Allocation(number, work, facts["on"])
    elif kind == "started":
        world.allocations[facts["allocation"]].started = facts["at"]
    elif kind in ("done", "cancelled"):
        del world.allocations[facts["allocation"]]
    elif kind in ("preempted", "interrupted", "failed", "migrated"):
        allocation = world.allocations.pop(facts["allocation"])
        work = allocation.work
        work.waiting = work.tasks if work.gang else work.waiting + _tasks(allocation.on)
        if kind in ("interrupted", "failed"):
            work.fewest = work.ask.get("min_tasks", work.fewest)
    elif kind in ("finished", "refused"):
        del world.work[facts["work"]]
    elif kind == "price_changed":
        world.offers[facts["offer"]].price = facts["price"]


def _tasks(shares: List[Share]) -> int:
    return sum(one.get("tasks", 1) for one in shares)


def _answer(policy: Policy, world: World, ask: Dict[str, Any]) -> Dict[str, Any]:
    ((question, facts),) = ask.items()
    work = world.work
    if question == "decide":
        return {"actions": policy.decide(world, facts["triggers"])}
    if question == "preempt":
        return {"preempt": list(policy.preempt(world, work[facts["work"]]))}
    if question == "admit":
        arrivals = [work[number] for number in facts["work"]]
        refused = policy.admit(world, arrivals, facts["waiting"])
        return {"refuse": [one.number for one in refused]}
    if question == "order":
        return {"scores": policy.order(world, [work[number] for number in facts["work"]])}
    if question == "place":
        not_on = frozenset(facts.get("not_on", []))
        return {"on": policy.place(world, work[facts["work"]], facts["tasks"], not_on)}
    if question == "backfill":
        waiting = [work[number] for number in facts["waiting"]]
        chosen = policy.backfill(world, work[facts["head"]], waiting)
        return {"overtake": [one.number for one in chosen]}
    if question == "provision":
        number = facts.get("work")
        wanted = None if number is None else work[number]
        offers, wake = policy.provision(world, wanted, facts["tasks"])
        return {"rent": list(offers), **_wake(wake)}
    if question == "release":
        idle = [world.instances[number] for number in facts["idle"]]
        given, wake = policy.release(world, idle)
        return {"release": [one.number for one in given], **_wake(wake)}
    return {}


def _wake(at: Optional[int]) -> Dict[str, int]:
    return {} if at is None else {"wake": at}
