#include "llvm/dwarf_reader.h"

#include <algorithm>
#include <array>
#include <map>

#include "llvm/dwarf_cursor.h"

namespace heddle::llvm_tier {
// DWARF 4, 6.2.4 (header) and 6.2.5 (program).
std::vector<LineSequence> read_line_table(base::Bytes debug_line) {
  std::vector<LineSequence> sequences;
  Cursor in(debug_line);
  const auto unit_length = in.fixed<std::uint32_t>();
  const std::size_t end = std::min<std::size_t>(in.position() + unit_length, debug_line.size());
  const auto version = in.fixed<std::uint16_t>();
  if (version >= 5) in.fixed<std::uint16_t>();  // address and segment selector sizes
  const auto header_length = in.fixed<std::uint32_t>();
  const std::size_t program = in.position() + header_length;
  const std::uint8_t minimum_length = in.u8();
  in.u8();  // maximum operations an instruction
  in.u8();  // default is_stmt
  const auto line_base = in.fixed<std::int8_t>();
  const std::uint8_t line_range = in.u8();
  const std::uint8_t opcode_base = in.u8();
  std::vector<std::uint8_t> operands(opcode_base, 0);
  for (unsigned i = 1; i < opcode_base; ++i) operands[i] = in.u8();
  if (in.failed() || line_range == 0) return sequences;
  in.seek(program);

  std::uint64_t address = 0;
  std::int64_t line = 1;
  const auto emit = [&] {
    if (sequences.empty()) return;  // each begins with its address
    sequences.back().rows.push_back(
        {static_cast<std::uint32_t>(address), static_cast<std::uint32_t>(std::max<std::int64_t>(line, 0))});
  };
  while (in.position() < end && !in.failed()) {
    const std::uint8_t opcode = in.u8();
    if (opcode >= opcode_base) {
      const unsigned adjusted = opcode - opcode_base;
      address += adjusted / line_range * minimum_length;
      line += line_base + static_cast<int>(adjusted % line_range);
      emit();
      continue;
    }
    switch (opcode) {
      case 0: {  // extended
        const std::uint64_t length = in.uleb();
        const std::size_t next = in.position() + length;
        const std::uint8_t extended = in.u8();
        if (extended == 1) {  // end_sequence
          address = 0;
          line = 1;
        } else if (extended == 2) {
          address = 0;  // set_address: relocated to the start of a function
          sequences.push_back({in.position(), {}});
        }
        in.seek(next);
        break;
      }
      case 1: emit(); break;                                                         // copy
      case 2: address += in.uleb() * minimum_length; break;                          // advance_pc
      case 3: line += in.sleb(); break;                                              // advance_line
      case 8: address += (255u - opcode_base) / line_range * minimum_length; break;  // const_add_pc
      case 9: address += in.fixed<std::uint16_t>(); break;                           // fixed_advance_pc
      default:
        for (unsigned i = 0; i < operands[opcode]; ++i) in.uleb();
    }
  }
  return sequences;
}

namespace {

/// State of DWARF 4, 6.4.2 call frame instructions as far as LLVM uses them for functions without a frame pointer.
class FrameProgram {
 public:
  explicit FrameProgram(abi::FrameInfo& frame) : frame_(frame) {}

  bool run(base::Bytes program, std::uint64_t code_align, std::int64_t data_align) {
    Cursor in(program);
    while (!in.at_end() && !in.failed()) {
      const std::uint8_t byte = in.u8();
      const std::uint8_t low = byte & 0x3f;
      switch (byte & 0xc0) {
        case 0x40: advance(low * code_align); continue;
        case 0x80: save(low, static_cast<std::int64_t>(in.uleb()) * data_align); continue;
        case 0xc0: continue;  // restore: epilogue
        default: break;
      }
      switch (byte) {
        case 0x00: break;                                 // nop
        case 0x02: advance(in.u8() * code_align); break;  // advance_loc1
        case 0x03: advance(in.fixed<std::uint16_t>() * code_align); break;
        case 0x04: advance(in.fixed<std::uint32_t>() * code_align); break;
        case 0x0a: saved_states_.push_back(cfa_offset_); break;  // remember_state
        case 0x0b:                                               // restore_state
          if (saved_states_.empty()) return false;
          set_cfa(saved_states_.back());
          saved_states_.pop_back();
          break;
        case 0x0c: {  // def_cfa
          if (in.uleb() != kRsp) return false;
          set_cfa(in.uleb());
          break;
        }
        case 0x0e: set_cfa(in.uleb()); break;  // def_cfa_offset
        case 0x2e: in.uleb(); break;           // GNU_args_size
        default: return false;
      }
    }
    return !in.failed();
  }

 private:
  static constexpr std::uint64_t kRsp = 7;

  void advance(std::uint64_t bytes) { code_offset_ += static_cast<std::uint32_t>(bytes); }

  /// The return address stands 8 bytes below the CFA.
  void set_cfa(std::uint64_t offset) {
    cfa_offset_ = offset;
    const auto size = static_cast<std::uint32_t>(offset - 8);
    if (!frame_.rows.empty() && frame_.rows.back().code_offset == code_offset_)
      frame_.rows.back().size_bytes = size;
    else
      frame_.rows.push_back({code_offset_, size});
    frame_.size_bytes = std::max(frame_.size_bytes, size);
  }

  /// DWARF register numbers: rbx 3, rbp 6, r12-r15 12-15 (System V ABI, figure 3.36). Offsets count from the CFA.
  void save(unsigned reg, std::int64_t cfa_relative) {
    const int index = reg == 3 ? 0 : reg == 6 ? 1 : reg >= 12 && reg <= 15 ? static_cast<int>(reg) - 10 : -1;
    if (index >= 0) from_cfa_[static_cast<std::size_t>(index)] = cfa_relative;
  }

 public:
  /// Saved registers, counted from rsp of the full frame.
  void finish() {
    for (std::size_t i = 0; i < from_cfa_.size(); ++i)
      if (from_cfa_[i] != 0) frame_.saved[i] = static_cast<std::int32_t>(frame_.size_bytes + 8 + from_cfa_[i]);
  }

 private:
  abi::FrameInfo& frame_;
  std::uint32_t code_offset_ = 0;
  std::uint64_t cfa_offset_ = 8;
  std::vector<std::uint64_t> saved_states_;
  std::array<std::int64_t, 6> from_cfa_{};
};

/// What stands behind the augmentation data, which begins here with its length.
base::Bytes instructions_up_to(std::size_t end, Cursor& in, base::Bytes section) {
  const std::uint64_t augmentation = in.uleb();
  const std::size_t begin = in.position() + augmentation;
  return begin > end ? base::Bytes() : section.subspan(begin, end - begin);
}

}  // namespace

// LSB, Exception Frames: CIEs (augmentation "zR", or "zPLR" for functions with landing pads) and FDEs.
std::vector<FrameEntry> read_frames(base::Bytes eh_frame) {
  struct Common {
    std::uint64_t code_align = 1;
    std::int64_t data_align = -8;
    base::Bytes instructions;
  };
  std::map<std::size_t, Common> commons;  // by where they begin
  std::vector<FrameEntry> entries;
  Cursor in(eh_frame);
  while (!in.at_end()) {
    const std::size_t entry = in.position();
    const auto length = in.fixed<std::uint32_t>();
    if (length == 0) break;
    const std::size_t begin = in.position();
    const std::size_t end = begin + length;
    if (end > eh_frame.size()) break;
    const auto to_common = in.fixed<std::uint32_t>();  // counts back from here; 0 in a CIE
    if (to_common == 0) {
      Common common;
      in.u8();  // version
      while (in.u8() != 0 && !in.failed()) {
      }
      common.code_align = in.uleb();
      common.data_align = in.sleb();
      in.uleb();  // return address register
      common.instructions = instructions_up_to(end, in, eh_frame);
      commons.emplace(entry, common);
    } else {
      FrameEntry& found = entries.emplace_back();
      found.address_at = in.position();
      in.fixed<std::uint32_t>();  // pc begin, relocated
      in.fixed<std::uint32_t>();  // pc range
      const base::Bytes instructions = instructions_up_to(end, in, eh_frame);
      const auto common = commons.find(begin - to_common);
      abi::FrameInfo frame;
      FrameProgram program(frame);
      if (common != commons.end() &&
          program.run(common->second.instructions, common->second.code_align, common->second.data_align) &&
          program.run(instructions, common->second.code_align, common->second.data_align)) {
        program.finish();
        found.frame = std::move(frame);
      }
    }
    in.seek(end);
  }
  return entries;
}

}  // namespace heddle::llvm_tier
