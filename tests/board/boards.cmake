# What this machine can emulate.
#   BANTAM_BOARDS    presets that build programs for other processors; for each, BANTAM_BOARD_<board>_BITS, of a pointer, and
#                    BANTAM_BOARD_<board>_LACKS, the program that is missing to build or emulate ("" when all are there)
#   BANTAM_MACHINES  processors that can be emulated; for each, BANTAM_<machine>_command, what starts a program on it,
#                    BANTAM_<machine>_board, the board of its programs ("" is this machine's own build), and
#                    BANTAM_<machine>_features, what tests/board/processor.cc has to find there
set(BANTAM_BOARDS "")
set(BANTAM_MACHINES "")

# bantam_board(NAME BITS PROGRAM...): PROGRAMs are what building for it and emulating it need.
macro(bantam_board name bits)
  list(APPEND BANTAM_BOARDS ${name})
  set(BANTAM_BOARD_${name}_BITS ${bits})
  set(BANTAM_BOARD_${name}_LACKS "")
  foreach(program ${ARGN})
    find_program(BANTAM_PROGRAM_${program} ${program})
    mark_as_advanced(BANTAM_PROGRAM_${program})
    if(NOT BANTAM_PROGRAM_${program})
      set(BANTAM_BOARD_${name}_LACKS ${program})
    endif()
  endforeach()
endmacro()

# bantam_machine(NAME BOARD FEATURES COMMAND...)
macro(bantam_machine name board features)
  if("${board}" STREQUAL "" OR "${BANTAM_BOARD_${board}_LACKS}" STREQUAL "")
    set(BANTAM_${name}_command ${ARGN})
    set(BANTAM_${name}_board "${board}")
    set(BANTAM_${name}_features "${features}")
    list(APPEND BANTAM_MACHINES ${name})
  endif()
endmacro()

bantam_board(aarch64 64 qemu-aarch64-static aarch64-linux-gnu-g++)
set(qemu qemu-aarch64-static -L /usr/aarch64-linux-gnu -cpu)
bantam_machine(cortex-a53 aarch64 "neon" ${qemu} cortex-a53)
bantam_machine(cortex-a76 aarch64 "neon fp16 dot" ${qemu} cortex-a76)
bantam_machine(arm64-max aarch64 "neon fp16 dot i8mm" ${qemu} max)

# ARMv7, and ARMv8 in 32-bit mode, of which cpuinfo sees no more than NEON under emulation.
bantam_board(armv7 32 qemu-arm-static arm-linux-gnueabihf-g++)
set(qemu qemu-arm-static -L /usr/arm-linux-gnueabihf -cpu)
bantam_machine(cortex-a7 armv7 "neon" ${qemu} cortex-a7)
bantam_machine(arm-max armv7 "neon" ${qemu} max)

find_program(BANTAM_PROGRAM_qemu-x86_64-static qemu-x86_64-static)
mark_as_advanced(BANTAM_PROGRAM_qemu-x86_64-static)
if(BANTAM_PROGRAM_qemu-x86_64-static AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT CMAKE_CROSSCOMPILING)
  bantam_machine(x86-sse3 "" "" qemu-x86_64-static -cpu qemu64)
  bantam_machine(x86-nehalem "" "ssse3 sse4.1" qemu-x86_64-static -cpu Nehalem)
  bantam_machine(x86-sandybridge "" "ssse3 sse4.1 avx" qemu-x86_64-static -cpu SandyBridge)
  bantam_machine(x86-haswell "" "ssse3 sse4.1 avx f16c fma avx2" qemu-x86_64-static -cpu Haswell)
endif()
