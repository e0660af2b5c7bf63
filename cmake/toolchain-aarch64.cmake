# SPDX-License-Identifier: Apache-2.0
# Linux on aarch64 from another Linux: Debian's g++-aarch64-linux-gnu. Programs run under qemu-aarch64 where it is found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

find_program(PHIAL_QEMU_AARCH64 NAMES qemu-aarch64 qemu-aarch64-static)
if(PHIAL_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${PHIAL_QEMU_AARCH64} -cpu max -L /usr/aarch64-linux-gnu)
endif()
