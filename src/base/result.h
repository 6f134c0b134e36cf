// Result<T>: a value, or an Error that says what is wrong with the input and where.
// Bad input (bytes, text, imports, limits) travels as Error; guest traps and our own mistakes never do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace heddle::base {

/// The verdict, in the words of the specification's test suite; `limit`, `unsupported` and `io` are ours besides.
enum class ErrorKind : std::uint8_t {
  malformed,    ///< binary or text format is broken
  invalid,      ///< a rule of the Validation chapter is broken
  unlinkable,   ///< imports do not fit
  limit,        ///< an announced implementation limit is exceeded
  unsupported,  ///< well-formed, but a feature we do not have or that is switched off
  io,           ///< the host could not read or write
};

/// Where in the input: a byte offset from the start of the module's bytes.
inline constexpr std::uint64_t kNoOffset = ~std::uint64_t{0};

struct Error {
  ErrorKind kind = ErrorKind::malformed;
  std::uint64_t offset = kNoOffset;  ///< bytes from the start of the module; kNoOffset where there is no place
  std::string message;               ///< begins as the test suite expects; no trailing full stop
};

/// Of two errors the one that the reader meets first (lowest offset wins, whoever found it first).
inline const Error& earlier(const Error& a, const Error& b) {
  return b.offset < a.offset ? b : a;
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    HEDDLE_CHECK(ok(), "value() of a Result that holds an error");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    HEDDLE_CHECK(ok(), "value() of a Result that holds an error");
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    HEDDLE_CHECK(ok(), "value() of a Result that holds an error");
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    HEDDLE_CHECK(!ok(), "error() of a Result that holds a value");
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    HEDDLE_CHECK(!ok(), "error() of a Result that holds a value");
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success carries nothing. One pointer wide, so that the hot path of the validator stays a null test.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(new Error(std::move(error))) {}
  Result(Result&& other) noexcept : error_(std::exchange(other.error_, nullptr)) {}
  Result& operator=(Result&& other) noexcept {
    std::swap(error_, other.error_);
    return *this;
  }
  ~Result() { delete error_; }

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    HEDDLE_CHECK(!ok(), "error() of a Result that holds success");
    return *error_;
  }
  Error&& error() && {
    HEDDLE_CHECK(!ok(), "error() of a Result that holds success");
    return std::move(*error_);
  }

 private:
  Error* error_ = nullptr;  // owned
};

using Status = Result<void>;

}  // namespace heddle::base

#define HEDDLE_CONCAT_INNER(a, b) a##b
#define HEDDLE_CONCAT(a, b) HEDDLE_CONCAT_INNER(a, b)

/// HEDDLE_TRY(expr): returns the error of a Status, or goes on.
#define HEDDLE_TRY(expr)                                                       \
  do {                                                                         \
    if (auto heddle_status = (expr); __builtin_expect(!heddle_status.ok(), 0)) \
      return std::move(heddle_status).error();                                 \
  } while (false)

/// HEDDLE_TRY_ASSIGN(auto x, expr): declares or assigns the value of a Result, or returns its error.
#define HEDDLE_TRY_ASSIGN(target, expr) HEDDLE_TRY_ASSIGN_(HEDDLE_CONCAT(heddle_result_, __LINE__), target, expr)
#define HEDDLE_TRY_ASSIGN_(result, target, expr)                           \
  auto result = (expr);                                                    \
  if (__builtin_expect(!result.ok(), 0)) return std::move(result).error(); \
  target = std::move(result).value()
