# bantam_flatbuffer(TARGET file.fbs): an INTERFACE library TARGET whose users can #include "<name>_generated.h".
function(bantam_flatbuffer target schema)
  get_filename_component(schema "${schema}" ABSOLUTE)
  get_filename_component(name "${schema}" NAME_WE)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/generated")
  add_custom_command(OUTPUT "${out}/${name}_generated.h"
    COMMAND flatc --cpp --cpp-std c++17 --scoped-enums --gen-object-api --gen-compare --gen-name-strings --gen-all -o "${out}" "${schema}"
    DEPENDS "${schema}" flatc VERBATIM)
  add_custom_target(${target}_generate DEPENDS "${out}/${name}_generated.h")
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_generate)
  target_include_directories(${target} SYSTEM INTERFACE "${out}")
  target_link_libraries(${target} INTERFACE flatbuffers)
endfunction()
