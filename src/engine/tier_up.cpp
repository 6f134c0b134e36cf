#include "engine/tier_up.h"

#include <algorithm>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <utility>

#include "base/clock.h"
#include "engine/batch.h"
#include "engine/tier_loader.h"
#include "runtime/traps.h"

namespace heddle::engine {
namespace {

/// Chosen: kernels' ticks are 1 to 10 ms, mostly 4, and no timer of CPU time goes below them.
constexpr std::uint64_t kSampleIntervalNs = 2'000'000;

/// The CPU time that a sample stands for.
std::uint64_t sample_ns() {
  timespec tick{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
  return std::max(kSampleIntervalNs, static_cast<std::uint64_t>(tick.tv_nsec));
}

/// About what the LLVM tier takes, as measured: for 2 KB 20 ms, for 160 KB four seconds.
constexpr std::uint64_t expected_compile_ns(std::uint64_t body_bytes) {
  return body_bytes * (10'000 + body_bytes / 10);
}

/// Chosen: of bodies that are compiled together. A large function gains nothing by company, which only delays it.
constexpr std::uint64_t kBatchBytes = 1 << 10;
constexpr std::size_t kBatchFunctions = 16;

/// Chosen: samples of callees that were not known, until their caller is compiled once more. Some 30 ms in them.
constexpr std::uint32_t kMissedSamples = 8;
/// Chosen: so long after a function was compiled its callees are looked for.
constexpr std::uint64_t kWatchNs = 500'000'000;

std::uint64_t body_bytes(const code::ModuleCode& module, spec::FuncIndex func) {
  return module.module().body(func).range.size_bytes();
}

std::string name_of(const code::ModuleCode& module, spec::FuncIndex func) {
  return binary::function_name(module.module(), module.names(), func);
}

}  // namespace

std::unique_ptr<TierUp> TierUp::create(const Options& options, const abi::Tier& first) {
  runtime::Sampler* sampler = runtime::Sampler::take();
  if (sampler == nullptr) return nullptr;
  std::unique_ptr<TierUp> result(new TierUp(options, first, sampler, sample_ns()));
  if (!sampler->start(kSampleIntervalNs)) return nullptr;
  if (!options.later && !result->make_thread()) return nullptr;
  return result;
}

void TierUp::start() {
  if (!has_thread_) make_thread();
}

bool TierUp::make_thread() {
  // Signals of the process are for its other threads; but a sample that this one gets must not wait for them.
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, runtime::kInterruptSignal);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  has_thread_ = pthread_create(&thread_, nullptr, &TierUp::run_thread, this) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return has_thread_;
}

TierUp::~TierUp() {
  stop_.store(true, std::memory_order_relaxed);
  sampler_->wake();
  if (has_thread_) pthread_join(thread_, nullptr);
  sampler_->give_back();
}

void TierUp::add(const std::shared_ptr<code::ModuleCode>& module) {
  if (options_.threshold <= 1) module->add_listener(*this);
  base::MutexLock lock(mutex_);
  std::unique_ptr<Entry>& entry = modules_[module.get()];
  if (entry == nullptr) entry = std::make_unique<Entry>();
  // The worker looks at an Entry without the lock only while it holds the module; an older one at this address is gone.
  entry->module = module;
  entry->functions.clear();
}

void TierUp::on_compiled(const code::ModuleCode& code, spec::FuncIndex func) {
  {
    base::MutexLock lock(mutex_);
    queue_.push_back({&code, func});
  }
  sampler_->wake();
}

void* TierUp::run_thread(void* self) {
  static_cast<TierUp*>(self)->run();
  return nullptr;
}

void TierUp::run() {
  prctl(PR_SET_NAME, "heddle-tier-up");
  while (!stopping()) {
    sampler_->wait();
    if (spare_.slept(asleep_.elapsed())) asleep_.restart();
    count_samples();
    compile_queued();
    while (!stopping() && compile_hottest()) count_samples();  // what is hottest may change meanwhile
  }
}

std::vector<std::pair<TierUp::Module, TierUp::Entry*>> TierUp::living() {
  std::vector<std::pair<Module, Entry*>> result;
  base::MutexLock lock(mutex_);
  for (auto at = modules_.begin(); at != modules_.end();) {
    if (Module module = at->second->module.lock()) {
      result.emplace_back(std::move(module), at->second.get());
      ++at;
    } else {
      at = modules_.erase(at);
    }
  }
  return result;
}

void TierUp::count_sample(Function& function, const code::FunctionCode& code, const void* pc, std::uint64_t since_ns) {
  if (!function.settled) {
    ++function.samples;
    return;
  }
  if (!function.improved || since_ns < function.stuck_from_ns) return;
  const abi::OsrPoint* point = code.osr_point(pc);
  if (point == nullptr) return;
  auto loop = std::find_if(function.loops.begin(), function.loops.end(),
                           [point](const Loop& l) { return l.body_offset == point->body_offset; });
  if (loop == function.loops.end()) loop = function.loops.insert(loop, Loop{point->body_offset, pc, 0, false});
  ++loop->samples;
}

void TierUp::count_call(Function& caller, const code::FunctionCode& code, const void* return_pc,
                        spec::FuncIndex callee) {
  // Of a call in inlined code the offset would be another body's.
  const bool is_second_look = caller.improved && !caller.reconsidered && code.inlined_at_return(return_pc) == 0;
  if (!code.improvable && !is_second_look) return;
  const std::uint32_t body_offset = code.body_offset_of_return(return_pc);
  auto call = std::find_if(caller.calls.begin(), caller.calls.end(),
                           [&](const Call& c) { return c.seen.body_offset == body_offset && c.seen.func == callee; });
  if (call == caller.calls.end()) call = caller.calls.insert(call, Call{{body_offset, callee}, 0});
  ++call->samples;
  if (caller.improved && !is_guessed(caller, call->seen)) ++caller.unguessed_samples;
}

bool TierUp::is_guessed(const Function& caller, const abi::LikelyCall& call) {
  return std::find(caller.guessed.begin(), caller.guessed.end(), call) != caller.guessed.end();
}

std::vector<TierUp::Call> TierUp::likely_calls(std::vector<Call> calls) {
  std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) {
    if (a.seen.body_offset != b.seen.body_offset) return a.seen.body_offset < b.seen.body_offset;
    return a.samples != b.samples ? a.samples > b.samples : a.seen.func < b.seen.func;
  });
  std::vector<Call> likely;
  for (std::size_t first = 0, end = 0; first < calls.size(); first = end) {
    std::uint32_t all = 0;
    for (; end < calls.size() && calls[end].seen.body_offset == calls[first].seen.body_offset; ++end)
      all += calls[end].samples;
    if (calls[first].samples * 2 > all) likely.push_back(calls[first]);
  }
  return likely;
}

std::vector<abi::LikelyCall> TierUp::guesses(const Function& function) {
  std::vector<abi::LikelyCall> result;
  for (const Call& call : likely_calls(function.calls)) result.push_back(call.seen);
  return result;
}

std::uint32_t TierUp::missed_samples(const code::ModuleCode& module, const Function& function) {
  std::uint32_t missed = 0;
  for (const Call& call : likely_calls(function.calls)) {
    const bool is_small = body_bytes(module, call.seen.func) <= abi::kMaxLikelyBodyBytes;
    if (is_small && !is_guessed(function, call.seen)) missed += call.samples;
  }
  return missed;
}

void TierUp::count_samples() {
  runtime::Sampler::Sample samples[runtime::Sampler::kSlots];
  const std::uint64_t since_ns = std::exchange(drained_ns_, base::monotonic_ns());
  const std::size_t count = sampler_->drain(samples);
  sampler_->set_all_count(drained_ns_ < watch_until_ns_);
  if (count == 0) return;
  const auto modules = living();
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& [module, entry] : modules) {
      const auto& [pc, return_pc] = samples[i];
      const code::FunctionCode* code = module->find(pc);
      if (code == nullptr) continue;
      stats_.samples.fetch_add(1, std::memory_order_relaxed);
      if (code->improvable) count_sample(entry->functions[code->func.value], *code, pc, since_ns);
      if (const code::FunctionCode* caller = module->find(return_pc))
        count_call(entry->functions[caller->func.value], *caller, return_pc, code->func);
    }
  }
}

void TierUp::compile_queued() {
  std::vector<Compiled> queue;
  {
    base::MutexLock lock(mutex_);
    queue.swap(queue_);
    compiling_queue_ = !queue.empty();
  }
  if (queue.empty()) return;
  compile_each(queue);
  base::MutexLock lock(mutex_);
  compiling_queue_ = false;
  queue_done_.notify_all();
}

void TierUp::await_queued() {
  base::MutexLock lock(mutex_);
  while (!queue_.empty() || compiling_queue_) queue_done_.wait(mutex_);
}

void TierUp::compile_each(const std::vector<Compiled>& queue) {
  const auto modules = living();
  for (auto at = queue.begin(); at != queue.end();) {
    const code::ModuleCode* const of = at->module;
    const auto found =
        std::find_if(modules.begin(), modules.end(), [of](const auto& m) { return m.first.get() == of; });
    BatchBudget budget(kBatchBytes, kBatchFunctions);
    Batch batch;
    for (; at != queue.end() && at->module == of; ++at) {
      if (found == modules.end()) continue;
      Function& function = found->second->functions[at->func.value];
      if (function.settled) continue;
      if (!budget.take(found->first->module(), at->func)) break;
      function.settled = true;
      batch.emplace_back(at->func, &function);
    }
    if (stopping()) return;
    if (!batch.empty()) improve(*found->first, batch);
  }
}

std::uint64_t TierUp::samples_wanted(std::uint64_t body_bytes) const {
  if (options_.threshold <= 1) return 1;
  const std::uint64_t compile_ns = expected_compile_ns(body_bytes);
  const std::uint64_t worth_ns = spare_.is_there() ? compile_ns / 2 : compile_ns * 4;
  return std::max<std::uint64_t>(options_.threshold, worth_ns / sample_ns_);
}

bool TierUp::compile_hottest() {
  Module where;
  Entry* entry_of = nullptr;
  Function* hottest = nullptr;
  Loop* stuck = nullptr;
  std::uint32_t func = 0;
  double most_heat = 0;
  for (auto& [module, entry] : living())
    for (auto& [index, function] : entry->functions) {
      const auto wanted = static_cast<double>(samples_wanted(body_bytes(*module, spec::FuncIndex(index))));
      const auto take_if_hottest = [&, &module = module, index = index](std::uint32_t samples) {
        const double heat = samples / wanted;
        if (heat < 1 || heat <= most_heat) return false;
        most_heat = heat;
        hottest = &function;
        stuck = nullptr;
        func = index;
        where = module;
        entry_of = entry;
        return true;
      };
      if (!function.settled) take_if_hottest(function.samples);
      for (Loop& loop : function.loops)
        if (!loop.settled && take_if_hottest(loop.samples)) stuck = &loop;
      if (function.unguessed_samples >= kMissedSamples && !function.reconsidered)
        if (const std::uint32_t missed = missed_samples(*module, function); missed >= kMissedSamples)
          take_if_hottest(missed);
    }
  if (hottest == nullptr) return false;
  if (stuck != nullptr) {
    settle_loop(*where, *hottest, *stuck);
  } else {
    hottest->reconsidered = hottest->improved;
    improve(*where, batch_around(*where, *entry_of, spec::FuncIndex(func)));
  }
  asleep_.restart();
  return true;
}

TierUp::Batch TierUp::batch_around(const code::ModuleCode& module, Entry& entry, spec::FuncIndex hottest) const {
  Batch hot;
  for (auto& [index, function] : entry.functions)
    if (spec::FuncIndex(index) == hottest || (!function.settled && function.samples > 0))
      hot.emplace_back(spec::FuncIndex(index), &function);
  std::sort(hot.begin(), hot.end(), [hottest](const auto& a, const auto& b) {
    if ((a.first == hottest) != (b.first == hottest)) return a.first == hottest;
    return a.second->samples != b.second->samples ? a.second->samples > b.second->samples : a.first < b.first;
  });
  BatchBudget budget(kBatchBytes, kBatchFunctions);
  std::erase_if(hot, [&](const auto& f) { return !budget.take(module.module(), f.first); });
  for (const auto& [func, function] : hot) function->settled = true;
  return hot;
}

void TierUp::settle_loop(code::ModuleCode& module, const Function& function, Loop& loop) {
  loop.settled = true;
  const code::FunctionCode* old = module.find(loop.pc);
  const abi::OsrPoint* point = old == nullptr ? nullptr : old->osr_point(loop.pc);
  if (point != nullptr) replace_loop(module, function, *old, *point);
}

std::string TierUp::compile_loop(code::ModuleCode& module, const Function& function, const code::FunctionCode& old,
                                 const abi::OsrPoint& point) {
  const std::uint64_t begin = base::monotonic_ns();
  const std::vector<abi::LikelyCall> likely = guesses(function);
  const abi::CompileRequest request{module.checked(),  module.layout(), old.func, module.wants_listing(old.func),
                                    point.body_offset, likely};
  abi::CompileResult stub = first_.compile(request);
  if (const auto* no = std::get_if<abi::Unsupported>(&stub)) return no->reason;
  abi::CompileResult entry = better_tier()->compile(request);
  if (const auto* no = std::get_if<abi::Unsupported>(&entry)) return no->reason;
  auto* from = std::get_if<abi::CodeArtifact>(&stub);
  auto* to = std::get_if<abi::CodeArtifact>(&entry);
  if (from == nullptr || to == nullptr) return "its body is invalid";
  const code::Origin origin{better_tier()->name().data(), base::monotonic_ns() - begin};
  const base::Status done = module.publish_osr(old, point, std::move(*from), std::move(*to), origin);
  return done.ok() ? std::string() : done.error().message;
}

const abi::Tier* TierUp::better_tier() {
  if (tier_ != nullptr || tier_failed_) return tier_;
  const std::uint64_t begin = base::monotonic_ns();
  const auto loaded = llvm_tier();
  tier_failed_ = !loaded.ok();
  if (loaded.ok()) tier_ = *loaded;
  if (options_.note)
    note(loaded.ok() ? fmt::format("LLVM loaded in {:.1f} ms", static_cast<double>(base::monotonic_ns() - begin) / 1e6)
                     : loaded.error().message);
  return tier_;
}

void TierUp::improve(code::ModuleCode& module, const Batch& batch) {
  const abi::Tier* tier = better_tier();
  if (tier == nullptr) return;
  std::vector<const code::FunctionCode*> old;
  std::vector<abi::CompileRequest> requests;
  std::vector<std::vector<abi::LikelyCall>> likely;
  likely.reserve(batch.size());
  std::uint64_t bytes = 0;
  for (const auto& [func, function] : batch) {
    old.push_back(module.find(module.slot(func)->load(std::memory_order_acquire)));
    likely.push_back(guesses(*function));
    function->guessed = likely.back();
    requests.push_back({module.checked(), module.layout(), func, module.wants_listing(func), {}, likely.back()});
    bytes += body_bytes(module, func);
  }
  if (options_.threshold != 0) {
    const base::Stopwatch watch(base::Stopwatch::Of::thread);
    std::vector<abi::CompileResult> results = tier->compile_batch(requests);
    const base::Span took = watch.elapsed();
    spare_.worked(took);
    stats_.compile_ns.fetch_add(took.wall_ns, std::memory_order_relaxed);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const double share = static_cast<double>(body_bytes(module, batch[i].first)) / static_cast<double>(bytes);
      publish(module, batch[i].first, *batch[i].second, std::move(results[i]),
              static_cast<std::uint64_t>(static_cast<double>(took.wall_ns) * share));
    }
  }
  if (options_.threshold > 1) return;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Function& function = *batch[i].second;
    if (old[i] != nullptr && (function.improved || options_.threshold == 0)) replace_loops(module, *old[i], function);
  }
}

void TierUp::publish(code::ModuleCode& module, spec::FuncIndex func, Function& function, abi::CompileResult result,
                     std::uint64_t took_ns) {
  std::string problem;
  if (auto* artifact = std::get_if<abi::CodeArtifact>(&result)) {
    const base::Status published = module.publish(std::move(*artifact), {tier_->name().data(), took_ns});
    if (!published.ok()) problem = published.error().message;
  } else if (const auto* unsupported = std::get_if<abi::Unsupported>(&result)) {
    problem = unsupported->reason;
  } else {
    problem = "its body is invalid";
  }
  (problem.empty() ? stats_.functions : stats_.unsupported).fetch_add(1, std::memory_order_relaxed);
  function.improved |= problem.empty();
  const std::uint64_t now = base::monotonic_ns();
  if (problem.empty()) watch_until_ns_ = now + kWatchNs;
  function.stuck_from_ns = now + took_ns;
  if (options_.note && problem.empty())
    note(fmt::format("{}: {} in {:.1f} ms, after {} samples", name_of(module, func), tier_->name(),
                     static_cast<double>(took_ns) / 1e6, function.samples));
  else if (options_.note)
    note(fmt::format("{}: left to the baseline: {}", name_of(module, func), problem));
}

void TierUp::replace_loops(code::ModuleCode& module, const code::FunctionCode& old, Function& function) {
  for (const abi::OsrPoint& point : old.osr_points) {
    function.loops.push_back({point.body_offset, nullptr, 0, true});
    if (!stopping()) replace_loop(module, function, old, point);
  }
}

void TierUp::replace_loop(code::ModuleCode& module, const Function& function, const code::FunctionCode& old,
                          const abi::OsrPoint& point) {
  const std::uint64_t begin = base::monotonic_ns();
  const std::string problem = compile_loop(module, function, old, point);
  const std::uint64_t took = base::monotonic_ns() - begin;
  stats_.compile_ns.fetch_add(took, std::memory_order_relaxed);
  if (problem.empty()) stats_.loops.fetch_add(1, std::memory_order_relaxed);
  if (!options_.note) return;
  const std::string what = fmt::format("{}: loop at byte {}", name_of(module, old.func), point.body_offset);
  note(problem.empty() ? fmt::format("{}: threads move over, {:.1f} ms", what, static_cast<double>(took) / 1e6)
                       : fmt::format("{}: left to the baseline: {}", what, problem));
}

}  // namespace heddle::engine
