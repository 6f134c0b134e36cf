#include "cache/key.h"

#include <cpuid.h>
#include <nettle/sha2.h>

namespace heddle::cache {
namespace {

/// All of the processor that the LLVM tier may compile for, which is more than base/cpu_features.h names.
void add_processor(std::string& to) {
  constexpr struct {
    unsigned leaf, subleaf;
    bool ebx;  // of leaf 1 it names the core we happen to be on
  } kLeaves[] = {{0, 0, true}, {1, 0, false}, {7, 0, true}, {7, 1, true}, {0x80000001u, 0, true}};
  // Each of these instructions leaves a virtual machine, which takes tens of microseconds; __get_cpuid_count would
  // ask for the highest leaf each time.
  unsigned highest = 7;
  for (const auto& [leaf, subleaf, with_ebx] : kLeaves) {
    unsigned r[4] = {};
    if (leaf <= highest || leaf >= 0x80000000u) __cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
    if (leaf == 0) highest = r[0];
    if (!with_ebx) r[1] = 0;
    to.append(reinterpret_cast<const char*>(r), sizeof r);
  }
}

}  // namespace

Key key_of(base::Bytes module, const std::string& settings) {
  std::string made_by = "heddle code " HEDDLE_BUILD_ID;
  made_by += '\0';
  add_processor(made_by);
  made_by += settings;
  const std::uint64_t length = made_by.size();
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, sizeof length, reinterpret_cast<const std::uint8_t*>(&length));
  sha256_update(&context, made_by.size(), reinterpret_cast<const std::uint8_t*>(made_by.data()));
  sha256_update(&context, module.size(), module.data());
  Key key;
  sha256_digest(&context, key.size(), key.data());
  return key;
}

Key digest_of(base::Bytes bytes) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), bytes.data());
  Key digest;
  sha256_digest(&context, digest.size(), digest.data());
  return digest;
}

std::string hex(const Key& key) {
  std::string result;
  for (const std::uint8_t byte : key) {
    result += "0123456789abcdef"[byte >> 4];
    result += "0123456789abcdef"[byte & 15];
  }
  return result;
}

}  // namespace heddle::cache
