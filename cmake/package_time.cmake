# SPDX-License-Identifier: Apache-2.0
# Read by cpack before it packs: files of packages get the time of the last commit, so that two packages of the same build
# are the same to the byte. SOURCE_DATE_EPOCH says otherwise.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C ${CMAKE_CURRENT_LIST_DIR} log -1 --format=%ct OUTPUT_VARIABLE phial_commit_time
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(phial_commit_time)
    set(ENV{SOURCE_DATE_EPOCH} ${phial_commit_time})
  endif()
endif()
