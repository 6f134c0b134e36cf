// Moves between registers that happen "at once": no move may destroy another's source. At most one move into each
// register. Cycles are broken with the scratch register of the class.
#pragma once

#include "baseline/operand.h"
#include "baseline/registers.h"
#include "baseline/x64/macro_assembler.h"

namespace heddle::baseline {

class ParallelMove {
 public:
  void add(Kind kind, Reg dst, Reg src);
  void run(x64::MacroAssembler& masm);

 private:
  Reg source_[kRegCount];
  Kind kind_[kRegCount];
  RegSet pending_;
};

}  // namespace heddle::baseline
