#include "observe/stats.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"

#include "observe/describe.h"

namespace heddle::observe {
namespace {

/// Chosen: what a screen holds.
constexpr std::size_t kPieces = 30;

double ms(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

double ratio(std::uint64_t code_bytes, std::uint64_t wasm_bytes) {
  return wasm_bytes == 0 ? 0 : static_cast<double>(code_bytes) / static_cast<double>(wasm_bytes);
}

}  // namespace

Stats::Stats() : begin_ns_(base::monotonic_ns()) {}

void Stats::on_new_code(const code::NewCode& c) {
  using Kind = code::NewCode::Kind;
  const base::ByteRange body = c.code.owner->module().body(c.code.func).range;
  const auto wasm_bytes = static_cast<std::uint32_t>(body.end - body.begin);
  const bool whole = c.kind == Kind::first || c.kind == Kind::better;
  base::MutexLock lock(mutex_);
  Sum& sum = whole ? functions_[c.code.tier] : loops_;
  if (c.kind != Kind::loop_stub) ++sum.pieces;
  sum.compile_ns += c.compile_ns;
  sum.code_bytes += c.code.size_bytes;
  sum.wasm_bytes += whole ? wasm_bytes : 0;
  const auto took_more = [](const Piece& a, const Piece& b) { return a.compile_ns > b.compile_ns; };
  if (longest_.size() == kPieces && longest_.front().compile_ns >= c.compile_ns) return;
  longest_.push_back({c.at_ns, c.compile_ns, c.code.size_bytes, wasm_bytes, c.code.tier, describe(c)});
  std::push_heap(longest_.begin(), longest_.end(), took_more);
  if (longest_.size() <= kPieces) return;
  std::pop_heap(longest_.begin(), longest_.end(), took_more);
  longest_.pop_back();
}

std::uint64_t Stats::all_code_bytes() const {
  std::uint64_t bytes = loops_.code_bytes;
  for (const auto& [tier, sum] : functions_) bytes += sum.code_bytes;
  return bytes;
}

std::vector<Stats::Piece> Stats::longest_in_order() const {
  std::vector<Piece> pieces = longest_;
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.at_ns < b.at_ns; });
  return pieces;
}

std::string Stats::table(const SampleCounts& counts) {
  base::MutexLock lock(mutex_);
  std::string out = fmt::format("{:<22}{:>8}{:>12}{:>12}{:>12}{:>8}\n", "code", "pieces", "compile ms", "wasm bytes",
                                "code bytes", "ratio");
  for (const auto& [tier, sum] : functions_)
    out += fmt::format("{:<22}{:>8}{:>12.2f}{:>12}{:>12}{:>8.2f}\n", fmt::format("functions, {}", tier), sum.pieces,
                       ms(sum.compile_ns), sum.wasm_bytes, sum.code_bytes, ratio(sum.code_bytes, sum.wasm_bytes));
  out += fmt::format("{:<22}{:>8}{:>12.2f}{:>12}{:>12}\n", "loops moved", loops_.pieces, ms(loops_.compile_ns), "",
                     loops_.code_bytes);
  out += fmt::format(
      "{} bytes of code, {} samples of code or callers that could be better, {} functions left to the baseline\n",
      all_code_bytes(), counts.samples, counts.unsupported);
  const std::vector<Piece> pieces = longest_in_order();
  out += fmt::format("\nat ms   took ms  wasm bytes  code bytes  what{}\n",
                     pieces.size() == kPieces ? " (those that took longest)" : "");
  for (const Piece& p : pieces)
    out += fmt::format("{:<8.1f}{:>7.2f}{:>12}{:>12}  {}\n", ms(since_begin_ns(p)), ms(p.compile_ns), p.wasm_bytes,
                       p.code_bytes, p.name);
  return out;
}

std::string Stats::json(const SampleCounts& counts) {
  using Json = nlohmann::ordered_json;
  const auto sizes = [](const auto& of) {
    return Json{{"compile_ns", of.compile_ns}, {"wasm_bytes", of.wasm_bytes}, {"code_bytes", of.code_bytes}};
  };
  base::MutexLock lock(mutex_);
  Json out = {{"functions", Json::object()}};
  for (const auto& [tier, sum] : functions_) {
    out["functions"][std::string(tier)] = sizes(sum);
    out["functions"][std::string(tier)]["pieces"] = sum.pieces;
  }
  out["loops_moved"] = {
      {"pieces", loops_.pieces}, {"compile_ns", loops_.compile_ns}, {"code_bytes", loops_.code_bytes}};
  out["code_bytes"] = all_code_bytes();
  out["samples"] = counts.samples;
  out["functions_left_to_baseline"] = counts.unsupported;
  out["longest"] = Json::array();
  for (const Piece& p : longest_in_order()) {
    Json piece = {{"name", p.name}, {"tier", p.tier}, {"at_ns", since_begin_ns(p)}};
    piece.update(sizes(p));
    out["longest"].push_back(std::move(piece));
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace heddle::observe
