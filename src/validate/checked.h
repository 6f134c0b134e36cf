// Validate and visit in one pass. Checked walks a body, lets the FunctionValidator check each instruction and, if the
// instruction can be reached, calls the visitor's handler. At the end of the body it issues the ValidatedBody token, so
// that a fused pass cannot publish unchecked code. https://webassembly.github.io/spec/core/appendix/algorithm.html
//
// What a visitor V provides: every on_<name>(imm) of binary/body_reader.h (usually through CategoryVisitor), and
//   void begin_body(std::span<const binary::LocalRun> runs);   before the first instruction; runs without parameters
//   void begin_instruction(std::uint64_t body_offset, bool reachable);   before each handler call
// Which handlers are called:
//   - an instruction in reachable code: always;
//   - block, loop, if, try_table, try in unreachable code: not at all, nor anything up to and including their end;
//   - else, catch, catch_all, delegate and end of a construct whose opening was visited: always, with reachable =
//   whether
//     the code before falls through into them;
//   - the body's final end: always.
// A visitor may rely on everything that validation promises. It returns base::Status; an error stops the walk.
#pragma once

#include "base/result.h"
#include "binary/body_reader.h"
#include "module/validated.h"
#include "validate/function_validator.h"

namespace heddle::validate {

/// Checks every rule of the module that lies outside function bodies. Any thread. Lowest offset wins.
base::Result<module::CheckedModule> check_module(std::shared_ptr<const module::Module> m);

/// Checks one body. Any thread, many at once.
base::Result<module::ValidatedBody> validate_body(const module::CheckedModule& m, spec::FuncIndex func);

/// Checks all bodies with up to `threads` threads (0: one for each processor). The error with the lowest offset wins,
/// whatever the number of threads.
base::Status validate_bodies(const module::CheckedModule& m, unsigned threads);

/// The whole module: what check_module and validate_bodies do, such that the error with the lowest offset wins of both
/// (data segments lie behind the bodies). For tools that want every rule checked before anything else happens.
base::Result<module::CheckedModule> validate_module(std::shared_ptr<const module::Module> m, unsigned threads);

/// Only place that can make tokens.
class ValidationAuthority {
 public:
  static module::CheckedModule issue(std::shared_ptr<const module::Module> m) {
    return module::CheckedModule(std::move(m));
  }
  static module::ValidatedBody issue(const module::Module& m, spec::FuncIndex f) {
    return module::ValidatedBody(&m, f);
  }
};

template <class V>
class Checked {
 public:
  Checked(const module::CheckedModule& m, spec::FuncIndex func, V& visitor)
      : reader_(m.module(), m.module().body(func).range), validator_(m.module(), func, reader_), visitor_(visitor) {}

  /// Walks the whole body.
  base::Result<module::ValidatedBody> run();

#define OP(name, code, text, imm_kind, signature, memory, family, feature)        \
  base::Status on_##name(const binary::imm_by_kind::imm_kind& immediate) {        \
    const Decision decision = validator_.before(spec::Opcode::name);              \
    HEDDLE_TRY(validator_.on_##name(immediate));                                  \
    if (!decision.visit) return {};                                               \
    visitor_.begin_instruction(reader_.instruction_offset(), decision.reachable); \
    return visitor_.on_##name(immediate);                                         \
  }
#include "spec/opcodes.def"

 private:
  using Decision = FunctionValidator::Decision;
  binary::BodyReader reader_;
  FunctionValidator validator_;
  V& visitor_;
};

template <class V>
base::Result<module::ValidatedBody> Checked<V>::run() {
  HEDDLE_TRY_ASSIGN(const auto runs, validator_.begin_body());
  visitor_.begin_body(runs);
  while (!validator_.done()) HEDDLE_TRY(binary::walk_instruction(reader_, *this));
  HEDDLE_TRY(validator_.end_body());  // nothing may follow the final end
  return ValidationAuthority::issue(reader_.module(), validator_.func());
}

}  // namespace heddle::validate
