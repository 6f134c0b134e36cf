// How many functions go through a tier together (abi::Tier::compile_batch): many small ones, large ones alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "module/module.h"

namespace heddle::engine {

class BatchBudget {
 public:
  BatchBudget(std::uint64_t body_bytes, std::size_t functions) : bytes_left_(body_bytes), functions_left_(functions) {}

  /// Is there room for this function too? There is for the first, however large it is.
  bool take(const module::Module& m, spec::FuncIndex func) {
    const std::uint64_t bytes = m.body(func).range.size_bytes();
    if (taken_ && (bytes > bytes_left_ || functions_left_ == 0)) return false;
    taken_ = true;
    bytes_left_ -= bytes < bytes_left_ ? bytes : bytes_left_;
    --functions_left_;
    return true;
  }

 private:
  std::uint64_t bytes_left_;
  std::size_t functions_left_;
  bool taken_ = false;
};

}  // namespace heddle::engine
