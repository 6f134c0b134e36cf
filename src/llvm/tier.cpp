#include "llvm/tier.h"

#include <llvm/IR/LLVMContext.h>

#include "llvm/ir_function.h"
#include "llvm/listing.h"
#include "llvm/object_reader.h"
#include "llvm/pipeline.h"

namespace heddle::llvm_tier {

abi::CompileResult LlvmTier::compile(const abi::CompileRequest& request) const {
  llvm::LLVMContext context;
  llvm::Module out("wasm", context);
  prepare_module(out);
  IrFunction function(out, request.module, request.layout, request.func, request.osr_loop);
  auto body = function.build();
  if (!body.ok()) {
    if (function.unsupported()) return abi::Unsupported{body.error().offset, *function.unsupported()};
    return std::move(body).error();
  }
  if (request.osr_loop && !function.finish_osr())
    return abi::Unsupported{*request.osr_loop, "no replacement at this loop"};
  const ObjectBytes object = optimise_and_emit(out, function.unshared_memory());
  auto parts = read_object({object.data(), object.size()}, function.lines());
  if (const auto* problem = std::get_if<std::string>(&parts)) return abi::Unsupported{base::kNoOffset, *problem};
  ObjectParts& read = *std::get_if<ObjectParts>(&parts);
  abi::CodeArtifact artifact(*body);
  artifact.inlined_calls = function.inlined_calls();
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

}  // namespace heddle::llvm_tier
