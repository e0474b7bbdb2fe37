# Most of the time that a file takes to compile goes into the same few headers: they are compiled once per target.
# CMAKE_DISABLE_PRECOMPILE_HEADERS turns this off, as tools that read compile_commands.json may want.

# bantam_precompile(TARGET [header...]): the standard headers, the plan's, and those given.
function(bantam_precompile target)
  target_precompile_headers(${target} PRIVATE <algorithm> <functional> <memory> <string> <vector> <plan_generated.h> ${ARGN})
endfunction()
