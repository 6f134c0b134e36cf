# Guests: real C programs that tests, examples and benchmarks run in the engine, built at build time for wasm32-wasi
# and, from the same sources, for this machine, so that results can be compared.
#
#   heddle_guest(<name> SOURCES <file>... [LIBS zlib|zstd...] [THREADS] [NO_NATIVE] [FLAGS <flag>...])
#     <build>/guests/wasm/<name>.wasm, and <build>/guests/native/<name> unless NO_NATIVE; target guest_<name>, part of
#     `guests`. THREADS adds the pthread layer of tests/guests/pthread and a shared memory.
#
#   heddle_guest_test(<rule.in_words> GUEST <name> [ARGS <arg>...] [EXPECT <option>...] [LABELS ...] [TIMEOUT <s>])
#     a ctest entry that runs the guest with heddle; EXPECT options are those of tests/guests/run_guest.py. Nothing is
#     registered before there is a `heddle` target.
#
# The compiler and the libraries are packages that tools/fetch_packages.py downloads into HEDDLE_CACHE, pinned there;
# SIMDe is the distribution's.
# With WASI_SDK (a variable or the environment) every guest is built with that toolchain too, in <build>/guests/sdk,
# and every test runs a second time as `sdk.<rule>`.

if(NOT HEDDLE_CACHE)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(HEDDLE_CACHE "$ENV{XDG_CACHE_HOME}/heddle-dev")
  else()
    set(HEDDLE_CACHE "$ENV{HOME}/.cache/heddle-dev")
  endif()
endif()
set(WASI_SDK "$ENV{WASI_SDK}" CACHE PATH "A wasi-sdk with wasm32-wasip1-threads; empty: zig alone builds the guests")
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)

set(HEDDLE_GUESTS_DIR ${CMAKE_BINARY_DIR}/guests)
set(HEDDLE_PACKAGES_DIR ${HEDDLE_GUESTS_DIR}/packages)  # links into the cache
set(HEDDLE_LAYER_DIR ${PROJECT_SOURCE_DIR}/tests/guests/pthread)
file(GLOB HEDDLE_LAYER_SOURCES CONFIGURE_DEPENDS ${HEDDLE_LAYER_DIR}/*.c ${HEDDLE_LAYER_DIR}/*.S)
file(GLOB HEDDLE_LAYER_HEADERS CONFIGURE_DEPENDS ${HEDDLE_LAYER_DIR}/*.h ${HEDDLE_LAYER_DIR}/include/*.h
     ${PROJECT_SOURCE_DIR}/bench/kernels/*.h)

# zig keeps its own object cache, next to the downloads: C libraries are compiled once for all build folders.
set(HEDDLE_ZIG ${CMAKE_COMMAND} -E env ZIG_GLOBAL_CACHE_DIR=${HEDDLE_CACHE}/zig ZIG_LOCAL_CACHE_DIR=${HEDDLE_CACHE}/zig
    ${HEDDLE_PACKAGES_DIR}/ziglang/ziglang/zig)
set(HEDDLE_ZIG_FLAGS -target wasm32-wasi -O2 -Wall -Wextra)
# Takes the megabyte of debug sections out and leaves the names in, which stack traces show (zig's own -S drops both).
find_program(HEDDLE_OBJCOPY NAMES llvm-objcopy-22 llvm-objcopy REQUIRED)
set(HEDDLE_ZIG_THREADS -mcpu=generic+atomics+bulk_memory
    -Wl,--shared-memory,--import-memory,--export-memory,--max-memory=1073741824 -I${HEDDLE_LAYER_DIR}/include
    ${HEDDLE_LAYER_SOURCES})

set_property(GLOBAL APPEND PROPERTY JOB_POOLS heddle_guests=1)  # zig uses all cores by itself

set(HEDDLE_PACKAGES_STAMP ${HEDDLE_GUESTS_DIR}/packages.stamp)
add_custom_command(OUTPUT ${HEDDLE_PACKAGES_STAMP}
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/fetch_packages.py --cache ${HEDDLE_CACHE}
          --link-into ${HEDDLE_PACKAGES_DIR}
  COMMAND ${CMAKE_COMMAND} -E touch ${HEDDLE_PACKAGES_STAMP}
  DEPENDS ${PROJECT_SOURCE_DIR}/tools/fetch_packages.py
  JOB_POOL heddle_guests VERBATIM COMMENT "Fetching the packages that guests are built with")
add_custom_target(guest_packages DEPENDS ${HEDDLE_PACKAGES_STAMP})
add_custom_target(guests ALL)

# --- the libraries: sources and flags, the same for every variant --------------------------------------------------
# Native and wasm do the same work and write the same bytes: of zlib-ng the plain C paths, of zstd the SSE2 path. x86-64
# always has SSE2, which clang also vectorizes plain C with; the WASI_FLAGS give wasm the same (pgzip: 3 % faster).
# For zstd's prefetches, which compilers drop, there is examples/prefetch.h.
find_path(HEDDLE_SIMDE NAMES simde/x86/sse2.h REQUIRED DOC "Folder of SIMDe's headers: SSE2's intrinsics for wasm")
# By a link of its own: beside it lie the headers of this machine's C library.
file(MAKE_DIRECTORY ${HEDDLE_PACKAGES_DIR}/libsimde)
file(CREATE_LINK ${HEDDLE_SIMDE}/simde ${HEDDLE_PACKAGES_DIR}/libsimde/simde SYMBOLIC)
set(HEDDLE_SSE2_DIR ${PROJECT_SOURCE_DIR}/tests/guests/sse2)
file(GLOB HEDDLE_LIB_HEADERS CONFIGURE_DEPENDS ${HEDDLE_SSE2_DIR}/*.h)
set(HEDDLE_PREFETCH ${PROJECT_SOURCE_DIR}/examples/prefetch.h)
list(APPEND HEDDLE_LIB_HEADERS ${HEDDLE_PREFETCH})
set(HEDDLE_WASI_SSE2 -msimd128 -D__SSE2__ -I${HEDDLE_SSE2_DIR} -I${HEDDLE_PACKAGES_DIR}/libsimde)

set(HEDDLE_GUEST_LIB_zlib_DIR ${HEDDLE_PACKAGES_DIR}/zlib-ng/zlib)
set(HEDDLE_GUEST_LIB_zlib_FLAGS -DZLIB_COMPAT -DWITH_ALL_FALLBACKS -DWITHOUT_CHORBA_SSE -DHAVE_VISIBILITY_HIDDEN
    -DHAVE_ATTRIBUTE_ALIGNED -DHAVE_BUILTIN_ASSUME_ALIGNED -DHAVE_BUILTIN_CTZ -DHAVE_BUILTIN_CTZLL)
set(HEDDLE_GUEST_LIB_zlib_SOURCES adler32 compress cpu_features crc32 crc32_braid_comb deflate deflate_fast deflate_huff
    deflate_medium deflate_quick deflate_rle deflate_slow deflate_stored functable infback inflate inftrees insert_string
    insert_string_roll trees uncompr zutil arch/generic/adler32_c arch/generic/adler32_fold_c arch/generic/chunkset_c
    arch/generic/compare256_c arch/generic/crc32_braid_c arch/generic/crc32_chorba_c arch/generic/crc32_fold_c
    arch/generic/slide_hash_c)
set(HEDDLE_GUEST_LIB_zlib_WASI_FLAGS -msimd128)
set(HEDDLE_GUEST_LIB_zstd_DIR ${HEDDLE_PACKAGES_DIR}/zstandard/zstd)
set(HEDDLE_GUEST_LIB_zstd_SOURCES zstd)  # everything in one file; it turns its own threads on
set(HEDDLE_GUEST_LIB_zstd_WASI_FLAGS ${HEDDLE_WASI_SSE2} -include ${HEDDLE_PREFETCH} -D_WASI_EMULATED_PROCESS_CLOCKS)
set(HEDDLE_GUEST_LIB_zstd_WASI_LINK -lwasi-emulated-process-clocks)

foreach(lib zlib zstd)
  list(TRANSFORM HEDDLE_GUEST_LIB_${lib}_SOURCES REPLACE "(.+)" "${HEDDLE_GUEST_LIB_${lib}_DIR}/\\1.c")
  set_source_files_properties(${HEDDLE_GUEST_LIB_${lib}_SOURCES} PROPERTIES GENERATED TRUE)
  add_library(guest_lib_${lib} STATIC EXCLUDE_FROM_ALL ${HEDDLE_GUEST_LIB_${lib}_SOURCES})
  target_include_directories(guest_lib_${lib} PUBLIC ${HEDDLE_GUEST_LIB_${lib}_DIR})
  target_compile_options(guest_lib_${lib} PUBLIC ${HEDDLE_GUEST_LIB_${lib}_FLAGS} PRIVATE -O2 -w)
  add_dependencies(guest_lib_${lib} guest_packages)
endforeach()

function(heddle_guest name)
  cmake_parse_arguments(ARG "THREADS;NO_NATIVE" "" "SOURCES;LIBS;FLAGS" ${ARGN})
  list(TRANSFORM ARG_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
  set(inputs)
  set(link)
  foreach(lib ${ARG_LIBS})
    list(APPEND inputs -I${HEDDLE_GUEST_LIB_${lib}_DIR} ${HEDDLE_GUEST_LIB_${lib}_FLAGS}
         ${HEDDLE_GUEST_LIB_${lib}_WASI_FLAGS} -w ${HEDDLE_GUEST_LIB_${lib}_SOURCES})
    list(APPEND link ${HEDDLE_GUEST_LIB_${lib}_WASI_LINK})
  endforeach()

  set(threads)
  if(ARG_THREADS)
    set(threads ${HEDDLE_ZIG_THREADS})
  endif()
  set(wasm ${HEDDLE_GUESTS_DIR}/wasm/${name}.wasm)
  set(with_debug_info ${HEDDLE_GUESTS_DIR}/with_debug_info/${name}.wasm)
  add_custom_command(OUTPUT ${wasm}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${HEDDLE_GUESTS_DIR}/wasm ${HEDDLE_GUESTS_DIR}/with_debug_info
    COMMAND ${HEDDLE_ZIG} cc ${HEDDLE_ZIG_FLAGS} ${threads} ${ARG_FLAGS} ${ARG_SOURCES} ${inputs} ${link} -lm -o ${with_debug_info}
    COMMAND ${HEDDLE_OBJCOPY} --strip-debug ${with_debug_info} ${wasm}
    DEPENDS ${ARG_SOURCES} ${HEDDLE_LAYER_SOURCES} ${HEDDLE_LAYER_HEADERS} ${HEDDLE_LIB_HEADERS} ${HEDDLE_PACKAGES_STAMP}
    JOB_POOL heddle_guests VERBATIM COMMENT "Building guest ${name}.wasm")
  set(outputs ${wasm})

  if(WASI_SDK)
    set(sdk ${HEDDLE_GUESTS_DIR}/sdk/${name}.wasm)
    set(threads --target=wasm32-wasip1)
    if(ARG_THREADS)
      set(threads --target=wasm32-wasip1-threads -pthread -Wl,--import-memory,--export-memory,--max-memory=1073741824)
    endif()
    add_custom_command(OUTPUT ${sdk}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${HEDDLE_GUESTS_DIR}/sdk
      COMMAND ${WASI_SDK}/bin/clang --sysroot=${WASI_SDK}/share/wasi-sysroot -O2 ${threads} ${ARG_FLAGS} ${ARG_SOURCES}
              ${inputs} ${link} -lm -o ${sdk}
      DEPENDS ${ARG_SOURCES} ${HEDDLE_LIB_HEADERS} ${HEDDLE_PACKAGES_STAMP}
      VERBATIM COMMENT "Building guest ${name}.wasm with the WASI SDK")
    list(APPEND outputs ${sdk})
  endif()
  add_custom_target(guest_${name} DEPENDS ${outputs})
  add_dependencies(guests guest_${name})

  if(NOT ARG_NO_NATIVE)
    add_executable(guest_${name}_native EXCLUDE_FROM_ALL ${ARG_SOURCES})
    set_target_properties(guest_${name}_native PROPERTIES OUTPUT_NAME ${name}
      RUNTIME_OUTPUT_DIRECTORY ${HEDDLE_GUESTS_DIR}/native C_STANDARD 17 C_EXTENSIONS ON)
    target_compile_options(guest_${name}_native PRIVATE -O2 -Wall -Wextra)
    target_link_libraries(guest_${name}_native PRIVATE Threads::Threads m)
    foreach(lib ${ARG_LIBS})
      target_link_libraries(guest_${name}_native PRIVATE guest_lib_${lib})
    endforeach()
    add_dependencies(guest_${name} guest_${name}_native)
  endif()
endfunction()

function(heddle_guest_test rule)
  if(NOT TARGET heddle)
    return()
  endif()
  cmake_parse_arguments(ARG "" "GUEST;TIMEOUT" "ARGS;EXPECT;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set(variants wasm)
  if(WASI_SDK)
    list(APPEND variants sdk)
  endif()
  foreach(variant ${variants})
    set(test_name ${rule})
    if(variant STREQUAL sdk)
      set(test_name sdk.${rule})
    endif()
    add_test(NAME ${test_name}
      COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/guests/run_guest.py --heddle $<TARGET_FILE:heddle>
              --guests ${HEDDLE_GUESTS_DIR} --variant ${variant} ${ARG_EXPECT} ${ARG_GUEST} ${ARG_ARGS})
    set_tests_properties(${test_name} PROPERTIES LABELS "guests;${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
    if("--ends-within-ms" IN_LIST ARG_EXPECT)
      set_tests_properties(${test_name} PROPERTIES RUN_SERIAL TRUE)  # a measurement wants the machine for itself
    endif()
  endforeach()
endfunction()
