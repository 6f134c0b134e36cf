// The validator's operand stack: value types in one growing array, so that the hot path is a few compares and stores.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

#include "base/check.h"
#include "spec/types.h"

namespace heddle::validate {

class OperandStack {
 public:
  std::size_t size() const { return size_; }
  std::span<const spec::ValType> view() const { return {data_.get(), size_}; }
  /// The types above the first `height`.
  std::span<const spec::ValType> above(std::size_t height) const { return view().subspan(height); }
  /// `depth` 0 is the top.
  spec::ValType peek(std::size_t depth) const { return data_[size_ - 1 - depth]; }

  void push(spec::ValType type) {
    if (__builtin_expect(size_ == capacity_, 0)) grow(1);
    data_[size_++] = type;
  }
  void push_all(std::span<const spec::ValType> types) {
    if (capacity_ - size_ < types.size()) grow(types.size());
    for (spec::ValType type : types) data_[size_++] = type;
  }
  void pop(std::size_t count) { size_ -= count; }
  void truncate(std::size_t size) { size_ = size; }

 private:
  void grow(std::size_t more);

  std::unique_ptr<spec::ValType[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace heddle::validate
