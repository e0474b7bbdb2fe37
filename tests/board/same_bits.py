#!/usr/bin/env python3
"""Compiles a model with the workstation's bantam and runs the plans there and on other machines, emulated.

int8, and a quantized model as it is ("as_model"): `bantam verify` has to pass, having compared the golden hashes of every op
and output that the workstation compares, and `bantam run` has to write the same bytes. fp32 and a float tail of an int8 plan:
outputs may differ by 1e-4 of the largest one. fp16: by 5e-2 on machines that compute in it, of which `bantam inspect` has to
say so, and by 1e-4 on the others. What comes after `--` goes to `bantam compile`.
"""
import argparse
import array
import json
import pathlib
import shlex
import struct
import subprocess
import sys

TOLERANCE = 1e-4  # of the largest output
FLOAT16_TOLERANCE = 5e-2  # what rounding every value between the layers makes of the most sensitive network
PROMISED = ("int8", "as_model")  # to be the same everywhere


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(map(str, command))}: status {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout


def outputs(program, plan, sample, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.npy"):
        old.unlink()
    run([*program, "run", plan, "--input", sample, "--output", folder])
    return {path.name: path for path in sorted(folder.glob("*.npy"))}


def same_bytes(expected, actual):
    different = [name for name, path in expected.items() if path.read_bytes() != actual[name].read_bytes()]
    return f"other bytes in {', '.join(different)}" if different else ""


def floats(path):
    content = path.read_bytes()
    (header,) = struct.unpack_from("<H", content, 8)
    if b"'<f4'" not in content[10 : 10 + header]:
        raise RuntimeError(f"{path}: not float32")
    return array.array("f", content[10 + header :])


def close(expected, actual, tolerance=TOLERANCE):
    for name, path in expected.items():
        want, got = floats(path), floats(actual[name])
        limit = tolerance * max(map(abs, want))
        error = max(abs(a - b) for a, b in zip(want, got, strict=True))
        if not error <= limit:
            return f"{name} differs by {error:.3g}, more than {limit:.3g}"
    return ""


def check_int8(program, plan, sample, folder, expected, float16):
    verified = subprocess.run([*program, "verify", plan, "--json"], capture_output=True, text=True)
    if verified.returncode != 0:
        return verified.stderr.strip().splitlines()[-1]
    # An output that floats have computed, such as that of a last softmax, is not promised.
    promised = json.loads(verified.stdout)["outputs_compared"] > 0
    different = (same_bytes if promised else close)(expected["outputs"], outputs(program, plan, sample, folder))
    if not different and json.loads(verified.stdout) != expected["verified"]:
        return f"verify says {verified.stdout.strip()}, not {json.dumps(expected['verified'])}"
    return different


def check_float(program, plan, sample, folder, expected, float16):
    return close(expected["outputs"], outputs(program, plan, sample, folder))


def on_workstation(program, plan, sample, folder, precision):
    expected = {"outputs": outputs([program], plan, sample, folder)}
    if precision in PROMISED:
        verified = json.loads(run([program, "verify", plan, "--json"]))
        if not verified["ops_compared"]:
            raise RuntimeError(f"{plan}: no op has a golden hash")
        print(f"{precision}: {verified['ops_compared']} ops and {verified['outputs_compared']} outputs to compare", flush=True)
        expected["verified"] = verified
    return expected


def check_fp16(program, plan, sample, folder, expected, float16):
    precision = json.loads(run([*program, "inspect", plan, "--json"]))["precision"]
    if (precision == "fp16") != float16:
        return f"computes in {precision}"
    tolerance = FLOAT16_TOLERANCE if float16 else TOLERANCE
    return close(expected["outputs"], outputs(program, plan, sample, folder), tolerance)


CHECKS = {"int8": check_int8, "as_model": check_int8, "fp32": check_float, "fp16": check_fp16}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--calibrate", help="for int8")
    parser.add_argument("--input", required=True)
    parser.add_argument("--machine", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("--float16", action="append", default=[], metavar="NAME", help="a machine that computes in float16")
    parser.add_argument("--precisions", default="int8,fp32,fp16")
    parser.add_argument("options", nargs="*", help="for bantam compile")
    return parser.parse_args()


def main():
    flags = arguments()
    flags.work.mkdir(parents=True, exist_ok=True)
    failures = 0
    for precision in flags.precisions.split(","):
        options = [] if precision == "as_model" else ["--precision", precision]
        if precision == "int8":
            options += ["--calibrate", flags.calibrate]
        plan = flags.work / f"{precision}.bantam"
        run([flags.program, "compile", flags.model, "-o", plan, *options, *flags.options])
        expected = on_workstation(flags.program, plan, flags.input, flags.work / precision / "workstation", precision)
        for machine in flags.machine:
            name, command = machine.split("=", 1)
            problem = CHECKS[precision](
                shlex.split(command), plan, flags.input, flags.work / precision / name, expected, name in flags.float16
            )
            failures += bool(problem)
            print(f"{precision} on {name}: {problem or 'agrees'}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
