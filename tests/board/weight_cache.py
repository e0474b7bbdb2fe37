#!/usr/bin/env python3
"""Runs an int8 plan with a cache of packed weights on the workstation and on other machines, emulated.

Outputs have to be the workstation's, with an empty cache, with the machine's own file and with another machine's file
in its place, which has to be replaced. Machines with other instruction sets have to name their files otherwise.
What comes after `--` goes to `bantam compile`.
"""
import argparse
import json
import pathlib
import shlex
import shutil
import sys

from same_bits import outputs, run, same_bytes


class Machine:
    def __init__(self, name, program, work):
        self.name = name
        self.program = program
        self.work = work / name
        self.cache = self.work / "cache"
        shutil.rmtree(self.work, ignore_errors=True)
        self.cache.mkdir(parents=True)

    def difference(self, plan, sample, expected):
        """How the outputs with the cache differ from the expected ones; "" when they do not."""
        with_cache = [*self.program, "run", plan, "--input", sample, "--output", self.work / "out", "--cache", self.cache]
        run(with_cache)
        return same_bytes(expected, {path.name: path for path in (self.work / "out").glob("*.npy")})

    def maps_weights(self, plan):
        report = run([*self.program, "bench", plan, "--min-time", "0", "--json", "--cache", self.cache])
        memory = json.loads(report)
        return memory["cached_bytes"] > 0 and memory["packed_bytes"] == 0

    def file(self):
        (file,) = self.cache.iterdir()
        return file


def check(machine, other, plan, sample, expected):
    """The first thing that is wrong with a machine, given another's file as well."""
    if problem := machine.difference(plan, sample, expected):
        return f"with an empty cache, {problem}"
    if not machine.maps_weights(plan):
        return "does not map the weights it has packed"
    if problem := machine.difference(plan, sample, expected):
        return f"with its own file, {problem}"
    if other is None or other.file().name == machine.file().name:
        return ""
    own = machine.file().read_bytes()
    shutil.copyfile(other.file(), machine.file())
    if problem := machine.difference(plan, sample, expected):
        return f"with the file of {other.name}, {problem}"
    return "" if machine.file().read_bytes() == own else f"does not replace the file of {other.name}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--calibrate", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--machine", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("options", nargs="*", help="for bantam compile")
    return parser.parse_args()


def main():
    flags = arguments()
    flags.work.mkdir(parents=True, exist_ok=True)
    plan = flags.work / "int8.bantam"
    run([flags.program, "compile", flags.model, "-o", plan, "--precision", "int8", "--calibrate", flags.calibrate,
         *flags.options])
    expected = outputs([flags.program], plan, flags.input, flags.work / "expected")
    machines = [Machine("workstation", [flags.program], flags.work)]
    for machine in flags.machine:
        name, command = machine.split("=", 1)
        machines.append(Machine(name, shlex.split(command), flags.work))
    failures = 0
    names = {}
    for i, machine in enumerate(machines):
        problem = check(machine, machines[i - 1] if i > 0 else None, plan, flags.input, expected)
        failures += bool(problem)
        names[machine.name] = machine.file().name
        print(f"{machine.name}: {problem or names[machine.name]}", flush=True)
    for one, another in (("workstation", "cortex-a53"), ("cortex-a53", "arm64-max"), ("x86-sse3", "x86-haswell")):
        if one in names and another in names and names[one] == names[another]:
            failures += 1
            print(f"{one} and {another} take each other's files")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
