# Libraries that come from the distribution. `./dev deps` installs them.
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_library(HEDDLE_ASMJIT asmjit REQUIRED)
# Static: loading it would cost every start.
find_library(HEDDLE_NETTLE libnettle.a REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
if(HEDDLE_DEVELOPER)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
