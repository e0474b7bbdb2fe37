#!/usr/bin/env python3
"""Measures what each kernel adds to the stripped libbantam.so for 64-bit ARM and writes tools/size/kernel_sizes.inc.

It builds the library once with every kernel, once without and once with each kernel alone; only the table of kernels
is compiled again, so that takes minutes. What fp16 plans need of a kernel besides counts as one more. The linker's maps say which sections each of these builds holds. Sections held
by the same kernels make a group, which costs its bytes as soon as one of these kernels is in: so the sum for several
kernels counts what they share once. What no section shows (unwind tables, relocations) is spread in proportion.

  measure.py [--work DIR] [--toolchain FILE] [--strip PROGRAM] [--resume] [--check NAME,NAME...]...
  measure.py --covered

--resume takes from DIR what a run that was interrupted has measured, of the same sources.
--covered only tells whether the written table knows every kernel of kernels/kernel_list.inc.
--check builds with these kernels (as BANTAM_ONLY takes them, plans too) and compares the result with the prediction.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = REPO / "tools/size/kernel_sizes.inc"
LINE = re.compile(r"^BANTAM_KERNEL\(k(\w+), k(\w+), .*, ([^,]+)\)$")
SECTION = re.compile(r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$")
# Of the linker's own making, or shrunk after the map's sizes were taken.
SPREAD = (".eh_frame", ".rela", ".dyn", ".hash", ".gnu", ".got", ".plt", ".note", ".comment", ".debug")


Kernel = collections.namedtuple("Kernel", "op type halves")  # type: of the op's first input, "" for any


def choice(kernel):
    """The kernel as BANTAM_ONLY takes it."""
    if kernel.halves:
        return ".".join([kernel.op, *([kernel.type] if kernel.type not in ("", "float32") else []), "float16"])
    return f"{kernel.op}.{kernel.type or 'any'}"


class Build:
    """One build tree, configured anew for every choice of kernels."""

    def __init__(self, arguments):
        self.work = pathlib.Path(arguments.work).resolve()
        self.strip = arguments.strip
        self.toolchain = arguments.toolchain
        self.resume = arguments.resume
        self.work.mkdir(parents=True, exist_ok=True)

    def alone(self, kernel):
        """What __call__ gives for one kernel, kept in a file for --resume."""
        kept = self.work / f"{choice(kernel)}.json"
        if not (self.resume and kept.exists()):
            size, sections = self(choice(kernel))
            kept.write_text(json.dumps([size, list(sections.items())]))
        size, sections = json.loads(kept.read_text())
        return size, {tuple(key): value for key, value in sections}

    def __call__(self, only):
        """Builds with BANTAM_ONLY=only: bytes of the stripped library, {section: bytes}."""
        linker_map = self.work / "libbantam.map"
        run("cmake", "-S", REPO, "-B", self.work / "build", "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={self.toolchain}",
            "-DCMAKE_BUILD_TYPE=MinSizeRel", "-DBUILD_SHARED_LIBS=ON", "-DBANTAM_BUILD_TESTS=OFF",
            f"-DCMAKE_SHARED_LINKER_FLAGS=-Wl,-Map={linker_map}", f"-DBANTAM_ONLY={only}")
        run("cmake", "--build", self.work / "build", "--target", "bantam", "-j1")
        stripped = self.work / "libbantam.so"
        run(self.strip, "-o", stripped, (self.work / "build/runtime/libbantam.so").resolve())
        return stripped.stat().st_size, sections_of(linker_map.read_text())


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"measure: {' '.join(map(str, command))} failed:\n{done.stdout}")


def sections_of(text):
    """The input sections that the linker kept: {(name, file, number among equals): bytes}."""
    text = text[text.index("Linker script and memory map"):]
    text = re.sub(r"\n (\.\S+)\n +", r"\n \1 ", text)  # long names have a line of their own
    kept, seen = {}, {}
    for line in text.splitlines():
        match = SECTION.match(line)
        if not match or match[1].startswith(SPREAD):
            continue
        address, size = int(match[2], 16), int(match[3], 16)
        if address == 0 or size == 0:
            continue
        key = match[1], match[4]
        seen[key] = seen.get(key, 0) + 1
        kept[*key, seen[key]] = size
    return kept


def kernels(path):
    """The kernels of a list such as kernels/kernel_list.inc, in its order."""
    found = []
    for op, kind, halves in (match.groups() for match in map(LINE.match, path.read_text().splitlines()) if match):
        kind = "" if kind == "Any" else kind.lower()
        found.append(Kernel(op, kind, False))
        if halves not in ("nullptr", "left_out"):
            found.append(Kernel(op, kind, True))
    return found


def groups_of(base, holds):
    """[(bytes, kernels)] of the sections that are not in every build; a section's size may differ a little by build."""
    owners, sizes = {}, {}
    for index, sections in enumerate(holds):
        for section, size in sections.items():
            if section not in base:
                owners.setdefault(section, set()).add(index)
                sizes[section] = max(size, sizes.get(section, 0))
    groups = {}
    for section, indices in owners.items():
        key = tuple(sorted(indices))
        groups[key] = groups.get(key, 0) + sizes[section]
    return [(size, key) for key, size in sorted(groups.items())]


def write(base, everything, names, groups):
    lines = [
        "// Made by tools/size/measure.py. Bytes of the stripped libbantam.so for 64-bit ARM without kernels and with all.",
        f"constexpr size_t kBaseBytes = {base};",
        f"constexpr size_t kAllBytes = {everything};",
        "",
        "constexpr SizedKernel kKernels[] = {",
        *(f'    {{"{op}", "{kind}", {str(halves).lower()}}},' for op, kind, halves in names),
        "};",
        "",
        "// What a group of kernels adds when at least one of them is in.",
        "constexpr SizedGroup kGroups[] = {",
        *(f"    {{{size}, {{{', '.join(map(str, key))}}}}}," for size, key in groups),
        "};",
    ]
    OUTPUT.write_text("\n".join(lines) + "\n")


def covered(names):
    found = re.findall(r'^    \{"(\w+)", "(\w*)", (\w+)\},$', OUTPUT.read_text(), re.MULTILINE)
    known = [Kernel(op, kind, halves == "true") for op, kind, halves in found]
    for kernel in sorted(set(names) ^ set(known)):
        print(f"{OUTPUT.name} and kernel_list.inc differ in {choice(kernel)}: run tools/size/measure.py")
    return sorted(names) == sorted(known)


def predict(base, groups, indices):
    return base + sum(size for size, key in groups if not indices.isdisjoint(key))


def indices_of(build_folder, names):
    """Which kernels the tree's last configuration has chosen."""
    return {names.index(kernel) for kernel in kernels(build_folder / "kernels/generated/built_kernels.inc")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", default=REPO / "build/size_measure")
    parser.add_argument("--toolchain", default=REPO / "toolchains/aarch64-linux.cmake")
    parser.add_argument("--strip", default="aarch64-linux-gnu-strip")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--check", action="append", default=[])
    parser.add_argument("--covered", action="store_true")
    arguments = parser.parse_args()
    names = kernels(REPO / "kernels/kernel_list.inc")
    if arguments.covered:
        sys.exit(0 if covered(names) else 1)
    build = Build(arguments)
    base, base_sections = build("none")
    everything, all_sections = build("")
    holds = []
    for kernel in names:
        size, sections = build.alone(kernel)
        holds.append(sections)
        print(f"{choice(kernel)}: alone {size} bytes", flush=True)

    groups = groups_of(base_sections, holds)
    scale = (everything - base) / sum(size for size, _ in groups)
    groups = [(round(size * scale), key) for size, key in groups if round(size * scale) > 0]
    write(base, everything, names, groups)
    print(f"without kernels {base}, with all {everything}, {len(groups)} groups, other sections x{scale:.3f}")
    for only in arguments.check:
        actual, _ = build(only.replace(",", ";"))
        predicted = predict(base, groups, indices_of(build.work / "build", names))
        print(f"{only}: predicted {predicted}, built {actual}, {100 * (predicted - actual) / actual:+.1f} %")


main()
