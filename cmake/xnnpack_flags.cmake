# For x86; read by XNNPACK's own project. GCC keeps one accumulator of these kernels in memory, unless it may order instructions by
# the registers they need: they then run 2.3 times as fast.
if(PROJECT_NAME STREQUAL "XNNPACK" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  file(GLOB sources RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" src/f32-gemm/gen/*fma3-broadcast*.c src/f32-igemm/gen/*fma3-broadcast*.c)
  set_property(SOURCE ${sources} APPEND PROPERTY COMPILE_OPTIONS -fschedule-insns -fsched-pressure)
endif()
