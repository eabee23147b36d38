# SPDX-License-Identifier: MIT
"""M/M/1 with SimPy: the model of mm1-models.ts. Usage: mm1.py CUSTOMERS SEED; prints JSON."""
import json
import random
import sys
import time

import simpy

ARRIVAL = 0.010
SERVICE = 0.008


def main(customers, seed):
    env = simpy.Environment()
    server = simpy.Resource(env)
    arrivals = random.Random(seed)
    services = random.Random(seed + 1)
    waited = [0.0]

    def customer():
        arrived = env.now
        with server.request() as request:
            yield request
            waited[0] += env.now - arrived
            yield env.timeout(services.expovariate(1 / SERVICE))

    def source():
        for _ in range(customers):
            yield env.timeout(arrivals.expovariate(1 / ARRIVAL))
            env.process(customer())

    env.process(source())
    begun = time.perf_counter()
    cpu_begun = time.process_time()
    env.run()
    seconds = time.perf_counter() - begun
    cpu_seconds = time.process_time() - cpu_begun
    # SimPy numbers its events from 0; the next number is how many there were.
    events = next(env._eid)
    print(json.dumps({"version": simpy.__version__, "python": sys.version.split()[0], "seconds": seconds,
                      "cpuSeconds": cpu_seconds, "events": events, "waited": waited[0] / customers}))


main(int(sys.argv[1]), int(sys.argv[2]))
