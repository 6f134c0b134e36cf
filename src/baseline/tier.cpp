#include "baseline/tier.h"

#include <memory>

#include "baseline/compiler.h"
#include "validate/checked.h"

namespace heddle::baseline {
namespace {

abi::CompileResult compile_with(Compiler& compiler, const abi::CompileRequest& request) {
  compiler.prescan().run(request.module.module(), request.func);
  for (bool big_frame : {false, true}) {
    compiler.begin(request, big_frame);
    validate::Checked<Compiler> checked(request.module, request.func, compiler);
    auto body = checked.run();
    if (!body.ok()) {
      if (compiler.is_unsupported()) return compiler.unsupported();
      return std::move(body).error();
    }
    if (compiler.is_exhausted())
      return abi::Unsupported{request.module.module().body(request.func).range.begin, "too few registers"};
    if (!big_frame && compiler.needs_big_frame()) continue;
    if (compiler.lacks_osr()) return abi::Unsupported{*request.osr_loop, "no replacement at this loop"};
    return compiler.take_artifact(*body);
  }
  HEDDLE_UNREACHABLE("the second try checks the stack");
}

}  // namespace

abi::CompileResult BaselineTier::compile(const abi::CompileRequest& request) const {
  // One per thread, so that the assembler's and the stacks' storage is reused. It holds nothing of the last function
  // that the next one sees.
  thread_local std::unique_ptr<Compiler> compiler;
  if (compiler == nullptr) compiler = std::make_unique<Compiler>();
  compiler->limit_cpu(cpu_);
  abi::CompileResult result = compile_with(*compiler, request);
  compiler->trim();
  return result;
}

}  // namespace heddle::baseline
