#include "llvm/tier.h"

#include <algorithm>
#include <llvm/IR/LLVMContext.h>
#include <memory>

#include "llvm/ir_function.h"
#include "llvm/listing.h"
#include "llvm/object_reader.h"
#include "llvm/pipeline.h"

namespace heddle::llvm_tier {
namespace {

/// One request of a batch: its function in the module, or what the answer is without one.
struct Job {
  std::unique_ptr<IrFunction> function;
  std::optional<module::ValidatedBody> body;
  std::optional<abi::CompileResult> answer;
};

Job build(llvm::Module& out, const abi::CompileRequest& request) {
  Job job;
  job.function = std::make_unique<IrFunction>(out, request);
  auto body = job.function->build();
  if (!body.ok()) {
    if (job.function->unsupported())
      job.answer = abi::Unsupported{body.error().offset, *job.function->unsupported()};
    else
      job.answer = std::move(body).error();
  } else if (request.osr_loop && !job.function->finish_osr()) {
    job.answer = abi::Unsupported{*request.osr_loop, "no replacement at this loop"};
  } else {
    job.body = *body;
  }
  if (job.answer && job.function->function() != nullptr) job.function->function()->eraseFromParent();
  return job;
}

abi::CompileResult finish(const llvm::Module& out, const abi::CompileRequest& request, const Job& job,
                          std::variant<ObjectParts, std::string> parts) {
  if (const auto* problem = std::get_if<std::string>(&parts)) return abi::Unsupported{base::kNoOffset, *problem};
  ObjectParts& read = *std::get_if<ObjectParts>(&parts);
  abi::CodeArtifact artifact(*job.body);
  artifact.inlined_calls = job.function->inlined_calls();
  if (request.want_listing)
    artifact.listing = to_text(out) + list_code(read, request.module.module(), request.func, artifact.inlined_calls);
  artifact.code = std::move(read.code);
  artifact.relocations = std::move(read.relocations);
  artifact.handlers = std::move(read.handlers);
  artifact.frame = std::move(read.frame);
  artifact.sites_by_range = true;
  artifact.offset_rows = std::move(read.offset_rows);
  return artifact;
}

}  // namespace

abi::CompileResult LlvmTier::compile(const abi::CompileRequest& request) const {
  return std::move(compile_batch({&request, 1}).front());
}

std::vector<abi::CompileResult> LlvmTier::compile_batch(std::span<const abi::CompileRequest> requests) const {
  const bool listed =
      std::any_of(requests.begin(), requests.end(), [](const abi::CompileRequest& r) { return r.want_listing; });
  if (listed && requests.size() > 1) return Tier::compile_batch(requests);  // a listing shows a whole module

  llvm::LLVMContext context;
  llvm::Module out("wasm", context);
  prepare_module(out);
  std::vector<Job> jobs;
  for (const abi::CompileRequest& request : requests) jobs.push_back(build(out, request));
  std::vector<MarkedFunction> functions;
  std::vector<ObjectFunction> symbols;
  for (const Job& job : jobs) {
    if (job.answer) continue;
    functions.push_back({job.function->function(), job.function->unshared_memory()});
    symbols.push_back({job.function->function()->getName(), job.function->lines()});
  }
  std::vector<std::variant<ObjectParts, std::string>> read;
  if (!functions.empty()) {
    const ObjectBytes object = optimise_and_emit(out, functions);
    read = read_object({object.data(), object.size()}, symbols);
  }
  std::vector<abi::CompileResult> results;
  auto next = read.begin();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].answer)
      results.push_back(std::move(*jobs[i].answer));
    else
      results.push_back(finish(out, requests[i], jobs[i], std::move(*next++)));
  }
  return results;
}

}  // namespace heddle::llvm_tier
