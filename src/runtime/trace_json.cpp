// Trace as JSON. Threads that had the same id one after the other share a row. Times are microseconds from the trace's
// beginning, with three digits for the nanoseconds.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <map>

#include "base/clock.h"
#include "code/module_code.h"
#include "runtime/parking_lot.h"
#include "runtime/report.h"
#include "runtime/trace.h"

namespace heddle::runtime {
namespace {

using Kind = TraceEvent::Kind;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (byte < 0x20 || byte >= 0x7f)
      out += fmt::format("\\u{:04x}", byte);  // names are for reading: bytes beyond ASCII stand for themselves
    else
      out += c;
  }
  return out + '"';
}

std::string function_name(const code::FunctionCode& code) {
  return binary::function_name(code.owner->module(), code.owner->names(), code.func);
}

const char* result_name(std::uint32_t result) {
  switch (static_cast<WaitResult>(result)) {
    case WaitResult::ok: return "ok";
    case WaitResult::not_equal: return "not-equal";
    case WaitResult::timed_out: return "timed-out";
    case WaitResult::interrupted: return "interrupted";
  }
  return "";
}

/// Behind every thread: their ids end at 2^29 - 1 (wasi-threads).
constexpr std::uint32_t kCompilerRow = std::uint32_t{1} << 29;

struct Row {
  std::uint32_t tid;
  std::uint64_t dropped;
  std::vector<TraceEvent> events;
};

class Writer {
 public:
  Writer(std::uint64_t begin_ns, std::vector<Row> rows)
      : begin_ns_(begin_ns), end_ns_(base::monotonic_ns()), rows_(std::move(rows)) {
    for (const Row& row : rows_) {
      for (const TraceEvent& e : row.events) {
        end_ns_ = std::max(end_ns_, e.at_ns);
        if (e.kind == Kind::wake) wakes_[{row.tid, e.address}].push_back(e.at_ns);
        if (e.kind == Kind::spawn) spawns_[e.number].push_back({row.tid, e.at_ns});
      }
    }
  }

  std::string run(const std::vector<TierUpEvent>& tier_ups) {
    for (const Row& row : rows_) write_row(row);
    write_tier_ups(tier_ups);
    return "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n" + out_ + "\n]}\n";
  }

 private:
  struct Open {
    std::uint64_t run_ns = 0, wait_ns = 0, call_ns = 0;
    const TraceEvent* wait = nullptr;
    const char* call = nullptr;
  };

  double us(std::uint64_t ns) const { return static_cast<double>(ns - std::min(ns, begin_ns_)) / 1000; }

  void line(std::string_view head, std::uint32_t tid, std::uint64_t at_ns, std::string_view tail) {
    if (!out_.empty()) out_ += ",\n";
    fmt::format_to(std::back_inserter(out_), "{{{},\"pid\":1,\"tid\":{},\"ts\":{:.3f}{}}}", head, tid, us(at_ns), tail);
  }
  void slice(std::string_view name, const char* category, std::uint32_t tid, std::uint64_t from, std::uint64_t to,
             std::string_view args) {
    line(fmt::format("\"ph\":\"X\",\"name\":{},\"cat\":\"{}\"", quoted(name), category), tid, from,
         fmt::format(",\"dur\":{:.3f},\"args\":{{{}}}", static_cast<double>(to - from) / 1000, args));
  }
  /// An arrow from one row to another.
  void arrow(const char* name, std::uint32_t from, std::uint64_t from_ns, std::uint32_t to, std::uint64_t to_ns) {
    const std::string what = fmt::format("\"name\":\"{}\",\"cat\":\"{}\",\"id\":{}", name, name, ++arrows_);
    line("\"ph\":\"s\"," + what, from, from_ns, "");
    line("\"ph\":\"f\",\"bp\":\"e\"," + what, to, to_ns, "");
  }

  void write_row(const Row& row) {
    line("\"ph\":\"M\",\"name\":\"thread_name\"", row.tid, begin_ns_,
         fmt::format(",\"args\":{{\"name\":{},\"dropped\":{}}}", quoted(thread_name(row.tid)), row.dropped));
    Open open;
    bool ended = false;
    for (const TraceEvent& e : row.events) {
      write_event(row.tid, e, open);
      ended = e.kind == Kind::end;
    }
    if (ended) return;
    if (open.wait != nullptr) end_wait(row.tid, open, end_ns_, "\"result\":\"still waiting\"");
    if (open.call != nullptr) slice(open.call, "wasi", row.tid, open.call_ns, end_ns_, "\"unfinished\":true");
    slice("run", "thread", row.tid, open.run_ns, end_ns_, "\"unfinished\":true");
  }

  void write_tier_ups(const std::vector<TierUpEvent>& tier_ups) {
    if (tier_ups.empty()) return;
    line("\"ph\":\"M\",\"name\":\"thread_name\"", kCompilerRow, begin_ns_,
         ",\"args\":{\"name\":\"compiler\",\"dropped\":0}");
    for (const TierUpEvent& e : tier_ups) {
      const std::string args = fmt::format("\"function\":{},\"tier\":\"{}\",\"part\":\"{}\"", quoted(name_of(e.code)),
                                           e.code->tier, e.is_loop ? "loop" : "function");
      slice("tier-up", "tier", kCompilerRow, e.at_ns - std::min(e.at_ns, e.compile_ns), e.at_ns, args);
    }
  }

  void write_event(std::uint32_t tid, const TraceEvent& e, Open& open) {
    switch (e.kind) {
      case Kind::begin:
        open.run_ns = e.at_ns;
        arrow_from_spawn(tid, e.at_ns);
        break;
      case Kind::end: slice("run", "thread", tid, open.run_ns, e.at_ns, ""); break;
      case Kind::spawn:
        line("\"ph\":\"i\",\"s\":\"t\",\"name\":\"spawn\",\"cat\":\"spawn\"", tid, e.at_ns,
             fmt::format(",\"args\":{{\"thread\":{}}}", e.number));
        break;
      case Kind::wait:
        open.wait = &e;
        open.wait_ns = e.at_ns;
        break;
      case Kind::wait_end: finish_wait(tid, e, open); break;
      case Kind::wake:
        line("\"ph\":\"i\",\"s\":\"t\",\"name\":\"wake\",\"cat\":\"wake\"", tid, e.at_ns,
             fmt::format(",\"args\":{{\"address\":\"{:#x}\",\"woken\":{}}}", e.address, e.number));
        break;
      case Kind::call:
        open.call = e.name;
        open.call_ns = e.at_ns;
        break;
      case Kind::call_end:
        if (open.call != nullptr) slice(open.call, "wasi", tid, open.call_ns, e.at_ns, "");
        open.call = nullptr;
        break;
    }
  }

  /// The last spawn of this id before it began.
  void arrow_from_spawn(std::uint32_t tid, std::uint64_t at_ns) {
    if (tid == 0) return;
    const auto& all = spawns_[tid];
    // The spawner notes it when the new thread may be running already.
    if (!all.empty()) arrow("spawned", all.back().first, std::min(all.back().second, at_ns), tid, at_ns);
  }

  void finish_wait(std::uint32_t tid, const TraceEvent& e, Open& open) {
    if (open.wait == nullptr) return;
    std::string args = fmt::format("\"result\":\"{}\"", result_name(e.result));
    const bool woken = static_cast<WaitResult>(e.result) == WaitResult::ok;
    if (woken) args += fmt::format(",\"woken_by\":{}", e.number);
    const std::uint64_t address = open.wait->address;
    end_wait(tid, open, e.at_ns, args);
    if (!woken) return;
    const auto& wakes = wakes_[{e.number, address}];
    const auto after = std::upper_bound(wakes.begin(), wakes.end(), e.at_ns);
    const std::uint64_t from = after == wakes.begin() ? e.at_ns : *(after - 1);
    arrow("woken", e.number, from, tid, e.at_ns);
  }

  void end_wait(std::uint32_t tid, Open& open, std::uint64_t to, std::string_view more) {
    std::string args = fmt::format("\"address\":\"{:#x}\",\"stack\":[", open.wait->address);
    for (std::size_t i = 0; i < TraceEvent::kFrames && open.wait->frames[i] != nullptr; ++i)
      args += (i != 0 ? "," : "") + quoted(name_of(open.wait->frames[i]));
    slice("wait", "wait", tid, open.wait_ns, to, fmt::format("{}],{}", args, more));
    open.wait = nullptr;
  }

  const std::string& name_of(const code::FunctionCode* code) {
    std::string& name = names_[code];
    if (name.empty()) name = function_name(*code);
    return name;
  }

  const std::uint64_t begin_ns_;
  std::uint64_t end_ns_;
  std::vector<Row> rows_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<std::uint64_t>> wakes_;
  std::map<std::uint32_t, std::vector<std::pair<std::uint32_t, std::uint64_t>>> spawns_;
  std::map<const code::FunctionCode*, std::string> names_;
  std::uint64_t arrows_ = 0;
  std::string out_;
};

}  // namespace

std::string Trace::json() {
  std::vector<Row> rows;
  std::vector<TierUpEvent> tier_ups;
  {
    base::MutexLock lock(mutex_);
    tier_ups = tier_ups_;
    for (const auto& row : rows_) rows.push_back({row->tid(), row->dropped(), row->events()});
  }
  return Writer(begin_ns_, std::move(rows)).run(tier_ups);
}

base::Status Trace::write(const std::string& path) {
  const std::string text = json();
  std::FILE* file = std::fopen(path.c_str(), "we");
  bool ok = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) ok = std::fclose(file) == 0 && ok;
  if (!ok) return base::Error{base::ErrorKind::io, base::kNoOffset, fmt::format("{}: {}", path, std::strerror(errno))};
  return {};
}

}  // namespace heddle::runtime
