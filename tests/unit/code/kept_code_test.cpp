// Code that the tier has kept and that comes in groups (abi::KeptCode): what is taken along, by whom, and who is told.
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <thread>

#include "code/module_code.h"
#include "support/machine_code.h"

namespace heddle::code {
namespace {

using test::Emitter;
using test::MachineModule;

/// Makes code as its MachineModule does, and has kept that of some functions, which come all at once.
class KeepingTier final : public abi::Tier {
 public:
  explicit KeepingTier(const MachineModule& makes) : makes_(makes) {}
  std::string_view name() const override { return "keeping"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    if (before_compile) before_compile(request.func);
    return makes_.compile(request);
  }
  std::optional<abi::KeptCode> kept(const abi::CompileRequest& request) const override {
    EXPECT_FALSE(request.want_listing);
    if (!group.contains(request.func)) return std::nullopt;
    asked.fetch_add(1);
    if (before_kept) before_kept();
    std::vector<abi::CodeArtifact> made;
    std::size_t size_bytes = 0;
    for (const spec::FuncIndex func : group) {
      auto result = makes_.compile({request.module, request.layout, func});
      made.push_back(std::move(std::get<abi::CodeArtifact>(result)));
      size_bytes += made.back().code.size();
    }
    auto memory = std::make_unique<std::uint8_t[]>(size_bytes);
    std::uint8_t* at = memory.get();
    abi::KeptCode kept;
    for (abi::CodeArtifact& a : made) {
      abi::KeptCode::Piece& piece = kept.pieces.emplace_back(a.body);
      std::memcpy(at, a.code.data(), a.code.size());
      piece.code = {at, a.code.size()};
      piece.made_by = "kept";
      at += a.code.size();
      static_cast<abi::CodeTables&>(piece) = std::move(a);
    }
    kept.memory = std::move(memory);
    return kept;
  }

  std::set<spec::FuncIndex> group;
  std::function<void(spec::FuncIndex)> before_compile;
  std::function<void()> before_kept;
  mutable std::atomic<int> asked{0};

 private:
  const MachineModule& makes_;
};

/// How often each function's code came, and was called complete.
struct Heard final : Listener {
  void on_new_code(const NewCode& c) override {
    EXPECT_EQ(c.kind, NewCode::Kind::first);
    EXPECT_EQ(c.code.begin[0], 0xb8) << "complete in memory: mov eax";
    EXPECT_FALSE(c.code.owner->is_settled(c.code.func)) << "nobody runs it yet";
    ++pieces[c.code.func];
  }
  void on_compiled(const ModuleCode& code, spec::FuncIndex func) override {
    EXPECT_TRUE(code.is_settled(func));
    ++compiled[func];
  }
  bool wants_listing(const ModuleCode&, spec::FuncIndex func) const override { return listed == func; }
  std::map<spec::FuncIndex, int> pieces, compiled;
  std::optional<spec::FuncIndex> listed;
};

constexpr std::uint32_t kFunctions = 20;

/// Function i is `mov eax, i ; call the next` where there is one, and `ret`: relocations, too, must be right.
class KeptCodeTest : public testing::Test {
 protected:
  KeptCodeTest() {
    for (std::uint32_t i = 0; i < kFunctions; ++i) {
      machine_.add({}, [i](Emitter& e) {
        e.as.mov(asmjit::x86::eax, i);
        if (i + 1 < kFunctions) {
          e.as.sub(asmjit::x86::rsp, 8);
          e.as.cmp(asmjit::x86::edi, 0);
          const asmjit::Label done = e.as.newLabel();
          e.as.je(done);
          e.as.sub(asmjit::x86::edi, 1);
          e.call(spec::FuncIndex(i + 1));
          e.as.bind(done);
          e.as.add(asmjit::x86::rsp, 8);
        }
        e.as.ret();
      });
    }
    code_ = *ModuleCode::create(machine_.build(), tier_);
  }
  void keep(std::initializer_list<std::uint32_t> funcs) {
    for (const std::uint32_t func : funcs) tier_.group.insert(spec::FuncIndex(func));
  }
  void keep_all() {
    for (std::uint32_t i = 0; i < kFunctions; ++i) keep({i});
  }
  bool is_ready(std::uint32_t func) const { return code_->is_settled(spec::FuncIndex(func)); }
  const void* get(std::uint32_t func) { return code_->ensure_compiled(spec::FuncIndex(func)); }
  /// What the function after `calls` calls returns.
  static std::uint32_t run(const void* at, std::uint32_t calls = 0) {
    // SAFETY: the emitted functions take a number and keep nothing.
    return reinterpret_cast<std::uint32_t (*)(std::uint32_t)>(reinterpret_cast<std::uintptr_t>(at))(calls);
  }

  MachineModule machine_;
  KeepingTier tier_{machine_};
  std::shared_ptr<ModuleCode> code_;
};

TEST_F(KeptCodeTest, comes_with_code_that_nobody_has_asked_for) {
  keep({2, 3, 4, 5});
  const void* at = get(3);
  EXPECT_EQ(run(at), 3u);
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(is_ready(i), i >= 2 && i <= 5) << i;
  EXPECT_EQ(run(at, 2), 5u) << "calls reach it without a stub";
  EXPECT_EQ(run(get(4)), 4u);
  EXPECT_EQ(tier_.asked, 1);
  EXPECT_STREQ(Space::find(get(4))->tier, "kept");
  EXPECT_EQ(run(get(7)), 7u) << "what was not kept is made";
  EXPECT_STREQ(Space::find(get(7))->tier, "keeping");
}

TEST_F(KeptCodeTest, is_found_by_every_pc_and_given_in_order) {
  keep({2, 3, 4});
  get(9);
  get(4);
  for (const std::uint32_t i : {2u, 3u, 4u}) {
    const auto* at = static_cast<const std::uint8_t*>(get(i));
    const FunctionCode* found = Space::find(at + 4);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->func.value, i);
    auto made = machine_.compile({code_->checked(), code_->layout(), spec::FuncIndex(i)});
    EXPECT_EQ(found->unpatched(), std::get<abi::CodeArtifact>(made).code);
  }
  std::vector<std::uint32_t> order;
  for (const FunctionCode* code : code_->published()) order.push_back(code->func.value);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{9, 2, 3, 4}));
}

TEST_F(KeptCodeTest, that_is_replaced_keeps_its_place_in_the_order_of_first_use) {
  get(1);
  get(2);
  auto result = machine_.compile({code_->checked(), code_->layout(), spec::FuncIndex(1u)});
  ASSERT_TRUE(code_->publish(std::move(std::get<abi::CodeArtifact>(result)), {"better"}).ok());
  const auto published = code_->published();
  ASSERT_EQ(published.size(), 2u);
  EXPECT_EQ(published[0]->func.value, 1u);
  EXPECT_STREQ(published[0]->tier, "better");
  EXPECT_EQ(published[1]->func.value, 2u);
}

TEST_F(KeptCodeTest, is_told_to_listeners_piece_by_piece) {
  Heard heard;
  code_->add_listener(heard);
  keep({2, 3, 4});
  get(3);
  EXPECT_EQ(heard.pieces.size(), 3u);
  EXPECT_EQ(heard.compiled.size(), 3u);
  for (const std::uint32_t i : {2u, 3u, 4u}) {
    EXPECT_EQ(heard.pieces[spec::FuncIndex(i)], 1);
    EXPECT_EQ(heard.compiled[spec::FuncIndex(i)], 1);
  }
  code_->remove_listener(heard);
}

TEST_F(KeptCodeTest, is_not_used_of_functions_whose_listing_is_wanted) {
  Heard heard;
  heard.listed = spec::FuncIndex(3u);
  code_->add_listener(heard);
  keep({2, 3, 4});
  get(2);
  EXPECT_TRUE(is_ready(4));
  EXPECT_FALSE(is_ready(3));
  EXPECT_EQ(run(get(3)), 3u);
  EXPECT_STREQ(Space::find(get(3))->tier, "keeping");
  code_->remove_listener(heard);
}

TEST_F(KeptCodeTest, leaves_out_what_another_thread_is_at) {
  keep({2, 3, 4});
  std::atomic<bool> is_compiling{false}, may_end{false};
  tier_.group.erase(spec::FuncIndex(3u));  // so that it is compiled
  tier_.before_compile = [&](spec::FuncIndex func) {
    EXPECT_EQ(func.value, 3u);
    is_compiling = true;
    is_compiling.notify_all();
    may_end.wait(false);
  };
  std::thread other([&] { EXPECT_EQ(run(get(3)), 3u); });
  is_compiling.wait(false);
  keep({3});
  EXPECT_EQ(run(get(2)), 2u) << "waits for nobody";
  EXPECT_TRUE(is_ready(4));
  EXPECT_FALSE(is_ready(3));
  may_end = true;
  may_end.notify_all();
  other.join();
  EXPECT_STREQ(Space::find(get(3))->tier, "keeping");
  EXPECT_EQ(code_->published().size(), 3u) << "nothing came twice";
}

TEST_F(KeptCodeTest, that_threads_ask_for_at_once_is_published_once) {
  constexpr unsigned kThreads = 8;
  for (int round = 0; round < 50; ++round) {
    MachineModule machine;
    for (std::uint32_t i = 0; i < kFunctions; ++i)
      machine.add({}, [i](Emitter& e) {
        e.as.mov(asmjit::x86::eax, i);
        e.as.ret();
      });
    KeepingTier tier(machine);
    for (std::uint32_t i = 0; i < kFunctions; ++i) tier.group.insert(spec::FuncIndex(i));
    std::atomic<unsigned> arrived{0};
    // All have a function of the group in hand before anybody takes others along.
    tier.before_kept = [&] {
      arrived.fetch_add(1);
      while (arrived.load() < kThreads) std::this_thread::yield();
    };
    const auto code = *ModuleCode::create(machine.build(), tier);
    Heard heard;
    code->add_listener(heard);
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (std::uint32_t i = 0; i < kFunctions; ++i) {
          const std::uint32_t func = (t + i) % kFunctions;
          right += run(code->ensure_compiled(spec::FuncIndex(func))) == func;
        }
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, static_cast<int>(kThreads * kFunctions));
    EXPECT_EQ(tier.asked, static_cast<int>(kThreads));
    ASSERT_EQ(heard.pieces.size(), kFunctions);
    ASSERT_EQ(heard.compiled.size(), kFunctions);
    for (const auto& [func, times] : heard.pieces) EXPECT_EQ(times, 1) << func.value;
    for (const auto& [func, times] : heard.compiled) EXPECT_EQ(times, 1) << func.value;
    EXPECT_EQ(code->published().size(), kFunctions);
    code->remove_listener(heard);
  }
}

TEST_F(KeptCodeTest, of_all_functions_is_taken_by_who_compiles_all) {
  keep_all();
  EXPECT_TRUE(code_->compile_all(4).ok());
  EXPECT_EQ(run(get(0), kFunctions - 1), kFunctions - 1);
  EXPECT_EQ(code_->published().size(), kFunctions);
}

}  // namespace
}  // namespace heddle::code
