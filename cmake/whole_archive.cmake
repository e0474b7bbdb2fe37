# bantam_whole_archive(FILE): libbantam.a with everything it needs, third-party libraries included, as one object in
# which nothing but bantam_* is visible. Sections stay apart, so a program that links it still drops what it does not use.
function(bantam_whole_archive file)
  get_filename_component(folder "${file}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  set(libraries bantam_runtime bantam_kernels XNNPACK xnnpack_microkernels pthreadpool cpuinfo hwy)
  list(TRANSFORM libraries REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  set(flags -r -nostdlib)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -Wl,--force-group-allocation)
  endif()
  set(support "")
  if(TARGET bantam_cxx_support)
    set(support "$<TARGET_OBJECTS:bantam_cxx_support>")
  endif()
  add_custom_command(OUTPUT "${file}"
    COMMAND "${CMAKE_CXX_COMPILER}" ${flags} -o "${folder}/visible.o" -Wl,--whole-archive "$<TARGET_FILE:bantam>"
      -Wl,--no-whole-archive ${support} -Wl,--start-group ${libraries} -Wl,--end-group
    COMMAND "${CMAKE_OBJCOPY}" --wildcard "--keep-global-symbol=bantam_*" "${folder}/visible.o" "${folder}/bantam.o"
    COMMAND "${CMAKE_COMMAND}" -E rm -f "${file}" "${folder}/visible.o"
    COMMAND "${CMAKE_AR}" rcsD "${file}" "${folder}/bantam.o"
    DEPENDS bantam bantam_runtime bantam_kernels ${support} COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(bantam_whole ALL DEPENDS "${file}")
endfunction()
