# SPDX-License-Identifier: Apache-2.0
# Helpers that every CMakeLists.txt below uses: flags common to all targets, one function a kind of target.

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

# Which of NAME_posix.cc and NAME_windows.cc is built.
if(WIN32)
  set(PHIAL_SYSTEM windows)
else()
  set(PHIAL_SYSTEM posix)
endif()

add_library(phial_flags INTERFACE)
target_include_directories(phial_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(phial_flags INTERFACE PHIAL_VERSION="${PROJECT_VERSION}" _FILE_OFFSET_BITS=64)
target_compile_options(phial_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers)
if(PHIAL_WERROR)
  target_compile_options(phial_flags INTERFACE -Werror)
endif()
if(PHIAL_SANITIZE)
  target_compile_options(phial_flags INTERFACE -fsanitize=${PHIAL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(phial_flags INTERFACE -fsanitize=${PHIAL_SANITIZE})
endif()

if(WIN32)  # what mingw's C run-time library can't do: see the file
  add_library(phial_runtime STATIC ${PROJECT_SOURCE_DIR}/src/base/runtime_windows.cc ${PROJECT_SOURCE_DIR}/src/base/utf8.cc)
  target_include_directories(phial_runtime PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(phial_flags INTERFACE phial_runtime)
  set(wrapped fmaf mbrtowc _wopendir _wreaddir _wclosedir)
  list(TRANSFORM wrapped PREPEND "LINKER:--wrap=" OUTPUT_VARIABLE options)
  target_link_options(phial_flags INTERFACE LINKER:--undefined=__wrap_mbrtowc ${options})
endif()

# phial_layer(NAME SOURCES... [DEPENDS lower layers and libraries...])
function(phial_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(phial_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(phial_${name} PUBLIC phial_flags ${ARG_DEPENDS})
endfunction()

# phial_plugin(NAME SOURCES... [DEPENDS...]): an engine in a shared library of its own, phial_<name>.so (.dll), which exports
# its table (phial/backend_abi.h) and nothing else. It lies where an installed one lies, relative to libphial.
function(phial_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(phial_plugin_${name} MODULE ${ARG_SOURCES})
  set(map ${PROJECT_SOURCE_DIR}/plugins/exports.map)
  set_target_properties(phial_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME phial_${name} LINK_DEPENDS ${map}
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/phial/plugins)
  target_link_libraries(phial_plugin_${name} PRIVATE phial_flags ${ARG_DEPENDS})
  if(NOT WIN32)  # there nothing is exported that doesn't ask for it
    target_link_options(phial_plugin_${name} PRIVATE "LINKER:--version-script=${map}")
  endif()
endfunction()

# phial_test(NAME SOURCES... [DEPENDS layers...] [LABELS ...]): a GoogleTest program, every case a ctest of its own
function(phial_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE phial_flags ${ARG_DEPENDS} GTest::gtest GTest::gtest_main)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE PHIAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             PHIAL_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
  set(properties TIMEOUT 600)
  if(ARG_LABELS)
    list(APPEND properties LABELS "${ARG_LABELS}")
  endif()
  if(CMAKE_CROSSCOMPILING)  # one ctest a program: asking each for its cases would start an emulator each time
    # Death tests start their program anew, which the emulator's host can't.
    add_test(NAME ${name} COMMAND test_${name} --gtest_brief=1 --gtest_filter=-*DeathTest.*)
    set_tests_properties(${name} PROPERTIES ${properties} TIMEOUT 3000)
    return()
  endif()
  # A skipped case (GTEST_SKIP) is reported by ctest as skipped: gtest_discover_tests sets that up by itself.
  gtest_discover_tests(test_${name} TEST_PREFIX ${name}. NO_PRETTY_VALUES DISCOVERY_TIMEOUT 120 PROPERTIES ${properties})
endfunction()
