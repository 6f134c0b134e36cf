#include "unit/baseline/numeric_model.h"

#include <bit>
#include <cmath>
#include <limits>

namespace heddle::baseline::test {
namespace {

using spec::TrapCode;
using Models = std::map<std::string_view, Model>;

template <class T>
T from_bits(std::uint64_t bits) {
  if constexpr (sizeof(T) == 4)
    return std::bit_cast<T>(static_cast<std::uint32_t>(bits));
  else
    return std::bit_cast<T>(bits);
}
template <class T>
std::uint64_t to_bits(T value) {
  if constexpr (sizeof(T) == 4)
    return std::bit_cast<std::uint32_t>(value);
  else
    return std::bit_cast<std::uint64_t>(value);
}

Answer trap(TrapCode code) {
  return {code, 0, false};
}

template <class T, class F>
Model unary(F f) {
  return [f](std::uint64_t a, std::uint64_t) { return Answer{TrapCode::none, to_bits(f(from_bits<T>(a))), false}; };
}
template <class T, class F>
Model binary(F f) {
  return [f](std::uint64_t a, std::uint64_t b) {
    return Answer{TrapCode::none, to_bits(f(from_bits<T>(a), from_bits<T>(b))), false};
  };
}
template <class T, class F>
Model compare(F f) {
  return [f](std::uint64_t a, std::uint64_t b) {
    return Answer{TrapCode::none, f(from_bits<T>(a), from_bits<T>(b)) ? 1u : 0u, false};
  };
}
/// Results that are NaN may be any arithmetic NaN.
template <class T, class F>
Model arithmetic(F f) {
  return [f](std::uint64_t a, std::uint64_t b) {
    const T result = f(from_bits<T>(a), from_bits<T>(b));
    return Answer{TrapCode::none, to_bits(result), std::isnan(result)};
  };
}

template <class U>
void add_int(Models& m, const std::map<std::string_view, std::string_view>& names) {
  using S = std::make_signed_t<U>;
  constexpr unsigned kBits = sizeof(U) * 8;
  const auto s = [](U v) { return static_cast<S>(v); };
  const auto name = [&](std::string_view op) { return names.at(op); };
  m[name("eqz")] = compare<U>([](U a, U) { return a == 0; });
  m[name("eq")] = compare<U>([](U a, U b) { return a == b; });
  m[name("ne")] = compare<U>([](U a, U b) { return a != b; });
  m[name("lt_s")] = compare<U>([s](U a, U b) { return s(a) < s(b); });
  m[name("lt_u")] = compare<U>([](U a, U b) { return a < b; });
  m[name("gt_s")] = compare<U>([s](U a, U b) { return s(a) > s(b); });
  m[name("gt_u")] = compare<U>([](U a, U b) { return a > b; });
  m[name("le_s")] = compare<U>([s](U a, U b) { return s(a) <= s(b); });
  m[name("le_u")] = compare<U>([](U a, U b) { return a <= b; });
  m[name("ge_s")] = compare<U>([s](U a, U b) { return s(a) >= s(b); });
  m[name("ge_u")] = compare<U>([](U a, U b) { return a >= b; });
  m[name("clz")] = unary<U>([](U a) { return static_cast<U>(std::countl_zero(a)); });
  m[name("ctz")] = unary<U>([](U a) { return static_cast<U>(std::countr_zero(a)); });
  m[name("popcnt")] = unary<U>([](U a) { return static_cast<U>(std::popcount(a)); });
  m[name("add")] = binary<U>([](U a, U b) { return a + b; });
  m[name("sub")] = binary<U>([](U a, U b) { return a - b; });
  m[name("mul")] = binary<U>([](U a, U b) { return a * b; });
  m[name("and")] = binary<U>([](U a, U b) { return a & b; });
  m[name("or")] = binary<U>([](U a, U b) { return a | b; });
  m[name("xor")] = binary<U>([](U a, U b) { return a ^ b; });
  m[name("shl")] = binary<U>([](U a, U b) { return a << (b % kBits); });
  m[name("shr_u")] = binary<U>([](U a, U b) { return a >> (b % kBits); });
  m[name("shr_s")] = binary<U>([s](U a, U b) { return static_cast<U>(s(a) >> (b % kBits)); });
  m[name("rotl")] = binary<U>([](U a, U b) { return std::rotl(a, static_cast<int>(b % kBits)); });
  m[name("rotr")] = binary<U>([](U a, U b) { return std::rotr(a, static_cast<int>(b % kBits)); });
  m[name("extend8_s")] = unary<U>([](U a) { return static_cast<U>(S{static_cast<std::int8_t>(a)}); });
  m[name("extend16_s")] = unary<U>([](U a) { return static_cast<U>(S{static_cast<std::int16_t>(a)}); });

  const auto divide = [](bool is_signed, bool remainder) {
    return [=](std::uint64_t x, std::uint64_t y) {
      const U a = from_bits<U>(x), b = from_bits<U>(y);
      if (b == 0) return trap(TrapCode::integer_divide_by_zero);
      if (!is_signed) return Answer{TrapCode::none, remainder ? a % b : a / b, false};
      const S sa = static_cast<S>(a), sb = static_cast<S>(b);
      if (sa == std::numeric_limits<S>::min() && sb == -1)
        return remainder ? Answer{} : trap(TrapCode::integer_overflow);
      return Answer{TrapCode::none, static_cast<U>(remainder ? sa % sb : sa / sb), false};
    };
  };
  m[name("div_s")] = divide(true, false);
  m[name("div_u")] = divide(false, false);
  m[name("rem_s")] = divide(true, true);
  m[name("rem_u")] = divide(false, true);
}

template <class F>
F wasm_min(F a, F b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<F>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
template <class F>
F wasm_max(F a, F b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<F>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

template <class F>
void add_float(Models& m, const std::map<std::string_view, std::string_view>& names) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << (sizeof(F) * 8 - 1);
  const auto name = [&](std::string_view op) { return names.at(op); };
  m[name("eq")] = compare<F>([](F a, F b) { return a == b; });
  m[name("ne")] = compare<F>([](F a, F b) { return a != b; });
  m[name("lt")] = compare<F>([](F a, F b) { return a < b; });
  m[name("gt")] = compare<F>([](F a, F b) { return a > b; });
  m[name("le")] = compare<F>([](F a, F b) { return a <= b; });
  m[name("ge")] = compare<F>([](F a, F b) { return a >= b; });
  m[name("abs")] = [](std::uint64_t a, std::uint64_t) { return Answer{TrapCode::none, a & ~kSign, false}; };
  m[name("neg")] = [](std::uint64_t a, std::uint64_t) { return Answer{TrapCode::none, a ^ kSign, false}; };
  m[name("copysign")] = [](std::uint64_t a, std::uint64_t b) {
    return Answer{TrapCode::none, (a & ~kSign) | (b & kSign), false};
  };
  m[name("ceil")] = arithmetic<F>([](F a, F) { return std::ceil(a); });
  m[name("floor")] = arithmetic<F>([](F a, F) { return std::floor(a); });
  m[name("trunc")] = arithmetic<F>([](F a, F) { return std::trunc(a); });
  m[name("nearest")] = arithmetic<F>([](F a, F) { return std::nearbyint(a); });
  m[name("sqrt")] = arithmetic<F>([](F a, F) { return std::sqrt(a); });
  m[name("add")] = arithmetic<F>([](F a, F b) { return a + b; });
  m[name("sub")] = arithmetic<F>([](F a, F b) { return a - b; });
  m[name("mul")] = arithmetic<F>([](F a, F b) { return a * b; });
  m[name("div")] = arithmetic<F>([](F a, F b) { return a / b; });
  m[name("min")] = arithmetic<F>([](F a, F b) { return wasm_min(a, b); });
  m[name("max")] = arithmetic<F>([](F a, F b) { return wasm_max(a, b); });
}

template <class F, class I>
Answer truncate(std::uint64_t bits, bool saturating) {
  const long double x = from_bits<F>(bits);
  constexpr bool kSigned = std::is_signed_v<I>;
  constexpr int kBits = sizeof(I) * 8;
  const long double high = std::ldexp(1.0L, kSigned ? kBits - 1 : kBits);  // first that does not fit
  const long double low = kSigned ? -high : 0.0L;
  using L = std::numeric_limits<I>;
  using U = std::make_unsigned_t<I>;
  if (std::isnan(x)) return saturating ? Answer{} : trap(TrapCode::invalid_conversion_to_integer);
  const long double t = std::trunc(x);
  if (t >= high)
    return saturating ? Answer{TrapCode::none, static_cast<U>(L::max()), false} : trap(TrapCode::integer_overflow);
  if (t < low)
    return saturating ? Answer{TrapCode::none, static_cast<U>(L::min()), false} : trap(TrapCode::integer_overflow);
  return {TrapCode::none, static_cast<U>(static_cast<I>(t)), false};
}

template <class F, class I>
Model truncating(bool saturating) {
  return [=](std::uint64_t a, std::uint64_t) { return truncate<F, I>(a, saturating); };
}

template <class From, class To>
Model converting() {
  return [](std::uint64_t a, std::uint64_t) {
    From value;
    if constexpr (std::is_floating_point_v<From>)
      value = from_bits<From>(a);
    else
      value = static_cast<From>(a);
    const To result = static_cast<To>(value);
    if constexpr (std::is_floating_point_v<To>)
      return Answer{TrapCode::none, to_bits(result), std::isnan(result)};
    else
      return Answer{TrapCode::none, static_cast<std::make_unsigned_t<To>>(result), false};
  };
}

Models make_models() {
  Models m;
#define HEDDLE_NAMES(p)                                                                                               \
  {                                                                                                                   \
    {"eqz", p ".eqz"}, {"eq", p ".eq"}, {"ne", p ".ne"}, {"lt_s", p ".lt_s"}, {"lt_u", p ".lt_u"},                    \
        {"gt_s", p ".gt_s"}, {"gt_u", p ".gt_u"}, {"le_s", p ".le_s"}, {"le_u", p ".le_u"}, {"ge_s", p ".ge_s"},      \
        {"ge_u", p ".ge_u"}, {"clz", p ".clz"}, {"ctz", p ".ctz"}, {"popcnt", p ".popcnt"}, {"add", p ".add"},        \
        {"sub", p ".sub"}, {"mul", p ".mul"}, {"and", p ".and"}, {"or", p ".or"}, {"xor", p ".xor"},                  \
        {"shl", p ".shl"}, {"shr_u", p ".shr_u"}, {"shr_s", p ".shr_s"}, {"rotl", p ".rotl"}, {"rotr", p ".rotr"},    \
        {"extend8_s", p ".extend8_s"}, {"extend16_s", p ".extend16_s"}, {"div_s", p ".div_s"}, {"div_u", p ".div_u"}, \
        {"rem_s", p ".rem_s"}, {"rem_u", p ".rem_u"}, {"lt", p ".lt"}, {"gt", p ".gt"}, {"le", p ".le"},              \
        {"ge", p ".ge"}, {"abs", p ".abs"}, {"neg", p ".neg"}, {"copysign", p ".copysign"}, {"ceil", p ".ceil"},      \
        {"floor", p ".floor"}, {"trunc", p ".trunc"}, {"nearest", p ".nearest"}, {"sqrt", p ".sqrt"},                 \
        {"div", p ".div"}, {"min", p ".min"}, {"max", p ".max"}                                                       \
  }
  add_int<std::uint32_t>(m, HEDDLE_NAMES("i32"));
  add_int<std::uint64_t>(m, HEDDLE_NAMES("i64"));
  add_float<float>(m, HEDDLE_NAMES("f32"));
  add_float<double>(m, HEDDLE_NAMES("f64"));
#undef HEDDLE_NAMES
  m["i64.extend32_s"] = converting<std::int32_t, std::int64_t>();
  m["i32.wrap_i64"] = converting<std::uint64_t, std::uint32_t>();
  m["i64.extend_i32_s"] = converting<std::int32_t, std::int64_t>();
  m["i64.extend_i32_u"] = converting<std::uint32_t, std::uint64_t>();
#define HEDDLE_TRUNCATIONS(to, I, from, F)                               \
  m[to ".trunc_" from "_s"] = truncating<F, std::int##I##_t>(false);     \
  m[to ".trunc_" from "_u"] = truncating<F, std::uint##I##_t>(false);    \
  m[to ".trunc_sat_" from "_s"] = truncating<F, std::int##I##_t>(true);  \
  m[to ".trunc_sat_" from "_u"] = truncating<F, std::uint##I##_t>(true); \
  m[from ".convert_" to "_s"] = converting<std::int##I##_t, F>();        \
  m[from ".convert_" to "_u"] = converting<std::uint##I##_t, F>();
  HEDDLE_TRUNCATIONS("i32", 32, "f32", float)
  HEDDLE_TRUNCATIONS("i32", 32, "f64", double)
  HEDDLE_TRUNCATIONS("i64", 64, "f32", float)
  HEDDLE_TRUNCATIONS("i64", 64, "f64", double)
#undef HEDDLE_TRUNCATIONS
  m["f32.demote_f64"] = converting<double, float>();
  m["f64.promote_f32"] = converting<float, double>();
  const Model same = [](std::uint64_t a, std::uint64_t) { return Answer{TrapCode::none, a, false}; };
  m["i32.reinterpret_f32"] = same;
  m["i64.reinterpret_f64"] = same;
  m["f32.reinterpret_i32"] = same;
  m["f64.reinterpret_i64"] = same;
  return m;
}

}  // namespace

const Models& numeric_models() {
  static const Models models = make_models();
  return models;
}

}  // namespace heddle::baseline::test
