# What can be chosen when configuring. Presets in CMakePresets.json set these.
option(HEDDLE_DEVELOPER "Build tests and treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
option(HEDDLE_BENCH "Build the benchmarks" OFF)
option(HEDDLE_LLVM "Build the LLVM tier (a library of its own)" ON)
set(HEDDLE_SANITIZE "" CACHE STRING "Comma-separated sanitizers, e.g. address,undefined or thread")
option(HEDDLE_GUESTS "Build the guest programs and run them in the tests" ON)
set(HEDDLE_TESTSUITE "$ENV{HEDDLE_TESTSUITE}" CACHE PATH "Folder with the WebAssembly specification's test scripts (*.wast)")
if(NOT HEDDLE_TESTSUITE AND EXISTS ${PROJECT_SOURCE_DIR}/../shared/testsuite)
  set(HEDDLE_TESTSUITE ${PROJECT_SOURCE_DIR}/../shared/testsuite)
endif()
set(HEDDLE_CACHE "$ENV{HEDDLE_CACHE}" CACHE PATH "Folder outside the source tree where downloads for guests are kept")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

find_program(HEDDLE_CCACHE ccache)
if(HEDDLE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HEDDLE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${HEDDLE_CCACHE})
endif()

add_library(heddle_flags INTERFACE)
target_compile_options(heddle_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti>
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>
  # g++ 12 sees "maybe uninitialized" in std::optional and std::variant where there is none.
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized;-Wno-stringop-overflow;-Wno-array-bounds>)
if(HEDDLE_DEVELOPER)
  target_compile_options(heddle_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(HEDDLE_SANITIZE)
  target_compile_options(heddle_flags INTERFACE -fsanitize=${HEDDLE_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(heddle_flags INTERFACE -fsanitize=${HEDDLE_SANITIZE})
  target_compile_definitions(heddle_flags INTERFACE HEDDLE_SANITIZED=1)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  find_program(HEDDLE_LLD NAMES ld.lld-22 ld.lld)
  if(HEDDLE_LLD)
    target_link_options(heddle_flags INTERFACE -fuse-ld=lld)
  endif()
endif()

# Relative relocations in a small part of their space: fewer pages to read at every start.
include(CheckLinkerFlag)
check_linker_flag(CXX -Wl,-z,pack-relative-relocs HEDDLE_PACKS_RELOCATIONS)  # glibc 2.36
if(HEDDLE_PACKS_RELOCATIONS)
  target_link_options(heddle_flags INTERFACE -Wl,-z,pack-relative-relocs)
endif()

# Says whether two parts (engine, LLVM tier, code cache) come from one build.
execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} describe --always --dirty --abbrev=16
  OUTPUT_VARIABLE HEDDLE_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(HEDDLE_BUILD_ID "${PROJECT_VERSION}-${HEDDLE_COMMIT}-${CMAKE_CXX_COMPILER_ID}${CMAKE_CXX_COMPILER_VERSION}-${CMAKE_BUILD_TYPE}")
