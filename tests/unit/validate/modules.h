// What the tests of this folder share: verdicts on modules given as text, and modules written with the Encoder.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "binary/decoder.h"
#include "binary/encoder.h"
#include "validate/checked.h"

namespace heddle::validate {

inline base::Result<std::shared_ptr<const module::Module>> decode(std::vector<std::uint8_t> bytes,
                                                                  spec::Features features = spec::Features::all()) {
  return binary::decode_module(std::make_shared<module::OwnedBytes>(std::move(bytes)), features);
}

/// Decodes and validates; the error of whichever step fails.
inline base::Status verdict(std::vector<std::uint8_t> bytes, spec::Features features = spec::Features::all(),
                            unsigned threads = 1) {
  HEDDLE_TRY_ASSIGN(const auto m, decode(std::move(bytes), features));
  HEDDLE_TRY_ASSIGN(const auto checked, validate_module(m, threads));
  (void)checked;
  return {};
}

inline std::string message_of(const base::Status& status) {
  return status.ok() ? "valid" : status.error().message;
}

/// One module from parts; every function has its own type entry.
class ModuleWriter {
 public:
  using Bytes = std::vector<std::uint8_t>;

  /// Index of the type.
  std::uint32_t type(const spec::FuncType& type) {
    types_.func_type(type);
    return type_count_++;
  }
  /// `code` without the final end; `locals` as encoded, {0x00} if there are none.
  std::uint32_t func(std::uint32_t type, const Bytes& code, const Bytes& locals = {0x00}) {
    funcs_.u32(type);
    binary::Encoder body;
    body.raw(locals).raw(code).op(spec::Opcode::end);
    bodies_.u32(static_cast<std::uint32_t>(body.size_bytes())).raw(body.bytes());
    return func_count_++;
  }
  void memory(const spec::MemType& type) { memory_.u32(1).mem_type(type); }
  /// Contents of the data section, with its count.
  void data(const Bytes& section) { data_ = section; }

  Bytes bytes() const {
    binary::Encoder out;
    out.header();
    out.section(1, counted(type_count_, types_));
    out.section(3, counted(func_count_, funcs_));
    if (memory_.size_bytes() > 0) out.section(5, memory_.bytes());
    out.section(10, counted(func_count_, bodies_));
    if (!data_.empty()) out.section(11, data_);
    return out.bytes();
  }

 private:
  static Bytes counted(std::uint32_t count, const binary::Encoder& items) {
    binary::Encoder out;
    return out.u32(count).raw(items.bytes()).bytes();
  }

  binary::Encoder types_;
  binary::Encoder funcs_;
  binary::Encoder bodies_;
  binary::Encoder memory_;
  Bytes data_;
  std::uint32_t type_count_ = 0;
  std::uint32_t func_count_ = 0;
};

}  // namespace heddle::validate
