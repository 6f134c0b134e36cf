// Undoes unrolling. Who compiled the module has often unrolled its loops, mostly by two; to vectorise such a body as it
// stands takes shuffles that cost more than the vectors gain. Here the copies in a body are found again; then one of
// them, that many times as often, is the same loop.
#pragma once

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallVector.h>
#include <optional>

#include "llvm/affine_loop.h"

namespace heddle::llvm_tier {

/// What the body is made of. Of the instructions that are not named here only the loop's own counting remains.
struct Reroll {
  unsigned copies = 1;
  /// Integers of the first copy that grow evenly: in the new loop, by the copies-th part each time.
  llvm::SmallVector<llvm::Instruction*, 4> inductions;
  /// Of the first copy, whose promises (nuw, exact ...) others do not make.
  llvm::SmallVector<llvm::Instruction*, 4> loosened;
  /// Of the other copies.
  llvm::SmallVector<llvm::Instruction*, 8> stores;
  /// A phi of the header, and the first copy's value for the next iteration.
  llvm::SmallVector<std::pair<llvm::PHINode*, llvm::Value*>, 2> carried;
  /// Values of the last copy, with those of the first one in their places.
  llvm::DenseMap<llvm::Value*, llvm::Value*> last_to_first;
  /// Phis of the exit that get an integer that grows evenly: its last value. Takes precedence.
  llvm::DenseMap<llvm::PHINode*, const llvm::SCEV*> ends;
};

/// The result has as many copies as can be. Nothing is changed.
std::optional<Reroll> find_copies(const AffineLoop& affine, llvm::ScalarEvolution& evolution);

}  // namespace heddle::llvm_tier
