#include "unit/baseline/simd_model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace heddle::baseline::test {
namespace {

using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using Ops = VectorOperands;

template <class T>
using Lanes = std::array<T, 16 / sizeof(T)>;
template <class T>
constexpr std::size_t kLanes = 16 / sizeof(T);
template <class T>
Lanes<T> lanes(const Vector& v) {
  return std::bit_cast<Lanes<T>>(v);
}
template <class T>
Vector pack(const Lanes<T>& l) {
  return std::bit_cast<Vector>(l);
}

template <class T, auto f>
Vector map1(const Ops& o) {
  Lanes<T> r = lanes<T>(o.a);
  for (T& x : r) x = static_cast<T>(f(x));
  return pack<T>(r);
}
template <class T, auto f>
Vector map2(const Ops& o) {
  Lanes<T> r = lanes<T>(o.a);
  const Lanes<T> b = lanes<T>(o.b);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<T>(f(r[i], b[i]));
  return pack<T>(r);
}
/// Lanes of T to lanes of R of the same size.
template <class T, class R, auto f>
Vector convert1(const Ops& o) {
  Lanes<R> r{};
  const Lanes<T> a = lanes<T>(o.a);
  for (std::size_t i = 0; i < a.size(); ++i) r[i] = static_cast<R>(f(a[i]));
  return pack<R>(r);
}
/// Comparison: all ones or all zeros, in lanes of M.
template <class T, class M, auto f>
Vector compare(const Ops& o) {
  Lanes<M> r{};
  const Lanes<T> a = lanes<T>(o.a), b = lanes<T>(o.b);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<M>(f(a[i], b[i]) ? -1 : 0);
  return pack<M>(r);
}
/// f gets the count modulo the lane's bits.
template <class T, auto f>
Vector shift(const Ops& o) {
  Lanes<T> r = lanes<T>(o.a);
  for (T& x : r) x = static_cast<T>(f(x, o.count % (8 * sizeof(T))));
  return pack<T>(r);
}

constexpr auto kEq = [](auto a, auto b) { return a == b; };
constexpr auto kNe = [](auto a, auto b) { return a != b; };
constexpr auto kLt = [](auto a, auto b) { return a < b; };
constexpr auto kGt = [](auto a, auto b) { return a > b; };
constexpr auto kLe = [](auto a, auto b) { return a <= b; };
constexpr auto kGe = [](auto a, auto b) { return a >= b; };
constexpr auto kAdd = [](auto a, auto b) { return a + b; };
constexpr auto kSub = [](auto a, auto b) { return a - b; };
constexpr auto kMul = [](auto a, auto b) { return u64{a} * b; };
constexpr auto kMin = [](auto a, auto b) { return std::min(a, b); };
constexpr auto kMax = [](auto a, auto b) { return std::max(a, b); };
constexpr auto kAvgr = [](auto a, auto b) { return (a + b + 1) / 2; };
constexpr auto kNeg = [](auto a) { return u64{0} - a; };
constexpr auto kAbs = [](auto a) { return a < 0 ? u64{0} - static_cast<u64>(a) : static_cast<u64>(a); };
constexpr auto kShl = [](auto a, auto n) { return static_cast<u64>(a) << n; };
constexpr auto kShr = [](auto a, auto n) { return a >> n; };

template <class T>
T saturated(i64 v) {
  return static_cast<T>(
      std::clamp<i64>(v, std::numeric_limits<T>::min(), static_cast<i64>(std::numeric_limits<T>::max())));
}
constexpr auto kAddSat = [](auto a, auto b) { return saturated<decltype(a)>(i64{a} + b); };
constexpr auto kSubSat = [](auto a, auto b) { return saturated<decltype(a)>(i64{a} - b); };

template <class From, class To>
Vector narrow(const Ops& o) {
  Lanes<To> r{};
  const Lanes<From> a = lanes<From>(o.a), b = lanes<From>(o.b);
  for (std::size_t i = 0; i < a.size(); ++i) {
    r[i] = saturated<To>(a[i]);
    r[i + a.size()] = saturated<To>(b[i]);
  }
  return pack<To>(r);
}

template <class From, class To, bool high>
Vector extend(const Ops& o) {
  Lanes<To> r{};
  const Lanes<From> a = lanes<From>(o.a);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = a[i + (high ? r.size() : 0)];
  return pack<To>(r);
}
template <class From, class To, bool high>
Vector extmul(const Ops& o) {
  Ops other;
  other.a = o.b;
  Lanes<To> r = lanes<To>(extend<From, To, high>(o));
  const Lanes<To> b = lanes<To>(extend<From, To, high>(other));
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<To>(static_cast<u64>(r[i]) * static_cast<u64>(b[i]));
  return pack<To>(r);
}
template <class From, class To>
Vector extadd(const Ops& o) {
  Lanes<To> r{};
  const Lanes<From> a = lanes<From>(o.a);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<To>(To{a[2 * i]} + To{a[2 * i + 1]});
  return pack<To>(r);
}

Vector dot(const Ops& o) {
  Lanes<i32> r{};
  const Lanes<i16> a = lanes<i16>(o.a), b = lanes<i16>(o.b);
  for (std::size_t i = 0; i < 4; ++i)
    r[i] = static_cast<i32>(i64{a[2 * i]} * b[2 * i] + i64{a[2 * i + 1]} * b[2 * i + 1]);
  return pack<i32>(r);
}
/// The second operand's bytes as unsigned, sums of two saturated.
Vector relaxed_dot(const Ops& o) {
  Lanes<i16> r{};
  const Lanes<i8> a = lanes<i8>(o.a);
  for (std::size_t i = 0; i < 8; ++i)
    r[i] = saturated<i16>(i64{a[2 * i]} * o.b[2 * i] + i64{a[2 * i + 1]} * o.b[2 * i + 1]);
  return pack<i16>(r);
}
Vector relaxed_dot_add(const Ops& o) {
  const Lanes<i16> sums = lanes<i16>(relaxed_dot(o));
  Lanes<u32> r = lanes<u32>(o.c);
  for (std::size_t i = 0; i < 4; ++i) r[i] += static_cast<u32>(i32{sums[2 * i]} + sums[2 * i + 1]);
  return pack<u32>(r);
}

constexpr auto kQ15 = [](i16 a, i16 b) { return saturated<i16>((i64{a} * b + 0x4000) >> 15); };

Vector swizzle(const Ops& o) {
  Vector r{};
  for (std::size_t i = 0; i < 16; ++i) r[i] = o.b[i] < 16 ? o.a[o.b[i]] : 0;
  return r;
}
Vector bitselect(const Ops& o) {
  Vector r{};
  for (std::size_t i = 0; i < 16; ++i) r[i] = static_cast<u8>((o.a[i] & o.c[i]) | (o.b[i] & ~o.c[i]));
  return r;
}

Vector i32_result(u32 v) {
  return pack<u32>(Lanes<u32>{v});
}
Vector any_true(const Ops& o) {
  return i32_result(std::any_of(o.a.begin(), o.a.end(), [](u8 x) { return x != 0; }));
}
template <class T>
Vector all_true(const Ops& o) {
  const Lanes<T> a = lanes<T>(o.a);
  return i32_result(std::all_of(a.begin(), a.end(), [](T x) { return x != 0; }));
}
template <class T>
Vector bitmask(const Ops& o) {
  const Lanes<T> a = lanes<T>(o.a);
  u32 r = 0;
  for (std::size_t i = 0; i < a.size(); ++i) r |= static_cast<u32>(a[i] < 0) << i;
  return i32_result(r);
}

// Floats.

constexpr auto kDiv = [](auto a, auto b) { return a / b; };
constexpr auto kTimes = [](auto a, auto b) { return a * b; };
constexpr auto kFMin = [](auto a, auto b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<decltype(a)>::quiet_NaN();
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
};
constexpr auto kFMax = [](auto a, auto b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<decltype(a)>::quiet_NaN();
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
};
/// In bits, so that a NaN passes unchanged.
template <class F, class U, auto takes_second>
Vector pseudo(const Ops& o) {
  Lanes<U> r = lanes<U>(o.a);
  const Lanes<U> other = lanes<U>(o.b);
  const Lanes<F> a = lanes<F>(o.a), b = lanes<F>(o.b);
  for (std::size_t i = 0; i < r.size(); ++i)
    if (takes_second(a[i], b[i])) r[i] = other[i];
  return pack<U>(r);
}
template <class U>
constexpr U kSign = U{1} << (8 * sizeof(U) - 1);
template <class U, bool negative>
Vector with_sign(const Ops& o) {
  Lanes<U> r = lanes<U>(o.a);
  for (U& x : r) x = negative ? x ^ kSign<U> : x & ~kSign<U>;
  return pack<U>(r);
}
constexpr auto kSqrt = [](auto a) { return std::sqrt(a); };
constexpr auto kCeil = [](auto a) { return std::ceil(a); };
constexpr auto kFloor = [](auto a) { return std::floor(a); };
constexpr auto kTrunc = [](auto a) { return std::trunc(a); };
constexpr auto kNearest = [](auto a) { return std::nearbyint(a); };
constexpr auto kSame = [](auto a) { return a; };

template <class F, bool negated>
Vector madd(const Ops& o) {
  const Lanes<F> a = lanes<F>(o.a), b = lanes<F>(o.b), c = lanes<F>(o.c);
  Lanes<F> r{};
  for (std::size_t i = 0; i < r.size(); ++i) {
    const F x = negated ? -a[i] : a[i];
    const F product = x * b[i];
    r[i] = o.fused ? std::fma(x, b[i], c[i]) : F(0);
    if (!o.fused) {
      volatile F rounded = product;  // so that nothing fuses it with the addition
      r[i] = rounded + c[i];
    }
  }
  return pack<F>(r);
}

template <class T>
T truncated(double v) {
  if (std::isnan(v)) return 0;
  if (v <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  if (v >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(v);
}
template <class T>
Vector truncate_f32(const Ops& o) {
  return convert1<float, T, [](float x) { return truncated<T>(double{x}); }>(o);
}
template <class T>
Vector truncate_f64(const Ops& o) {
  const Lanes<double> a = lanes<double>(o.a);
  return pack<T>(Lanes<T>{truncated<T>(a[0]), truncated<T>(a[1])});
}
template <class T>
Vector convert_low(const Ops& o) {
  const Lanes<T> a = lanes<T>(o.a);
  return pack<double>({static_cast<double>(a[0]), static_cast<double>(a[1])});
}
Vector demote(const Ops& o) {
  const Lanes<double> a = lanes<double>(o.a);
  return pack<float>({static_cast<float>(a[0]), static_cast<float>(a[1])});
}
Vector promote(const Ops& o) {
  const Lanes<float> a = lanes<float>(o.a);
  return pack<double>({double{a[0]}, double{a[1]}});
}

// clang-format off
#define INT_SHAPE(shape, S, U)                              \
  {shape ".eq", compare<S, S, kEq>},                        \
  {shape ".ne", compare<S, S, kNe>},                        \
  {shape ".lt_s", compare<S, S, kLt>},                      \
  {shape ".gt_s", compare<S, S, kGt>},                      \
  {shape ".le_s", compare<S, S, kLe>},                      \
  {shape ".ge_s", compare<S, S, kGe>},                      \
  {shape ".add", map2<U, kAdd>},                            \
  {shape ".sub", map2<U, kSub>},                            \
  {shape ".neg", map1<U, kNeg>},                            \
  {shape ".abs", map1<S, kAbs>},                            \
  {shape ".shl", shift<U, kShl>},                           \
  {shape ".shr_s", shift<S, kShr>},                         \
  {shape ".shr_u", shift<U, kShr>},                         \
  {shape ".all_true", all_true<S>},                         \
  {shape ".bitmask", bitmask<S>},                           \
  {shape ".relaxed_laneselect", bitselect}
#define SMALL_INT_SHAPE(shape, S, U)                        \
  {shape ".lt_u", compare<U, S, kLt>},                      \
  {shape ".gt_u", compare<U, S, kGt>},                      \
  {shape ".le_u", compare<U, S, kLe>},                      \
  {shape ".ge_u", compare<U, S, kGe>},                      \
  {shape ".min_s", map2<S, kMin>},                          \
  {shape ".min_u", map2<U, kMin>},                          \
  {shape ".max_s", map2<S, kMax>},                          \
  {shape ".max_u", map2<U, kMax>}
#define SATURATING_SHAPE(shape, S, U)                       \
  {shape ".add_sat_s", map2<S, kAddSat>},                   \
  {shape ".add_sat_u", map2<U, kAddSat>},                   \
  {shape ".sub_sat_s", map2<S, kSubSat>},                   \
  {shape ".sub_sat_u", map2<U, kSubSat>},                   \
  {shape ".avgr_u", map2<U, kAvgr>}
#define WIDENING(to, ST, UT, from, SF, UF)                  \
  {to ".extend_low_" from "_s", extend<SF, ST, false>},     \
  {to ".extend_high_" from "_s", extend<SF, ST, true>},     \
  {to ".extend_low_" from "_u", extend<UF, UT, false>},     \
  {to ".extend_high_" from "_u", extend<UF, UT, true>},     \
  {to ".extmul_low_" from "_s", extmul<SF, ST, false>},     \
  {to ".extmul_high_" from "_s", extmul<SF, ST, true>},     \
  {to ".extmul_low_" from "_u", extmul<UF, UT, false>},     \
  {to ".extmul_high_" from "_u", extmul<UF, UT, true>}
#define FLOAT_SHAPE(shape, F, U, S, nan)                    \
  {shape ".eq", compare<F, S, kEq>},                        \
  {shape ".ne", compare<F, S, kNe>},                        \
  {shape ".lt", compare<F, S, kLt>},                        \
  {shape ".gt", compare<F, S, kGt>},                        \
  {shape ".le", compare<F, S, kLe>},                        \
  {shape ".ge", compare<F, S, kGe>},                        \
  {shape ".abs", with_sign<U, false>},                      \
  {shape ".neg", with_sign<U, true>},                       \
  {shape ".pmin", pseudo<F, U, [](F a, F b) { return b < a; }>}, \
  {shape ".pmax", pseudo<F, U, [](F a, F b) { return a < b; }>}, \
  {shape ".add", map2<F, kAdd>, nan},                       \
  {shape ".sub", map2<F, kSub>, nan},                       \
  {shape ".mul", map2<F, kTimes>, nan},                     \
  {shape ".div", map2<F, kDiv>, nan},                       \
  {shape ".min", map2<F, kFMin>, nan},                      \
  {shape ".max", map2<F, kFMax>, nan},                      \
  {shape ".relaxed_min", map2<F, kFMin>, nan},              \
  {shape ".relaxed_max", map2<F, kFMax>, nan},              \
  {shape ".sqrt", map1<F, kSqrt>, nan},                     \
  {shape ".ceil", map1<F, kCeil>, nan},                     \
  {shape ".floor", map1<F, kFloor>, nan},                   \
  {shape ".trunc", map1<F, kTrunc>, nan},                   \
  {shape ".nearest", map1<F, kNearest>, nan},               \
  {shape ".relaxed_madd", madd<F, false>, nan},             \
  {shape ".relaxed_nmadd", madd<F, true>, nan}

const VectorModel kModels[] = {
  INT_SHAPE("i8x16", i8, u8),
  INT_SHAPE("i16x8", i16, u16),
  INT_SHAPE("i32x4", i32, u32),
  INT_SHAPE("i64x2", i64, u64),
  SMALL_INT_SHAPE("i8x16", i8, u8),
  SMALL_INT_SHAPE("i16x8", i16, u16),
  SMALL_INT_SHAPE("i32x4", i32, u32),
  SATURATING_SHAPE("i8x16", i8, u8),
  SATURATING_SHAPE("i16x8", i16, u16),
  WIDENING("i16x8", i16, u16, "i8x16", i8, u8),
  WIDENING("i32x4", i32, u32, "i16x8", i16, u16),
  WIDENING("i64x2", i64, u64, "i32x4", i32, u32),
  FLOAT_SHAPE("f32x4", float, u32, i32, NanRule::f32),
  FLOAT_SHAPE("f64x2", double, u64, i64, NanRule::f64),
  {"i16x8.mul", map2<u16, kMul>},
  {"i32x4.mul", map2<u32, kMul>},
  {"i64x2.mul", map2<u64, kMul>},
  {"i8x16.popcnt", map1<u8, [](u8 x) { return std::popcount(x); }>},
  {"i8x16.narrow_i16x8_s", narrow<i16, i8>},
  {"i8x16.narrow_i16x8_u", narrow<i16, u8>},
  {"i16x8.narrow_i32x4_s", narrow<i32, i16>},
  {"i16x8.narrow_i32x4_u", narrow<i32, u16>},
  {"i16x8.extadd_pairwise_i8x16_s", extadd<i8, i16>},
  {"i16x8.extadd_pairwise_i8x16_u", extadd<u8, u16>},
  {"i32x4.extadd_pairwise_i16x8_s", extadd<i16, i32>},
  {"i32x4.extadd_pairwise_i16x8_u", extadd<u16, u32>},
  {"i16x8.q15mulr_sat_s", map2<i16, kQ15>},
  {"i16x8.relaxed_q15mulr_s", map2<i16, kQ15>},
  {"i32x4.dot_i16x8_s", dot},
  {"i16x8.relaxed_dot_i8x16_i7x16_s", relaxed_dot},
  {"i32x4.relaxed_dot_i8x16_i7x16_add_s", relaxed_dot_add},
  {"i8x16.swizzle", swizzle},
  {"i8x16.relaxed_swizzle", swizzle},
  {"v128.not", map1<u8, [](u8 x) { return ~x; }>},
  {"v128.and", map2<u8, [](u8 a, u8 b) { return a & b; }>},
  {"v128.andnot", map2<u8, [](u8 a, u8 b) { return a & ~b; }>},
  {"v128.or", map2<u8, [](u8 a, u8 b) { return a | b; }>},
  {"v128.xor", map2<u8, [](u8 a, u8 b) { return a ^ b; }>},
  {"v128.bitselect", bitselect},
  {"v128.any_true", any_true},
  {"i32x4.trunc_sat_f32x4_s", truncate_f32<i32>},
  {"i32x4.trunc_sat_f32x4_u", truncate_f32<u32>},
  {"i32x4.trunc_sat_f64x2_s_zero", truncate_f64<i32>},
  {"i32x4.trunc_sat_f64x2_u_zero", truncate_f64<u32>},
  {"i32x4.relaxed_trunc_f32x4_s", truncate_f32<i32>},
  {"i32x4.relaxed_trunc_f32x4_u", truncate_f32<u32>},
  {"i32x4.relaxed_trunc_f64x2_s_zero", truncate_f64<i32>},
  {"i32x4.relaxed_trunc_f64x2_u_zero", truncate_f64<u32>},
  {"f32x4.convert_i32x4_s", convert1<i32, float, kSame>},
  {"f32x4.convert_i32x4_u", convert1<u32, float, kSame>},
  {"f64x2.convert_low_i32x4_s", convert_low<i32>},
  {"f64x2.convert_low_i32x4_u", convert_low<u32>},
  {"f32x4.demote_f64x2_zero", demote, NanRule::f32},
  {"f64x2.promote_low_f32x4", promote, NanRule::f64},
};
// clang-format on

template <class F, class U>
bool lanes_match(const Vector& got, const Vector& want) {
  constexpr U kQuiet = U{1} << (std::numeric_limits<F>::digits - 2);
  const Lanes<U> g = lanes<U>(got), w = lanes<U>(want);
  for (std::size_t i = 0; i < g.size(); ++i) {
    const bool nan = std::isnan(std::bit_cast<F>(w[i]));
    if (nan ? !std::isnan(std::bit_cast<F>(g[i])) || (g[i] & kQuiet) == 0 : g[i] != w[i]) return false;
  }
  return true;
}

}  // namespace

const VectorModel* find_vector_model(std::string_view name) {
  for (const VectorModel& m : kModels)
    if (m.name == name) return &m;
  return nullptr;
}

bool matches(const VectorModel& model, const Vector& got, const Vector& want) {
  switch (model.nans) {
    case NanRule::f32: return lanes_match<float, u32>(got, want);
    case NanRule::f64: return lanes_match<double, u64>(got, want);
    case NanRule::none: break;
  }
  return got == want;
}

}  // namespace heddle::baseline::test
