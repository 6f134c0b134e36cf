// What a compiler looks like from outside. Tiers know validate and abi only; code and runtime know only this interface.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "abi/artifact.h"
#include "abi/vmctx.h"
#include "base/result.h"
#include "module/validated.h"

namespace heddle::abi {

/// The call at `body_offset` has been seen to reach `func`, of the same module: a guess, which code must test or do
/// without.
struct LikelyCall {
  std::uint32_t body_offset;
  spec::FuncIndex func;
  bool operator==(const LikelyCall&) const = default;
};

/// Chosen: likely callees with longer bodies are never put into their caller. Three times what the LLVM tier takes of
/// callees that it knows nothing of.
inline constexpr std::uint64_t kMaxLikelyBodyBytes = 240;

struct CompileRequest {
  const module::CheckedModule& module;
  const VmLayout& layout;
  spec::FuncIndex func;       ///< a defined function
  bool want_listing = false;  ///< fill CodeArtifact::listing
  /// Asks for one half of an on-stack replacement at the loop with this body_offset, instead of the function. Both
  /// halves meet at VmStore::overflow: all locals, then the operands at the header, from [0] up.
  /// The tier whose code has an OsrPoint there gives a stub: from the state at the header it fills the buffer, takes
  /// the frame away (registers as at the function's entry) and jumps to the address in its last eight bytes.
  /// The better tier gives code that is entered like the function, but takes its values from the buffer and goes on at
  /// the header.
  std::optional<std::uint32_t> osr_loop = {};
  /// One at most for each call, ascending; borrowed until the tier has answered.
  std::span<const LikelyCall> likely_calls = {};
};

/// The code, or why the body is invalid, or what the tier cannot do.
using CompileResult = std::variant<CodeArtifact, base::Error, Unsupported>;

/// Code that need not be made: of the function that was asked for and of others that are likely to be wanted soon.
struct KeptCode {
  struct Piece : CodeTables {
    module::ValidatedBody body;
    base::Bytes code;               ///< as CodeArtifact::code; in `memory`
    const char* made_by = nullptr;  ///< as CodeArtifact::made_by

    explicit Piece(module::ValidatedBody of) : body(of) {}
  };
  std::unique_ptr<const std::uint8_t[]> memory;
  std::vector<Piece> pieces;  ///< each of another function
};

class Tier {
 public:
  virtual ~Tier() = default;
  virtual std::string_view name() const = 0;
  /// Validates the body and compiles it in one pass. Any thread, many at once; keeps no state between calls that
  /// changes the result (the same request gives the same artifact).
  virtual CompileResult compile(const CompileRequest& request) const = 0;
  /// compile() of each, in the requests' order; for a tier that shares costs between functions. A result does not
  /// depend on the others in the batch.
  virtual std::vector<CompileResult> compile_batch(std::span<const CompileRequest> requests) const {
    std::vector<CompileResult> results;
    results.reserve(requests.size());
    for (const CompileRequest& request : requests) results.push_back(compile(request));
    return results;
  }
  /// Code that there is of the function already; it is among the pieces then. nullopt: compile() makes it. Neither
  /// CompileRequest::want_listing nor osr_loop is set. Any thread, many at once.
  virtual std::optional<KeptCode> kept(const CompileRequest&) const { return std::nullopt; }
};

}  // namespace heddle::abi
