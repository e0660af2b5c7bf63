# SPDX-License-Identifier: Apache-2.0
# The libraries that phial is built with. Building for this system, they are found as installed. Building for another
# one (Windows, aarch64), the three header-only ones are taken from this system's include folder, each by itself: what
# else lies in that folder is for the wrong system. GoogleTest is built from its sources then.
find_package(Threads REQUIRED)

if(NOT CMAKE_CROSSCOMPILING)
  find_package(nlohmann_json 3.9 REQUIRED)
  find_package(fmt 9 REQUIRED)
  find_package(CLI11 2 REQUIRED)
  return()
endif()

set(PHIAL_HOST_INCLUDE /usr/include CACHE PATH "Include folder that has nlohmann/, fmt/ and CLI/")
set(phial_headers ${CMAKE_BINARY_DIR}/host_headers)
function(phial_header_only target folder)
  if(NOT EXISTS ${PHIAL_HOST_INCLUDE}/${folder})
    message(FATAL_ERROR "${PHIAL_HOST_INCLUDE}/${folder} isn't there: install the Debian packages of tools/build_packages.txt, "
                        "or name the include folder in PHIAL_HOST_INCLUDE")
  endif()
  file(MAKE_DIRECTORY ${phial_headers}/${folder})
  file(CREATE_LINK ${PHIAL_HOST_INCLUDE}/${folder} ${phial_headers}/${folder}/${folder} COPY_ON_ERROR SYMBOLIC)
  string(REPLACE "::" "_" name ${target})
  add_library(phial_host_${name} INTERFACE)
  add_library(${target} ALIAS phial_host_${name})
  target_include_directories(phial_host_${name} SYSTEM INTERFACE ${phial_headers}/${folder})
  target_compile_definitions(phial_host_${name} INTERFACE ${ARGN})
endfunction()
phial_header_only(nlohmann_json::nlohmann_json nlohmann)
phial_header_only(fmt::fmt fmt FMT_HEADER_ONLY)
phial_header_only(CLI11::CLI11 CLI)
