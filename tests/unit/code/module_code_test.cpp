#include "code/module_code.h"

#include <cstring>
#include <gtest/gtest.h>
#include <pthread.h>

#include "code/lazy_stubs.h"
#include "support/machine_code.h"

namespace heddle::code {
namespace {

using test::Emitter;
using test::MachineModule;

/// mov eax, value ; ret
test::Emit returns(std::uint32_t value) {
  return [value](Emitter& e) {
    e.as.mov(asmjit::x86::eax, value);
    e.as.ret();
  };
}

std::uint32_t run(const void* code) {
  // SAFETY: the emitted function takes and keeps nothing.
  return reinterpret_cast<std::uint32_t (*)()>(reinterpret_cast<std::uintptr_t>(code))();
}

TEST(ModuleCode, published_code_runs_and_is_found_by_every_pc) {
  MachineModule m;
  const auto f = m.add({}, returns(7));
  const auto g = m.add({}, returns(8));
  auto code = ModuleCode::create(m.build(), m);
  ASSERT_TRUE(code.ok()) << code.error().message;
  EXPECT_EQ((*code)->slot(f)->load(), LazyStubs::stub(0));
  EXPECT_FALSE((*code)->is_settled(f));
  const void* at_g = (*code)->ensure_compiled(g);
  const void* at_f = (*code)->ensure_compiled(f);
  EXPECT_TRUE((*code)->is_settled(f));
  EXPECT_EQ((*code)->slot(f)->load(), at_f);
  EXPECT_EQ(run(at_f), 7u);
  EXPECT_EQ(run(at_g), 8u);
  for (std::uint32_t i = 0; i < 6; ++i) {
    const auto* pc = static_cast<const std::uint8_t*>(at_f) + i;
    ASSERT_NE(Space::find(pc), nullptr);
    EXPECT_EQ(Space::find(pc)->func, f);
  }
  EXPECT_EQ(Space::find(static_cast<const std::uint8_t*>(at_f) + 6), nullptr);
  EXPECT_FALSE(Space::contains(&m));
  EXPECT_EQ(m.compilations, 2);
}

TEST(ModuleCode, code_pages_are_not_writable) {
  MachineModule m;
  m.add({}, returns(1));
  auto code = ModuleCode::create(m.build(), m);
  ASSERT_TRUE(code.ok());
  auto* at = static_cast<std::uint8_t*>(const_cast<void*>((*code)->ensure_compiled(spec::FuncIndex(0u))));
  EXPECT_DEATH(*static_cast<volatile std::uint8_t*>(at) = 0xc3, "");
}

TEST(ModuleCode, call_through_a_slot_reaches_another_function) {
  MachineModule m;
  const auto g = m.add({}, returns(42));
  const auto f = m.add({}, [&](Emitter& e) {
    e.as.sub(asmjit::x86::rsp, 8);
    e.call(g);
    e.as.add(asmjit::x86::rsp, 8);
    e.as.ret();
  });
  auto code = ModuleCode::create(m.build(), m);
  ASSERT_TRUE(code.ok());
  (*code)->ensure_compiled(g);
  EXPECT_EQ(run((*code)->ensure_compiled(f)), 42u);
}

TEST(ModuleCode, better_code_replaces_what_the_slot_holds) {
  MachineModule m;
  const auto f = m.add({}, returns(1));
  const auto checked = m.build();
  auto code = ModuleCode::create(checked, m);
  ASSERT_TRUE(code.ok());
  const void* old = (*code)->ensure_compiled(f);
  auto again = m.compile({checked, (*code)->layout(), f, false});
  auto& artifact = std::get<abi::CodeArtifact>(again);
  artifact.code[1] = 99;  // the immediate of mov eax
  ASSERT_TRUE((*code)->publish(std::move(artifact), {"better"}).ok());
  const void* now = (*code)->slot(f)->load();
  EXPECT_NE(now, old);
  EXPECT_EQ(run(now), 99u);
  EXPECT_EQ(run(old), 1u) << "old code stays mapped";
  EXPECT_STREQ(Space::find(now)->tier, "better");
}

TEST(ModuleCode, of_64_threads_that_call_at_once_exactly_one_compiles) {
  constexpr int kThreads = 64;
  constexpr int kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    MachineModule m;
    const auto f = m.add({}, returns(5));
    auto code = ModuleCode::create(m.build(), m);
    ASSERT_TRUE(code.ok());
    struct Shared {
      ModuleCode* code;
      spec::FuncIndex f;
      std::atomic<int> ready{0};
      std::atomic<int> right{0};
    } shared{code->get(), f};
    // The one that compiles holds the others up until most of them have arrived.
    m.before_compile = [&] {
      while (shared.ready.load() < kThreads) sched_yield();
    };
    std::vector<pthread_t> threads(kThreads);
    for (auto& t : threads) {
      ASSERT_EQ(pthread_create(
                    &t, nullptr,
                    [](void* p) -> void* {
                      auto& s = *static_cast<Shared*>(p);
                      s.ready.fetch_add(1);
                      if (run(s.code->ensure_compiled(s.f)) == 5) s.right.fetch_add(1);
                      return nullptr;
                    },
                    &shared),
                0);
    }
    for (auto& t : threads) pthread_join(t, nullptr);
    ASSERT_EQ(m.compilations, 1);
    ASSERT_EQ(shared.right, kThreads);
  }
}

TEST(ModuleCode, invalid_body_is_told_to_everybody_and_compiled_once) {
  MachineModule m;
  const auto f = m.add({}, returns(5));
  m.fail_with = base::Error{base::ErrorKind::invalid, 123, "type mismatch"};
  auto code = ModuleCode::create(m.build(), m);
  ASSERT_TRUE(code.ok());
  EXPECT_EQ((*code)->ensure_compiled(f), nullptr);
  EXPECT_EQ((*code)->ensure_compiled(f), nullptr);
  EXPECT_EQ(m.compilations, 1);
  ASSERT_TRUE((*code)->error().has_value());
  EXPECT_EQ((*code)->error()->offset, 123u);
}

TEST(ModuleCode, compile_all_compiles_each_function_once) {
  MachineModule m;
  for (std::uint32_t i = 0; i < 100; ++i) m.add({}, returns(i));
  auto code = ModuleCode::create(m.build(), m);
  ASSERT_TRUE(code.ok());
  EXPECT_TRUE((*code)->compile_all(4).ok());
  EXPECT_EQ(m.compilations, 100);
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(run((*code)->slot(spec::FuncIndex(i))->load()), i);
}

std::uint32_t u32_at(const std::uint8_t* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// What the stub leaves in eax.
std::uint32_t number_of(const void* stub) {
  const auto* code = static_cast<const std::uint8_t*>(stub);
  if (code[0] == 0xb8) return u32_at(code + 1);  // mov eax, imm32
  EXPECT_EQ(code[0], 0xb0);                      // mov al, imm8 ; jmp rel8
  EXPECT_EQ(code[2], 0xeb);
  const std::uint8_t* tail = code + 4 + code[3];  // movzx eax, al ; add eax, imm32
  EXPECT_EQ(tail[3], 0x05);
  return code[1] + u32_at(tail + 4);
}

TEST(ModuleCode, thousands_of_functions_have_stubs_and_code_of_their_own) {
  constexpr std::uint32_t kCount = 90'000;  // beyond the stubs in .text and beyond one batch
  MachineModule m;
  for (std::uint32_t i = 0; i < kCount; ++i) m.add({}, returns(i));
  auto code = ModuleCode::create(m.build(), m);
  ASSERT_TRUE(code.ok()) << code.error().message;
  for (std::uint32_t i = 0; i < kCount; ++i) ASSERT_EQ(number_of((*code)->slot(spec::FuncIndex(i))->load()), i);
  for (std::uint32_t i = 0; i < kCount; i += 97) {
    const void* at = (*code)->ensure_compiled(spec::FuncIndex(i));
    EXPECT_EQ(run(at), i);
    ASSERT_NE(Space::find(at), nullptr);
    EXPECT_EQ(Space::find(at)->func.value, i);
  }
}

TEST(ModuleCode, memory_of_a_freed_module_is_used_again) {
  const void* first = nullptr;
  for (int i = 0; i < 1000; ++i) {
    MachineModule m;
    const auto f = m.add({}, returns(3));
    auto code = ModuleCode::create(m.build(), m);
    ASSERT_TRUE(code.ok());
    const void* at = (*code)->ensure_compiled(f);
    if (first == nullptr) first = at;
    EXPECT_EQ(at, first);
    EXPECT_EQ(run(at), 3u);
  }
  EXPECT_EQ(Space::find(first), nullptr);
}

TEST(FunctionCode, nearest_site_before_a_pc_names_its_instruction) {
  FunctionCode code;
  static const std::uint8_t bytes[64] = {};
  code.begin = bytes;
  code.size_bytes = 64;
  code.sites.add_trap(4, 40, spec::TrapCode::unreachable);
  code.sites.add_call(10, 50);
  code.sites.add_call(20, 55);
  code.sites.add_trap(20, 60, spec::TrapCode::none);
  EXPECT_FALSE(code.trap_site(bytes + 5));
  ASSERT_TRUE(code.trap_site(bytes + 4));
  EXPECT_EQ(code.trap_site(bytes + 4)->code, spec::TrapCode::unreachable);
  EXPECT_EQ(code.body_offset_of(bytes + 4), 40u);
  EXPECT_EQ(code.body_offset_of(bytes + 9), 40u);
  EXPECT_EQ(code.body_offset_of(bytes + 10), 50u);
  EXPECT_EQ(code.body_offset_of(bytes + 20), 60u);
  EXPECT_EQ(code.body_offset_of_return(bytes + 20), 55u) << "as a return address the call is meant";
}

TEST(FunctionCode, rows_tell_places_and_frames_of_code_without_sites) {
  FunctionCode code;
  static const std::uint8_t bytes[64] = {};
  code.begin = bytes;
  code.size_bytes = 64;
  code.sites_by_range = true;
  code.offset_rows = {{0, 10, 0}, {20, 30, 0}};
  code.frame.rows = {{0, 0}, {2, 8}, {6, 40}, {60, 0}};
  EXPECT_EQ(code.body_offset_of(bytes + 20), 30u);
  EXPECT_EQ(code.body_offset_of_return(bytes + 20), 10u) << "the call before it is meant";
  EXPECT_EQ(code.pushed_bytes_at(bytes + 1), 0u);
  EXPECT_EQ(code.pushed_bytes_at(bytes + 5), 8u);
  EXPECT_EQ(code.pushed_bytes_at(bytes + 60), 0u);
  EXPECT_EQ(code.pushed_bytes_at_return(bytes + 60), 40u);
}

struct Heard : Listener {
  std::vector<std::pair<NewCode::Kind, const std::uint8_t*>> pieces;
  const void* slot_when_told = nullptr;
  int compiled = 0, gone = 0;
  std::uint64_t compile_ns = 0;
  void on_new_code(const NewCode& c) override {
    pieces.emplace_back(c.kind, c.code.begin);
    slot_when_told = c.code.owner->slot(c.code.func)->load();
    compile_ns = c.compile_ns;
    EXPECT_EQ(c.code.begin[0], 0xb8) << "complete in memory: mov eax";
    EXPECT_NE(c.at_ns, 0u);
  }
  void on_compiled(const ModuleCode& code, spec::FuncIndex func) override {
    EXPECT_TRUE(code.is_settled(func));
    ++compiled;
  }
  void on_gone(const ModuleCode&) override { ++gone; }
};

TEST(Listener, is_told_of_code_before_it_runs_and_of_its_end) {
  MachineModule m;
  const auto f = m.add({}, returns(1));
  const auto checked = m.build();
  Heard heard;
  {
    auto code = ModuleCode::create(checked, m);
    ASSERT_TRUE(code.ok());
    (*code)->add_listener(heard);
    const void* first = (*code)->ensure_compiled(f);
    EXPECT_EQ(heard.slot_when_told, LazyStubs::stub(0));
    EXPECT_EQ(heard.compiled, 1);
    EXPECT_NE(heard.compile_ns, 0u);
    (*code)->ensure_compiled(f);
    abi::CompileResult result = m.compile({checked, (*code)->layout(), f});
    ASSERT_TRUE((*code)->publish(std::move(std::get<abi::CodeArtifact>(result)), {"better", 5}).ok());
    EXPECT_EQ(heard.slot_when_told, first);
    EXPECT_EQ(heard.compile_ns, 5u);
    ASSERT_EQ(heard.pieces.size(), 2u);
    EXPECT_EQ(heard.pieces[0], std::pair(NewCode::Kind::first, static_cast<const std::uint8_t*>(first)));
    EXPECT_EQ(heard.pieces[1].first, NewCode::Kind::better);
  }
  EXPECT_EQ(heard.gone, 1);
}

TEST(Listener, that_left_is_not_told_any_more) {
  MachineModule m;
  const auto f = m.add({}, returns(1));
  Heard heard;
  auto code = ModuleCode::create(m.build(), m);
  ASSERT_TRUE(code.ok());
  (*code)->add_listener(heard);
  (*code)->remove_listener(heard);
  (*code)->ensure_compiled(f);
  EXPECT_TRUE(heard.pieces.empty());
}

TEST(FreeRanges, neighbours_join_again) {
  FreeRanges r;
  r.add(0, 100);
  const auto a = r.take(10);
  const auto b = r.take(20);
  const auto c = r.take(70);
  ASSERT_TRUE(a && b && c);
  EXPECT_FALSE(r.take(1));
  r.add(*a, 10);
  r.add(*c, 70);
  EXPECT_FALSE(r.take(100));
  r.add(*b, 20);
  EXPECT_EQ(r.take(100), std::size_t{0});
}

}  // namespace
}  // namespace heddle::code
