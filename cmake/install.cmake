# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts in place: the command line, libphial, its headers, and what CMake and pkg-config need to
# find them. Everything is relative, so the tree can be moved.
if(NOT TARGET phial)
  return()  # a build of the lower layers alone
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS phial EXPORT phialTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET phial_cli)
  install(TARGETS phial_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# Beside libphial's own folder, where it looks first.
foreach(plugin phial_plugin_openvino phial_plugin_onnxruntime)
  if(TARGET ${plugin})
    install(TARGETS ${plugin} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/phial/plugins)
  endif()
endforeach()
install(FILES include/phial/phial.h include/phial/phial_computer.h include/phial/phial.hpp include/phial/phial_detail.hpp include/phial/phial_types.hpp include/phial/backend_abi.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/phial)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(phial_config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/phial)
install(EXPORT phialTargets NAMESPACE phial:: DESTINATION ${phial_config_folder})
configure_package_config_file(cmake/phialConfig.cmake.in ${CMAKE_BINARY_DIR}/phialConfig.cmake
                              INSTALL_DESTINATION ${phial_config_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/phialConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/phialConfig.cmake ${CMAKE_BINARY_DIR}/phialConfigVersion.cmake
        DESTINATION ${phial_config_folder})
# pcfiledir lets pkg-config find the prefix wherever the tree is.
file(RELATIVE_PATH phial_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/phial.pc.in ${CMAKE_BINARY_DIR}/phial.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/phial.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# `cmake --build ... --target package`: everything in one archive. A Windows build has the run-time libraries of its
# compiler in itself, so their licences (and those of the header-only libraries) go with it, as Debian has them.
if(WIN32)
  install(FILES docs/windows.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
  foreach(package gcc-mingw-w64-x86-64-posix-runtime mingw-w64-common libfmt-dev nlohmann-json3-dev libcli11-dev)
    set(notice /usr/share/doc/${package}/copyright)
    if(EXISTS ${notice})
      install(FILES ${notice} DESTINATION ${CMAKE_INSTALL_DOCDIR}/licences RENAME ${package}.txt)
    else()
      message(WARNING "${notice} isn't there: the archive won't have this licence")
    endif()
  endforeach()
  set(CPACK_SYSTEM_NAME windows-x86_64)
endif()
set(CPACK_GENERATOR ZIP)
set(CPACK_PACKAGE_NAME phial)
if(UNIX)
  set(CPACK_GENERATOR TGZ DEB)
  set(CPACK_SYSTEM_NAME linux-${CMAKE_SYSTEM_PROCESSOR})
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_MAINTAINER "the phial project <phial@localhost>")
  set(CPACK_DEBIAN_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_SUGGESTS "librsvg2-2")  # phial bench --plot FILE.png
  # dpkg-shlibdeps has to find libphial itself, which belongs to no package yet.
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/lib)
endif()
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
set(CPACK_STRIP_FILES ON)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/package_time.cmake)
include(CPack)
