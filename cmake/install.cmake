# What `cmake --install` puts in place. Component "library": headers, libbantam, the CMake package and a pkg-config
# file; component "program": the command line.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_target_property(kind bantam TYPE)
if(kind STREQUAL "SHARED_LIBRARY")
  set(library_kind SHARED)
  set(library_file "libbantam.so.${PROJECT_VERSION}")
  set(library_soname "libbantam.so.${PROJECT_VERSION_MAJOR}")
  if(CMAKE_PLATFORM_NO_VERSIONED_SONAME)
    set(library_file libbantam.so)
    set(library_soname libbantam.so)
  endif()
  install(TARGETS bantam LIBRARY COMPONENT library)
else()
  include("${CMAKE_CURRENT_LIST_DIR}/whole_archive.cmake")
  set(library_kind STATIC)
  set(library_file libbantam.a)
  set(pc_static_libs " -pthread -lm")
  bantam_whole_archive("${PROJECT_BINARY_DIR}/whole/${library_file}")
  install(FILES "${PROJECT_BINARY_DIR}/whole/${library_file}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
endif()
install(FILES runtime/include/bantam/bantam.h runtime/include/bantam/bantam.hpp
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/bantam" COMPONENT library)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/bantam")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/bantamConfig.cmake.in" "${PROJECT_BINARY_DIR}/bantamConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/bantamConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/bantamConfig.cmake" "${PROJECT_BINARY_DIR}/bantamConfigVersion.cmake"
  DESTINATION "${package_dir}" COMPONENT library)

file(RELATIVE_PATH pc_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /prefix)
configure_file("${CMAKE_CURRENT_LIST_DIR}/bantam.pc.in" "${PROJECT_BINARY_DIR}/bantam.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/bantam.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT library)

if(TARGET bantam_cli)
  install(TARGETS bantam_cli RUNTIME COMPONENT program)
endif()
