"""Best fit: each task goes to the fullest instance that has room for it.

Serves the `place` part, and as a whole policy: first come, first served, and
whoever fits may go before the others.
"""

from windtunnel_policy import Policy, serve, share


class BestFit(Policy):
    def place(self, world, work, tasks, not_on):
        passed = []  # sites where a gang does not fit
        while True:
            fits = [one for one in world.instances.values() if one.number not in not_on]
            fits = [one for one in fits if one.room(work) and work.site(one.offer) not in passed]
            if not fits:
                return []
            best = min(fits, key=lambda one: (one.mean_left(work), one.number))
            site = work.site(best.offer)
            shares = self.place_in(site, world, work, tasks, not_on)
            if shares or site is None:
                return shares
            passed.append(site)

    def place_in(self, site, world, work, tasks, not_on):
        shares, before = [], world.taken()
        while tasks:
            fits = [one for one in world.instances.values() if one.room(work)]
            fits = [one for one in fits if one.number not in not_on]
            fits = [one for one in fits if work.site(one.offer) == site]
            if not fits and work.gang:
                world.put_back(before)  # all tasks start together, or none
                return []
            if not fits:
                return shares
            best = min(fits, key=lambda one: (one.mean_left(work), one.number))
            count = 1 if work.one_by_one() else min(tasks, best.room(work))
            world.take(best, work, count)
            shares.append(share(best, count))
            if work.rules.spread != "none":
                break  # what is allowed next depends on this task
            tasks -= count
        return shares

    def decide(self, world, triggers):
        places = []
        for work in world.waiting():
            shares = self.place(world, work, work.waiting, ())
            # Tasks that start together end together; others are on their own.
            for on in [shares] if work.gang else [[one] for one in shares]:
                if on:
                    places.append({"place": {"work": work.number, "on": on}})
        return places


if __name__ == "__main__":
    serve(BestFit())
