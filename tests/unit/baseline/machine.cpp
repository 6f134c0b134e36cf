#include "unit/baseline/machine.h"

#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "baseline/tier.h"
#include "binary/body_reader.h"
#include "binary/decoder.h"
#include "text/wat_parser.h"
#include "validate/checked.h"

namespace heddle::baseline::test {
namespace {

constexpr std::uint64_t kGuardInFront = std::uint64_t{2} << 30;
constexpr std::uint64_t kReservation = kGuardInFront + (std::uint64_t{6} << 30) + (64 << 10);
constexpr std::uint64_t kPage = spec::kWasmPageBytes;

/// rdi = VmHostArgs, rsi = code, rdx = vmctx. Sets every callee-saved register to a number of its own and leaves the
/// differences in args->padding[0].
__attribute__((naked)) void enter(abi::VmHostArgs*, const void*, void*) {
  asm volatile(
      "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rdi\n push %rdx\n sub $8, %rsp\n"
      "mov %rsi, %rax\n mov %rdx, %r13\n mov %rdi, %r11\n"
      "movups 64(%r11), %xmm0\n movups 80(%r11), %xmm1\n movups 96(%r11), %xmm2\n movups 112(%r11), %xmm3\n"
      "movups 128(%r11), %xmm4\n movups 144(%r11), %xmm5\n movups 160(%r11), %xmm6\n movups 176(%r11), %xmm7\n"
      "mov (%r11), %rdi\n mov 8(%r11), %rsi\n mov 16(%r11), %rdx\n mov 24(%r11), %rcx\n mov 32(%r11), %r8\n"
      "mov 40(%r11), %r9\n"
      "mov $0x1111, %ebx\n mov $0x2222, %ebp\n mov $0x3333, %r12d\n mov $0x4444, %r14d\n mov $0x5555, %r15d\n"
      "call *%rax\n"
      "xor $0x1111, %rbx\n xor $0x2222, %rbp\n xor $0x3333, %r12\n xor $0x4444, %r14\n xor $0x5555, %r15\n"
      "or %rbp, %rbx\n or %r12, %rbx\n or %r14, %rbx\n or %r15, %rbx\n"
      "add $8, %rsp\n pop %rdx\n xor %rdx, %r13\n or %r13, %rbx\n pop %rdi\n"
      "mov %rax, (%rdi)\n movups %xmm0, 64(%rdi)\n mov %rbx, 48(%rdi)\n"
      "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");
}

struct Trapped {
  TrapCode code;
  std::uint32_t offset;
};

struct Running {
  const std::uint8_t* code_begin;
  const std::uint8_t* code_end;
  std::vector<std::pair<const std::uint8_t*, abi::Site>> sites;  // of all machines alive
  sigjmp_buf escape;
  Trapped trapped;
  Machine* machine;
};
Running running;

const abi::Site* site_at(const std::uint8_t* pc) {
  for (const auto& [at, site] : running.sites)
    if (at == pc) return &site;
  return nullptr;
}

void on_fault(int signal, siginfo_t*, void* context) {
  const auto& regs = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto* pc = reinterpret_cast<const std::uint8_t*>(regs[REG_RIP]);
  const abi::Site* site = site_at(pc);
  if (site == nullptr) {
    std::signal(signal, SIG_DFL);
    return;  // happens again, for real
  }
  const auto code = site->code == TrapCode::none ? static_cast<TrapCode>(regs[REG_RAX] & 0xff) : site->code;
  running.trapped = {code, site->body_offset};
  siglongjmp(running.escape, 1);
}

void catch_faults() {
  static bool done = false;
  if (done) return;
  done = true;
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGILL, &action, nullptr);
}

// ---- host services: just enough to see arguments and answers

using abi::VmCtx;

void note(std::initializer_list<std::uint64_t> words) {
  running.machine->last_service.assign(words);
}
constexpr auto kMemoryTrap = static_cast<std::uint32_t>(TrapCode::memory_out_of_bounds);
constexpr auto kTableTrap = static_cast<std::uint32_t>(TrapCode::table_out_of_bounds);
bool beyond(std::uint64_t start, std::uint64_t count, std::uint64_t size) {
  return start > size || count > size - start;
}

std::uint64_t memory_grow(VmCtx*, std::uint32_t memory, std::uint64_t delta) {
  note({memory, delta});
  const std::uint64_t old = running.machine->memory_bytes(memory) / kPage;
  return running.machine->grow_memory(memory, delta) ? old : ~std::uint64_t{0};
}
std::uint32_t memory_fill(VmCtx*, std::uint32_t memory, std::uint64_t dst, std::uint32_t value, std::uint64_t size) {
  note({memory, dst, value, size});
  if (beyond(dst, size, running.machine->memory_bytes(memory))) return kMemoryTrap;
  std::memset(running.machine->memory(memory) + dst, static_cast<int>(value), size);
  return 0;
}
std::uint32_t memory_copy(VmCtx*, std::uint64_t memories, std::uint64_t dst, std::uint64_t src, std::uint64_t size) {
  note({memories, dst, src, size});
  const auto to = static_cast<std::uint32_t>(memories), from = static_cast<std::uint32_t>(memories >> 32);
  Machine& m = *running.machine;
  if (beyond(dst, size, m.memory_bytes(to)) || beyond(src, size, m.memory_bytes(from))) return kMemoryTrap;
  std::memmove(m.memory(to) + dst, m.memory(from) + src, size);
  return 0;
}
std::uint32_t memory_init(VmCtx*, std::uint32_t memory, std::uint32_t data, std::uint64_t dst, std::uint32_t src,
                          std::uint32_t size) {
  note({memory, data, dst, src, size});
  Machine& m = *running.machine;
  const base::Bytes bytes = m.module().bytes_of(m.module().datas[data].bytes);
  if (beyond(dst, size, m.memory_bytes(memory)) || beyond(src, size, bytes.size())) return kMemoryTrap;
  std::memcpy(m.memory(memory) + dst, bytes.data() + src, size);
  return 0;
}
void data_drop(VmCtx*, std::uint32_t data) {
  note({data});
}
std::uint64_t table_grow(VmCtx*, std::uint32_t table, std::uint64_t delta, void* init) {
  note({table, delta, reinterpret_cast<std::uint64_t>(init)});
  return static_cast<std::uint64_t>(running.machine->service_answer);
}
std::uint32_t table_fill(VmCtx*, std::uint32_t table, std::uint64_t start, void* value, std::uint64_t count) {
  note({table, start, reinterpret_cast<std::uint64_t>(value), count});
  abi::VmTable& t = running.machine->table(table);
  if (beyond(start, count, t.size)) return kTableTrap;
  for (std::uint64_t i = 0; i < count; ++i) t.elements[start + i] = value;
  return 0;
}
std::uint32_t table_copy(VmCtx*, std::uint64_t tables, std::uint64_t dst, std::uint64_t src, std::uint64_t count) {
  note({tables, dst, src, count});
  return beyond(dst, count, running.machine->table(static_cast<std::uint32_t>(tables)).size) ? kTableTrap : 0;
}
std::uint32_t table_init(VmCtx*, std::uint32_t table, std::uint32_t elem, std::uint64_t dst, std::uint32_t src,
                         std::uint32_t count) {
  note({table, elem, dst, src, count});
  return beyond(dst, count, running.machine->table(table).size) ? kTableTrap : 0;
}
void elem_drop(VmCtx*, std::uint32_t elem) {
  note({elem});
}
std::int64_t atomic_wait32(VmCtx*, std::uint32_t memory, std::uint64_t address, std::uint64_t offset,
                           std::uint32_t expected, std::int64_t timeout) {
  note({memory, address, offset, expected, static_cast<std::uint64_t>(timeout)});
  return running.machine->service_answer;
}
std::int64_t atomic_wait64(VmCtx*, std::uint32_t memory, std::uint64_t address, std::uint64_t offset,
                           std::uint64_t expected, std::int64_t timeout) {
  note({memory, address, offset, expected, static_cast<std::uint64_t>(timeout)});
  return running.machine->service_answer;
}
std::int64_t atomic_notify(VmCtx*, std::uint32_t memory, std::uint64_t address, std::uint64_t offset,
                           std::uint32_t count) {
  note({memory, address, offset, count});
  return running.machine->service_answer;
}
std::uint32_t is_subtype(const module::CanonicalType* actual, const module::CanonicalType* expected) {
  return module::is_subtype(actual, expected) ? 1 : 0;
}
// ---- exceptions: an unwinder over the frames of all machines alive

struct LoadedCode {
  const std::uint8_t* begin;
  const abi::CodeArtifact* artifact;
};
std::vector<LoadedCode> loaded;

/// rbx rbp r12 r13 r14 r15, as FrameInfo::saved counts them.
struct CalleeSaved {
  std::uint64_t words[6];
};
struct LandingPlace {
  CalleeSaved saved;
  const std::uint8_t* pc;
  std::uint8_t* sp;
  void* exception;
};

void* exception_new(VmCtx* ctx, std::uint32_t tag) {
  auto* memory = static_cast<std::uint8_t*>(
      std::aligned_alloc(16, sizeof(abi::VmException) + 16 * sizeof(VmValue)));  // small, and tests are short
  auto* exception = new (memory) abi::VmException;
  std::memcpy(&exception->tag,
              reinterpret_cast<std::uint8_t*>(ctx) + running.machine->layout().tag(spec::TagIndex(tag)), 8);
  return exception;
}

const LoadedCode* code_of_return(const std::uint8_t* pc) {
  for (const LoadedCode& code : loaded)
    if (pc > code.begin && pc <= code.begin + code.artifact->code.size()) return &code;
  return nullptr;
}

bool catches(const abi::ExceptionHandler& h, std::uint32_t offset, const void* tag, std::uint64_t r13) {
  if (offset <= h.begin || offset > h.end) return false;
  if (h.catches_all) return true;
  const void* wanted;
  std::memcpy(&wanted, reinterpret_cast<const std::uint8_t*>(r13) + running.machine->layout().tag(h.tag), 8);
  return wanted == tag;
}

extern "C" __attribute__((used)) LandingPlace* heddle_test_find_landing(CalleeSaved* saved,
                                                                        abi::VmException* exception) {
  static LandingPlace place;
  place = {*saved, nullptr, running.machine->store().exit_sp, exception};
  std::uint64_t* words = place.saved.words;
  const std::uint8_t* pc;
  std::memcpy(&pc, place.sp - 8, 8);
  for (const LoadedCode* code = code_of_return(pc); code != nullptr; code = code_of_return(pc)) {
    const abi::FrameInfo& frame = code->artifact->frame;
    const auto in_frame = [&](std::int32_t at) {
      std::uint64_t word;
      std::memcpy(&word, place.sp + at, 8);
      return word;
    };
    for (const abi::ExceptionHandler& h : code->artifact->handlers) {
      const std::uint64_t r13 = in_frame(frame.saved[3]);
      if (!catches(h, static_cast<std::uint32_t>(pc - code->begin), exception->tag, r13)) continue;
      words[3] = r13;
      place.pc = code->begin + h.landing_offset;
      return &place;
    }
    for (std::size_t i = 0; i < 6; ++i)
      if (frame.saved[i] >= 0) words[i] = in_frame(frame.saved[i]);
    std::memcpy(&pc, place.sp + frame.size_bytes, 8);
    place.sp += frame.size_bytes + 8;
  }
  running.trapped = {TrapCode::uncaught_exception, 0};
  siglongjmp(running.escape, 1);
}

__attribute__((naked)) void exception_throw(VmCtx*, void*) {
  asm volatile(
      "push %r15\n push %r14\n push %r13\n push %r12\n push %rbp\n push %rbx\n mov %rsp, %rdi\n sub $8, %rsp\n"
      "call heddle_test_find_landing\n"
      "mov (%rax), %rbx\n mov 8(%rax), %rbp\n mov 16(%rax), %r12\n mov 24(%rax), %r13\n mov 32(%rax), %r14\n"
      "mov 40(%rax), %r15\n mov 56(%rax), %rsp\n mov 48(%rax), %rcx\n mov 64(%rax), %rax\n"
      "mov $0xdead, %esi\n mov %esi, %edi\n mov %esi, %r8d\n mov %esi, %r9d\n jmp *%rcx\n");
}
void raise_trap(VmCtx*, std::uint32_t) {}

const void* const kServices[] = {
#define BUILTIN(name, result, parameters) reinterpret_cast<const void*>(&name),
#include "abi/builtins.def"
};

class OpcodeMarker {
 public:
  explicit OpcodeMarker(std::vector<bool>& rows) : rows_(rows) {}
#define OP(name, code, text, imm_kind, signature, memory, family, feature) \
  base::Status on_##name(const binary::imm_by_kind::imm_kind&) {           \
    rows_[spec::opcode_row(spec::Opcode::name)] = true;                    \
    return {};                                                             \
  }
#include "spec/opcodes.def"

 private:
  std::vector<bool>& rows_;
};

}  // namespace

std::vector<bool>& opcodes_run() {
  static std::vector<bool> rows(spec::kOpcodeCount);
  return rows;
}

Machine::Machine(std::string_view wat, const base::CpuFeatures& cpu, bool want_listing) {
  catch_faults();
  ok_ = load(wat) && compile(cpu, want_listing);
  if (!ok_) return;
  make_instance();
  map_code();
}

Machine::~Machine() {
  if (!ok_) return;
  const std::uint8_t* begin = code_.base();
  std::erase_if(loaded, [&](const LoadedCode& c) { return c.begin >= begin && c.begin < begin + code_.size_bytes(); });
  std::erase_if(running.sites, [&](const auto& s) { return s.first >= begin && s.first < begin + code_.size_bytes(); });
}

bool Machine::load(std::string_view wat) {
  auto parsed = text::parse_wat(wat, spec::Features::all());
  if (!parsed.ok()) {
    ADD_FAILURE() << parsed.error().message << " at " << parsed.error().offset << " in " << wat.substr(0, 300);
    return false;
  }
  auto decoded = binary::decode_module(std::make_shared<module::OwnedBytes>(parsed->bytes), spec::Features::all());
  if (!decoded.ok()) {
    ADD_FAILURE() << decoded.error().message;
    return false;
  }
  auto checked = validate::check_module(*decoded);
  if (!checked.ok()) {
    ADD_FAILURE() << checked.error().message;
    return false;
  }
  module_ = *decoded;
  checked_ = std::make_unique<module::CheckedModule>(*checked);
  layout_ = std::make_unique<abi::VmLayout>(*module_);
  return true;
}

bool Machine::compile(const base::CpuFeatures& cpu, bool want_listing) {
  const BaselineTier tier(cpu);
  for (std::size_t i = 0; i < module_->bodies.size(); ++i) {
    const spec::FuncIndex func(imported() + i);
    abi::CompileResult result = tier.compile({*checked_, *layout_, func, want_listing});
    if (auto* artifact = std::get_if<abi::CodeArtifact>(&result)) {
      artifacts_.push_back(std::move(*artifact));
      continue;
    }
    if (auto* error = std::get_if<base::Error>(&result))
      ADD_FAILURE() << "function " << func.value << ": " << error->message << " at " << error->offset;
    else
      ADD_FAILURE() << "function " << func.value << " unsupported: " << std::get<abi::Unsupported>(result).reason;
    return false;
  }
  return true;
}

void Machine::map_code() {
  std::size_t size = base::round_up_to_page(module_->functions.size() * sizeof(abi::Slot) + 1);
  const std::size_t first = size;
  for (const abi::CodeArtifact& a : artifacts_) {
    code_offsets_.push_back(static_cast<std::uint32_t>(size));
    size += (a.code.size() + 15) & ~std::size_t{15};
  }
  size = base::round_up_to_page(size);
  code_ = base::Reservation::reserve(size);
  ASSERT_TRUE(code_.protect(0, size, base::Access::read_write));
  slots_ = reinterpret_cast<abi::Slot*>(code_.base());
  for (std::size_t i = 0; i < artifacts_.size(); ++i) {
    const abi::CodeArtifact& a = artifacts_[i];
    std::uint8_t* at = code_.base() + code_offsets_[i];
    std::memcpy(at, a.code.data(), a.code.size());
    for (const abi::SlotRelocation& r : a.relocations) {
      const auto* slot = reinterpret_cast<const std::uint8_t*>(&slots_[r.func.value]);
      const auto distance = static_cast<std::int32_t>(slot - (at + r.code_offset + 4));
      std::memcpy(at + r.code_offset, &distance, 4);
    }
    loaded.push_back({at, &a});
    for (const abi::Site& site : a.sites)
      if (!site.is_call) running.sites.emplace_back(at + site.code_offset, site);
    slots_[imported() + i].store(at);
    func_refs_[place_of_ref(imported() + i)].slot = &slots_[imported() + i];
  }
  ASSERT_TRUE(code_.protect(first, size - first, base::Access::read_execute));
}

void Machine::make_instance() {
  const module::Module& m = *module_;
  context_ = std::make_unique<std::uint8_t[]>(layout_->size_bytes() + 16);
  store_ = std::make_unique<abi::VmStore>();
  func_refs_.resize(layout_->func_refs() + m.functions.size());
  for (std::size_t i = 0; i < m.functions.size(); ++i)
    func_refs_[place_of_ref(i)] = {nullptr, vmctx(), m.canonical_of(spec::FuncIndex(i)), nullptr};
  auto* ctx = vmctx();
  ctx->store = store_.get();
  ctx->builtins = kServices;
  ctx->types = m.canonical.by_index.data();
  ctx->func_refs = func_refs_.data();

  memories_ = std::make_unique<Memory[]>(m.memories.size());
  for (std::uint32_t i = 0; i < m.memories.size(); ++i) {
    Memory& memory = memories_[i];
    memory.range = base::Reservation::reserve(kReservation);
    memory.vm.base = memory.range.base() + kGuardInFront;
    static_cast<void>(grow_memory(i, m.memories[i].type.limits.min));
    auto* ref = reinterpret_cast<abi::VmMemoryRef*>(context_.get() + layout_->memory(spec::MemIndex(i)));
    *ref = {memory.vm.base, &memory.vm};
    if (i == 0) ctx->memory0_base = memory.vm.base;
  }
  imported_tables_.resize(m.imported_tables);
  for (std::uint32_t i = 0; i < m.tables.size(); ++i)
    tables_.emplace_back(static_cast<std::size_t>(m.tables[i].type.limits.min), nullptr);
  for (std::uint32_t i = 0; i < m.tables.size(); ++i) {
    if (i < m.imported_tables) {
      void* pointer = &imported_tables_[i];
      std::memcpy(context_.get() + layout_->table(spec::TableIndex(i)), &pointer, 8);
    }
    table(i) = {tables_[i].data(), tables_[i].size()};
  }
  for (std::uint32_t i = 0; i < m.tags.size(); ++i) {  // a tag's identity: the address of its own word
    void* word = context_.get() + layout_->tag(spec::TagIndex(i));
    std::memcpy(word, &word, 8);
  }
  imported_globals_.resize(m.imported_globals);
  for (std::uint32_t i = 0; i < m.imported_globals; ++i) {
    void* pointer = &imported_globals_[i];
    std::memcpy(context_.get() + layout_->global(spec::GlobalIndex(i)), &pointer, 8);
  }
}

bool Machine::grow_memory(std::uint32_t i, std::uint64_t pages) {
  Memory& memory = memories_[i];
  const std::uint64_t old = memory.vm.size_bytes.load();
  if (pages > 1000 || !memory.range.protect(kGuardInFront, old + pages * kPage, base::Access::read_write)) return false;
  memory.vm.size_bytes.store(old + pages * kPage);
  return true;
}

VmValue& Machine::global(std::uint32_t i) {
  if (i < module_->imported_globals) return imported_globals_[i];
  return *reinterpret_cast<VmValue*>(context_.get() + layout_->global(spec::GlobalIndex(i)));
}

abi::VmTable& Machine::table(std::uint32_t i) {
  if (i < module_->imported_tables) return imported_tables_[i];
  return *reinterpret_cast<abi::VmTable*>(context_.get() + layout_->table(spec::TableIndex(i)));
}

void Machine::link(std::uint32_t func, Machine& other, std::uint32_t other_func) {
  auto* import = reinterpret_cast<abi::VmFuncImport*>(context_.get() + layout_->func_import(spec::FuncIndex(func)));
  *import = {&other.slots_[other_func], other.vmctx()};
  func_refs_[place_of_ref(func)] = other.func_refs_[other.place_of_ref(other_func)];
  other.vmctx()->store = store_.get();  // one thread, one store
}

void Machine::mark_opcodes(std::uint32_t func) {
  binary::BodyReader reader(*module_, module_->body(spec::FuncIndex(func)).range);
  if (!reader.local_runs(0).ok()) return;
  OpcodeMarker marker(opcodes_run());
  while (!reader.at_end())
    if (!binary::walk_instruction(reader, marker).ok()) return;
}

Outcome Machine::call(std::string_view export_name, const std::vector<VmValue>& args) {
  const module::Export* e = module_ == nullptr ? nullptr : module_->find_export(export_name);
  if (e == nullptr) {
    ADD_FAILURE() << "no export " << export_name;
    return {};
  }
  return call(e->index, args);
}

Outcome Machine::call(std::uint32_t func, const std::vector<VmValue>& args) {
  if (!ok_) return {};
  mark_opcodes(func);
  const spec::FuncType& type = module_->type_of(spec::FuncIndex(func));
  abi::VmHostArgs host;
  for (auto& word : host.ints) word = 0xdeadbeefdeadbeef;
  std::uint32_t ints = 0, floats = 0, overflow = 0;
  for (std::size_t i = 0; i < args.size(); ++i) {
    using K = spec::ValType::Kind;
    const K kind = type.params[i].kind();
    const bool is_float = kind == K::f32 || kind == K::f64 || kind == K::v128;
    if (is_float && floats < 8)
      host.floats[floats++] = args[i];
    else if (!is_float && ints < 6)
      host.ints[ints++] = kind == K::i32 ? args[i].i32 : args[i].i64;
    else
      store_->overflow[overflow++] = args[i];
  }
  int here = 0;
  auto* stack_limit = reinterpret_cast<const std::uint8_t*>(&here) - (512 << 10);
  vmctx()->stack_limit = stack_limit;
  running.machine = this;
  Outcome outcome;
  if (sigsetjmp(running.escape, 1) != 0) {
    outcome.trap = running.trapped.code;
    outcome.trap_offset = running.trapped.offset;
    return outcome;
  }
  enter(&host, slots_[func].load(), vmctx());
  EXPECT_EQ(host.padding[0], 0u) << "a callee-saved register was not restored";
  for (std::size_t i = 0; i < type.results.size(); ++i) {
    using K = spec::ValType::Kind;
    const K kind = type.results[i].kind();
    if (i > 0) {
      outcome.results.push_back(store_->overflow[i - 1]);
    } else if (kind == K::f32 || kind == K::f64 || kind == K::v128) {
      outcome.results.push_back(host.floats[0]);
    } else {
      outcome.results.push_back(i64(host.ints[0]));
      if (kind == K::i32) {
        EXPECT_EQ(host.ints[0] >> 32, 0u) << "an i32 result is zero-extended";
      }
    }
  }
  return outcome;
}

}  // namespace heddle::baseline::test
