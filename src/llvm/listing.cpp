#include "llvm/listing.h"

#include <fmt/format.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/raw_ostream.h>
#include <memory>
#include <mutex>

#include "base/check.h"
#include "binary/instruction_text.h"
#include "llvm/pipeline.h"

extern "C" void LLVMInitializeX86Disassembler();

namespace heddle::llvm_tier {
namespace {

class Disassembler {
 public:
  explicit Disassembler(const llvm::TargetMachine& machine)
      : subtarget_(*machine.getMCSubtargetInfo()),
        context_(machine.getTargetTriple(), machine.getMCAsmInfo(), machine.getMCRegisterInfo(), &subtarget_) {
    static std::once_flag once;
    std::call_once(once, LLVMInitializeX86Disassembler);
    constexpr unsigned kIntelSyntax = 1;  // as the baseline's listings
    decoder_.reset(machine.getTarget().createMCDisassembler(subtarget_, context_));
    printer_.reset(machine.getTarget().createMCInstPrinter(machine.getTargetTriple(), kIntelSyntax,
                                                           *machine.getMCAsmInfo(), *machine.getMCInstrInfo(),
                                                           *machine.getMCRegisterInfo()));
    HEDDLE_CHECK(decoder_ != nullptr && printer_ != nullptr, "the X86 disassembler is linked in");
    printer_->setPrintBranchImmAsAddress(true);
  }

  /// Appends the instruction at `offset`; the result is its length.
  std::uint32_t append(llvm::ArrayRef<std::uint8_t> code, std::uint32_t offset, std::string& out) {
    llvm::MCInst instruction;
    std::uint64_t size = 0;
    out += fmt::format("    +{:#x}", offset);
    const auto status = decoder_->getInstruction(instruction, size, code.drop_front(offset), offset, llvm::nulls());
    if (status != llvm::MCDisassembler::Success) {
      out += fmt::format("\t.byte {:#04x}\n", code[offset]);
      return 1;
    }
    llvm::raw_string_ostream stream(out);
    printer_->printInst(&instruction, offset + size, "", subtarget_, stream);  // branches count from their end
    stream << '\n';
    return static_cast<std::uint32_t>(size);
  }

 private:
  const llvm::MCSubtargetInfo& subtarget_;
  llvm::MCContext context_;
  std::unique_ptr<llvm::MCDisassembler> decoder_;
  std::unique_ptr<llvm::MCInstPrinter> printer_;
};

}  // namespace

std::string list_code(const ObjectParts& code, const module::Module& m, spec::FuncIndex func,
                      std::span<const abi::InlinedCall> inlined) {
  Disassembler disassembler(target_machine());
  std::string out;
  auto row = code.offset_rows.begin();
  for (std::uint32_t at = 0; at < code.instruction_bytes;) {
    const auto first = row;
    while (row != code.offset_rows.end() && row->code_offset <= at) ++row;
    if (row != first) {
      const abi::OffsetRow& place = *(row - 1);  // of several at one place the last counts
      const spec::FuncIndex where = place.inlined == 0 ? func : inlined[place.inlined - 1].func;
      out += fmt::format("+{:#x} {}", at, binary::instruction_text(m, where, place.body_offset));
      out += place.inlined == 0 ? "\n" : fmt::format(" in func[{}]\n", where.value);
    }
    at += disassembler.append(code.code, at, out);
  }
  return out;
}

}  // namespace heddle::llvm_tier
