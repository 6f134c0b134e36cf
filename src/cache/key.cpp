#include "cache/key.h"

#include <cpuid.h>
#include <initializer_list>
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

Key digest_of_parts(std::initializer_list<base::Bytes> parts) {
  sha256_ctx context;
  sha256_init(&context);
  for (const base::Bytes part : parts) sha256_update(&context, part.size(), part.data());
  Key digest;
  sha256_digest(&context, digest.size(), digest.data());
  return digest;
}

}  // namespace

Key digest_of(base::Bytes bytes) {
  return digest_of_parts({bytes});
}

Key key_of(base::Bytes module, const std::string& settings) {
  std::string made_by = "heddle code " HEDDLE_BUILD_ID;
  made_by += '\0';
  add_processor(made_by);
  made_by += settings;
  const std::uint64_t length = made_by.size();
  return digest_of_parts({{reinterpret_cast<const std::uint8_t*>(&length), sizeof length},
                          {reinterpret_cast<const std::uint8_t*>(made_by.data()), made_by.size()},
                          module});
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
