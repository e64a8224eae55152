"""One library in its own process: reads requests, one JSON object a line, and answers each with one."""

import ctypes
import importlib
import json
import os
import signal
import sys
import time
import timeit


def die_with_parent():
    """A stopped process would outlive a benchmark that was killed."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main(library, threads):
    die_with_parent()
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not mix with the replies
    names = {}
    if library == "jax":
        os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={threads}")
        names = {"jax": importlib.import_module("jax"), "jnp": importlib.import_module("jax.numpy")}
        version = names["jax"].__version__
    else:
        torch = importlib.import_module(library)
        for module in ("nn", "nn.functional", "optim"):
            try:
                importlib.import_module(f"{library}.{module}")
            except ImportError:
                pass
        torch.set_num_threads(threads)
        names = {"torch": torch}
        version = torch.__version__
    replies.write(json.dumps({"version": str(version)}) + "\n")
    timer = None
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            if "setup" in ask:
                timer = None
                # timeit would run the setup again for every measurement: run it once and keep its names.
                scope = dict(names)
                exec(ask["setup"], scope)
                timer = timeit.Timer(ask["statement"], "pass", globals=scope)
                start = time.perf_counter()
                timer.timeit(1)
                first = time.perf_counter() - start
                reply = {"first": first, "second": timer.timeit(1)}
            elif "number" in ask:
                timer.timeit(max(1, ask["number"] // 20))  # warm caches and wake the pool
                reply = {"seconds": timer.timeit(ask["number"]) / ask["number"]}
            else:
                timer = scope = None
                reply = {}
        except Exception as e:
            reply = {"error": f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"}
        replies.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
