"""A program to be killed: rebuilds, or follows until killed, in steps so small that any of them may be hit."""

import sys

from projections import rebuild, runner

if __name__ == "__main__":
    url, what = sys.argv[1:]
    rebuild.AT_ONCE, rebuild.WORTH_A_PROCESS = 2, 500
    with runner.Projector(url) as projector:
        projector.prepare()
        print("ready", flush=True)
        if what == "rebuild":
            rebuild.rebuild(url, 2)
        else:
            while True:
                projector.step()
