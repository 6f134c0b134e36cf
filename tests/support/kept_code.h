// A function's code as code/ gets it from a tier: kept, or else compiled.
#pragma once

#include "abi/tier.h"

namespace heddle::test {

inline abi::CodeArtifact artifact_of(abi::KeptCode::Piece piece) {
  abi::CodeArtifact artifact(piece.body);
  artifact.code.assign(piece.code.begin(), piece.code.end());
  static_cast<abi::CodeTables&>(artifact) = std::move(piece);
  return artifact;
}

inline abi::CompileResult kept_or_compiled(const abi::Tier& tier, const abi::CompileRequest& request) {
  if (auto kept = tier.kept(request))
    for (abi::KeptCode::Piece& piece : kept->pieces)
      if (piece.body.func() == request.func) return artifact_of(std::move(piece));
  return tier.compile(request);
}

}  // namespace heddle::test
