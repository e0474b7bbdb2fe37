# Every third-party target of the project. Versions stand in sources.txt.
#   for the engine:   XNNPACK pthreadpool cpuinfo flatbuffers hwy, and flatc, which runs on this host
#   for the tools:    CLI11::CLI11 fmt::fmt nlohmann_json::nlohmann_json stb
#   for the compiler: Eigen3::Eigen bantam_onnx_proto
#   for tests:        Catch2::Catch2WithMain
#   for benchmarks:   benchmark::benchmark
include(FetchContent)
include("${CMAKE_CURRENT_LIST_DIR}/prebuild.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/instruction_sets.cmake")
find_package(Threads REQUIRED)

function(bantam_import name library include_dir)
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION "${library}")
  target_include_directories(${name} INTERFACE "${include_dir}")
  target_link_libraries(${name} INTERFACE ${ARGN})
endfunction()

function(bantam_headers name include_dir)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${name} INTERFACE "${include_dir}")
endfunction()

# XNNPACK. Its results must not depend on what a compiler makes of a * b + c, hence -ffp-contract=off.
foreach(name xnnpack pthreadpool cpuinfo fxdiv)
  bantam_source(${name})
endforeach()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86|AMD64|i.86")
  set(xnnpack_flags INCLUDE "${CMAKE_CURRENT_LIST_DIR}/xnnpack_flags.cmake")
endif()
bantam_instruction_sets(instruction_sets)
bantam_prebuild(dir xnnpack TARGET XNNPACK SOURCES pthreadpool cpuinfo fxdiv FLAGS -ffp-contract=off
  ${xnnpack_flags}
  DEFINES -DXNNPACK_LIBRARY_TYPE=static -DXNNPACK_BUILD_TESTS=OFF -DXNNPACK_BUILD_BENCHMARKS=OFF
    -DXNNPACK_BUILD_ALL_MICROKERNELS=OFF -DXNNPACK_ENABLE_KLEIDIAI=OFF -DCPUINFO_LOG_LEVEL=none ${instruction_sets})
get_filename_component(BANTAM_XNNPACK_BUILD "${dir}" NAME)  # version, processor, hash of settings and compiler
set(pthreadpool_library "${dir}/lib/libpthreadpool.a")
if(BANTAM_SANITIZE STREQUAL "thread")
  # The thread sanitizer has to see how the pool synchronizes, or it reports every kernel run on it.
  bantam_prebuild(tsan_dir pthreadpool TARGET pthreadpool SOURCES fxdiv FLAGS -fsanitize=thread
    DEFINES -DPTHREADPOOL_BUILD_TESTS=OFF -DPTHREADPOOL_BUILD_BENCHMARKS=OFF)
  set(pthreadpool_library "${tsan_dir}/lib/libpthreadpool.a")
endif()
bantam_import(pthreadpool "${pthreadpool_library}" "${pthreadpool_SOURCE_DIR}/include" Threads::Threads)
bantam_import(cpuinfo "${dir}/lib/libcpuinfo.a" "${cpuinfo_SOURCE_DIR}/include" Threads::Threads)
bantam_import(xnnpack_microkernels "${dir}/lib/libmicrokernels-prod.a" "${xnnpack_SOURCE_DIR}/include")
bantam_import(XNNPACK "${dir}/lib/libXNNPACK.a" "${xnnpack_SOURCE_DIR}/include"
  xnnpack_microkernels pthreadpool cpuinfo m)

# Highway, for kernels of our own.
bantam_source(highway)
bantam_prebuild(dir highway TARGET hwy FLAGS -ffp-contract=off
  DEFINES -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_CONTRIB=OFF)
bantam_import(hwy "${dir}/lib/libhwy.a" "${highway_SOURCE_DIR}")
target_compile_definitions(hwy INTERFACE HWY_STATIC_DEFINE)

# FlatBuffers: headers for the device, its schema compiler for this host.
bantam_source(flatbuffers)
bantam_headers(flatbuffers "${flatbuffers_SOURCE_DIR}/include")
bantam_prebuild(dir flatbuffers HOST TARGET flatc
  DEFINES -DFLATBUFFERS_BUILD_TESTS=OFF -DFLATBUFFERS_BUILD_FLATHASH=OFF -DFLATBUFFERS_BUILD_FLATLIB=OFF)
add_executable(flatc IMPORTED GLOBAL)
set_target_properties(flatc PROPERTIES IMPORTED_LOCATION "${dir}/bin/flatc")

if(BANTAM_BUILD_TESTS)
  bantam_source(catch2)
  bantam_prebuild(dir catch2 TARGET install DEFINES -DCATCH_INSTALL_DOCS=OFF)
  set(Catch2_DIR "${dir}/lib/cmake/Catch2")
  find_package(Catch2 3 REQUIRED CONFIG NO_DEFAULT_PATH GLOBAL)
  list(APPEND CMAKE_MODULE_PATH "${Catch2_DIR}")
endif()

if(BANTAM_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

# The command line exists on the device too: run, bench, verify, inspect. A distribution's fmt and nlohmann-json have no
# library for the device; their headers serve any, but not by way of /usr/include, where this host's headers are.
if(bantam_with_tools)
  bantam_source(cli11)
  # Compiled once: its headers alone take 20 seconds in every file that includes them.
  add_library(cli11 STATIC "${cli11_SOURCE_DIR}/src/Precompile.cpp")
  target_include_directories(cli11 SYSTEM PUBLIC "${cli11_SOURCE_DIR}/include")
  target_compile_definitions(cli11 PUBLIC CLI11_COMPILE)
  add_library(CLI11::CLI11 ALIAS cli11)
  if(CMAKE_CROSSCOMPILING)
    foreach(package fmt nlohmann)
      find_path(BANTAM_${package}_PARENT NAMES ${package} NO_CMAKE_FIND_ROOT_PATH REQUIRED)
      mark_as_advanced(BANTAM_${package}_PARENT)
      file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/headers")
      file(CREATE_LINK "${BANTAM_${package}_PARENT}/${package}" "${CMAKE_BINARY_DIR}/headers/${package}" SYMBOLIC)
    endforeach()
    bantam_headers(nlohmann_json::nlohmann_json "${CMAKE_BINARY_DIR}/headers")
    bantam_headers(fmt::fmt "${CMAKE_BINARY_DIR}/headers")
    target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
  else()
    find_package(fmt REQUIRED)
    find_package(nlohmann_json REQUIRED)
  endif()

  # Newer than Debian 12's, whose JPEG decoder writes out of bounds on damaged files.
  bantam_source(stb)
  bantam_headers(stb "${stb_SOURCE_DIR}")
endif()

if(BANTAM_BUILD_COMPILER)
  find_package(Eigen3 REQUIRED NO_MODULE)
  find_package(Protobuf REQUIRED)

  # Of ONNX only the message definitions are used: #include "onnx/onnx.pb.h".
  bantam_source(onnx)
  set(onnx_out "${CMAKE_BINARY_DIR}/onnx_proto")
  file(MAKE_DIRECTORY "${onnx_out}")
  add_custom_command(OUTPUT "${onnx_out}/onnx/onnx.pb.cc" "${onnx_out}/onnx/onnx.pb.h"
    COMMAND protobuf::protoc "--proto_path=${onnx_SOURCE_DIR}" "--cpp_out=${onnx_out}" onnx/onnx.proto
    DEPENDS "${onnx_SOURCE_DIR}/onnx/onnx.proto" VERBATIM)
  add_library(bantam_onnx_proto STATIC "${onnx_out}/onnx/onnx.pb.cc")
  target_compile_options(bantam_onnx_proto PRIVATE -w)
  target_include_directories(bantam_onnx_proto SYSTEM PUBLIC "${onnx_out}")
  target_link_libraries(bantam_onnx_proto PUBLIC protobuf::libprotobuf)
endif()
