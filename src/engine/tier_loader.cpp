#include "engine/tier_loader.h"

#include <climits>
#include <dlfcn.h>
#include <fmt/format.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "llvm/interface.h"

namespace heddle::engine {
namespace {

constexpr const char* kPlaces[] = {"/lib/libheddle-llvm.so", "/../lib/heddle/libheddle-llvm.so"};

std::string executable_folder() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) return {};
  const std::string file(path, static_cast<std::size_t>(length));
  return file.substr(0, file.rfind('/'));
}

/// Native code is loaded only from where no other user could have put it.
bool only_we_write(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return false;
  return (status.st_uid == 0 || status.st_uid == geteuid()) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

base::Error not_loaded(std::string reason) {
  return {base::ErrorKind::unsupported, base::kNoOffset, "the LLVM tier cannot be used: " + std::move(reason)};
}

base::Result<const abi::Tier*> load() {
  const std::string folder = executable_folder();
  std::string refused;
  for (const char* place : kPlaces) {
    const std::string path = folder + place;
    if (access(path.c_str(), R_OK) != 0) continue;
    if (!only_we_write(path) || !only_we_write(path.substr(0, path.rfind('/')))) {
      refused = fmt::format("others can write {} or its folder", path);
      continue;
    }
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return not_loaded(dlerror());
    const auto entry = reinterpret_cast<llvm_tier::TierEntry>(dlsym(library, "heddle_llvm_tier"));
    const abi::Tier* tier = entry == nullptr ? nullptr : entry(llvm_tier::kInterfaceVersion, HEDDLE_BUILD_ID);
    if (tier == nullptr) return not_loaded(fmt::format("{} belongs to another build", path));
    return tier;
  }
  return not_loaded(refused.empty() ? fmt::format("libheddle-llvm.so is not beside {}", folder) : refused);
}

}  // namespace

base::Result<const abi::Tier*> llvm_tier() {
  static const base::Result<const abi::Tier*> loaded = load();
  return loaded;
}

std::string tier_identity() {
  std::string identity;
  const auto add = [&identity](const std::string& path) {
    struct stat status;
    if (stat(path.c_str(), &status) != 0) return;
    identity += fmt::format("{} {} {} {}.{:09} ", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                            status.st_mtim.tv_nsec);
  };
  add("/proc/self/exe");
  const std::string folder = executable_folder();
  for (const char* place : kPlaces) add(folder + place);
  return identity;
}

}  // namespace heddle::engine
