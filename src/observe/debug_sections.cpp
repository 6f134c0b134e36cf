#include "observe/debug_sections.h"

#include <array>
#include <initializer_list>

namespace heddle::observe {
namespace {

// DWARF 4, 7.5 to 7.7: the values that stand here, by the names of the standard.
enum : unsigned {
  DW_TAG_compile_unit = 0x11,
  DW_TAG_inlined_subroutine = 0x1d,
  DW_TAG_subprogram = 0x2e,
  DW_AT_name = 0x03,
  DW_AT_stmt_list = 0x10,
  DW_AT_low_pc = 0x11,
  DW_AT_high_pc = 0x12,
  DW_AT_language = 0x13,
  DW_AT_inline = 0x20,
  DW_AT_producer = 0x25,
  DW_AT_abstract_origin = 0x31,
  DW_AT_external = 0x3f,
  DW_AT_ranges = 0x55,
  DW_AT_call_file = 0x58,
  DW_AT_call_line = 0x59,
  DW_FORM_addr = 0x01,
  DW_FORM_data8 = 0x07,
  DW_FORM_string = 0x08,
  DW_FORM_data1 = 0x0b,
  DW_FORM_udata = 0x0f,
  DW_FORM_ref4 = 0x13,
  DW_FORM_sec_offset = 0x17,
  DW_FORM_flag_present = 0x19,
  DW_LANG_C99 = 0x0c,
  DW_INL_inlined = 0x01,
  DW_LNS_copy = 0x01,
  DW_LNS_advance_pc = 0x02,
  DW_LNS_advance_line = 0x03,
  DW_LNS_set_file = 0x04,
  DW_LNS_negate_stmt = 0x06,
  DW_LNE_end_sequence = 0x01,
  DW_LNE_set_address = 0x02,
  DW_CFA_restore = 0xc0,
  DW_CFA_offset = 0x80,
  DW_CFA_advance_loc4 = 0x04,
  DW_CFA_def_cfa = 0x0c,
  DW_CFA_def_cfa_offset = 0x0e,
};

enum Abbreviation : unsigned { kUnit = 1, kFunction, kInlinedFunction, kInlinedCall };

/// DWARF's numbers of FrameInfo::saved (System V ABI, figure 3.36: rbx 3, rbp 6), of rsp and of the return address.
constexpr std::array<unsigned, 6> kSavedRegisters = {3, 6, 12, 13, 14, 15};
constexpr unsigned kRsp = 7, kReturnAddress = 16;

}  // namespace

DebugSections::DebugSections() {
  write_abbreviations();
  write_cie();
}

void DebugSections::add(const DebugFunction& f) {
  write_lines(f);
  write_info(f);
  write_frame(f);
}

void DebugSections::write_abbreviations() {
  const auto entry = [this](Abbreviation code, unsigned tag, bool has_children,
                            std::initializer_list<unsigned> attributes) {
    abbreviations_.bytes({code, tag, has_children ? 1u : 0u});
    abbreviations_.bytes(attributes);
    abbreviations_.bytes({0, 0});
  };
  entry(kUnit, DW_TAG_compile_unit, true,
        {DW_AT_producer, DW_FORM_string, DW_AT_language, DW_FORM_data1, DW_AT_name, DW_FORM_string, DW_AT_stmt_list,
         DW_FORM_sec_offset, DW_AT_low_pc, DW_FORM_addr, DW_AT_high_pc, DW_FORM_data8});
  entry(kFunction, DW_TAG_subprogram, true,
        {DW_AT_name, DW_FORM_string, DW_AT_external, DW_FORM_flag_present, DW_AT_low_pc, DW_FORM_addr, DW_AT_high_pc,
         DW_FORM_data8});
  entry(kInlinedFunction, DW_TAG_subprogram, false, {DW_AT_name, DW_FORM_string, DW_AT_inline, DW_FORM_data1});
  entry(kInlinedCall, DW_TAG_inlined_subroutine, true,
        {DW_AT_abstract_origin, DW_FORM_ref4, DW_AT_ranges, DW_FORM_sec_offset, DW_AT_call_file, DW_FORM_udata,
         DW_AT_call_line, DW_FORM_udata});
  abbreviations_.u8(0);
}

/// DWARF 4, 6.2. Standard opcodes only: these objects are read once, and small.
void DebugSections::write_lines(const DebugFunction& f) {
  line_unit_ = lines_.size();
  const std::uint32_t unit = lines_.begin();
  lines_.put(std::uint16_t{4});
  const std::uint32_t header = lines_.begin();
  lines_.bytes({1, 1, 1, 0, 1, 10});          // of an instruction: bytes, operations; is_stmt; special opcodes
  lines_.bytes({0, 1, 1, 1, 1, 0, 0, 0, 1});  // operands of the standard opcodes 1 to 9
  lines_.u8(0);                               // no directories but the compilation's own
  for (const std::string& file : f.files) {
    lines_.text(file);
    lines_.bytes({0, 0, 0});  // directory, time, length
  }
  lines_.u8(0);
  lines_.end(header);
  lines_.bytes({0, 9, DW_LNE_set_address});
  lines_.put(f.begin);
  DebugLine now{0, 0, 1, true};
  for (const DebugLine& row : f.lines) {
    advance(row.code_offset - now.code_offset);
    if (row.file != now.file) {
      lines_.u8(DW_LNS_set_file);
      lines_.uleb(row.file + 1);
    }
    if (row.line != now.line) {
      lines_.u8(DW_LNS_advance_line);
      lines_.sleb(std::int64_t{row.line} - std::int64_t{now.line});
    }
    if (row.is_statement != now.is_statement) lines_.u8(DW_LNS_negate_stmt);
    lines_.u8(DW_LNS_copy);
    now = row;
  }
  advance(f.size_bytes - now.code_offset);
  lines_.bytes({0, 1, DW_LNE_end_sequence});
  lines_.end(unit);
}

void DebugSections::advance(std::uint32_t bytes) {
  if (bytes == 0) return;
  lines_.u8(DW_LNS_advance_pc);
  lines_.uleb(bytes);
}

void DebugSections::write_info(const DebugFunction& f) {
  const std::uint32_t unit_offset = info_.size();
  const std::uint32_t unit = info_.begin();
  info_.put(std::uint16_t{4});
  info_.put(std::uint32_t{0});  // its abbreviations
  info_.u8(8);                  // bytes of an address
  info_.u8(kUnit);
  info_.text("Heddle");
  info_.u8(DW_LANG_C99);
  info_.text(f.files.empty() ? "wasm" : f.files[0]);
  info_.put(line_unit_);
  put_range(f);
  std::vector<std::uint32_t> origins;
  for (const DebugInlinedCall& call : f.inlined) {
    origins.push_back(info_.size() - unit_offset);
    info_.u8(kInlinedFunction);
    info_.text(call.name);
    info_.u8(DW_INL_inlined);
  }
  info_.u8(kFunction);
  info_.text(f.name);
  put_range(f);
  write_inlined(f, 0, origins);
  info_.u8(0);  // no more in the function
  info_.u8(0);  // nor in the unit
  info_.end(unit);
}

void DebugSections::put_range(const DebugFunction& f) {
  info_.put(f.begin);
  info_.put(std::uint64_t{f.size_bytes});
}

/// Those that are part of `around`. As deep as the compiler inlines.
void DebugSections::write_inlined(const DebugFunction& f, std::uint32_t around,
                                  const std::vector<std::uint32_t>& origins) {
  for (std::uint32_t i = around; i < f.inlined.size(); ++i) {
    const DebugInlinedCall& call = f.inlined[i];
    if (call.around != around || call.ranges.empty()) continue;
    info_.u8(kInlinedCall);
    info_.put(origins[i]);
    info_.put(ranges_.size());
    info_.uleb(call.file + 1);
    info_.uleb(call.line);
    for (const auto& [begin, end] : call.ranges) {  // from the unit's low_pc on
      ranges_.put(std::uint64_t{begin});
      ranges_.put(std::uint64_t{end});
    }
    ranges_.put(std::uint64_t{0});
    ranges_.put(std::uint64_t{0});
    write_inlined(f, i + 1, origins);
    info_.u8(0);
  }
}

/// DWARF 4, 6.4.1: as at the entry of every function.
void DebugSections::write_cie() {
  const std::uint32_t cie = frames_.begin();
  frames_.put(~std::uint32_t{0});
  frames_.u8(4);          // version
  frames_.text("");       // augmentation
  frames_.bytes({8, 0});  // bytes of an address, of a segment selector
  frames_.uleb(1);        // unit of code offsets
  frames_.sleb(-8);       // unit of places in the frame
  frames_.uleb(kReturnAddress);
  frames_.bytes({DW_CFA_def_cfa, kRsp, 8});
  frames_.bytes({DW_CFA_offset | kReturnAddress, 1});
  frames_.align(8);
  frames_.end(cie);
}

/// A register is where FrameInfo says while that place is inside of the frame. (Between the baseline's `sub rsp` and
/// its stores that is too early by some instructions; who entered wasm has saved the same registers itself.)
void DebugSections::write_frame(const DebugFunction& f) {
  const std::uint32_t fde = frames_.begin();
  frames_.put(std::uint32_t{0});  // where its CIE is
  frames_.put(f.begin);
  frames_.put(std::uint64_t{f.size_bytes});
  std::uint32_t offset = 0, size = 0;
  for (const abi::FrameRow& row : f.frame_rows) {
    if (row.code_offset != offset) {
      frames_.u8(DW_CFA_advance_loc4);
      frames_.put(row.code_offset - offset);
      offset = row.code_offset;
    }
    frames_.u8(DW_CFA_def_cfa_offset);
    frames_.uleb(std::uint64_t{row.size_bytes} + 8);
    for (std::size_t i = 0; i < f.saved.size(); ++i) {
      if (f.saved[i] < 0) continue;
      const std::uint32_t below_cfa = f.frame_bytes + 8 - static_cast<std::uint32_t>(f.saved[i]);
      const bool was_inside = below_cfa <= size + 8;
      const bool is_inside = below_cfa <= row.size_bytes + 8;
      if (is_inside && !was_inside) {
        frames_.u8(DW_CFA_offset | kSavedRegisters[i]);
        frames_.uleb(below_cfa / 8);
      } else if (was_inside && !is_inside) {
        frames_.u8(DW_CFA_restore | kSavedRegisters[i]);
      }
    }
    size = row.size_bytes;
  }
  frames_.align(8);
  frames_.end(fde);
}

}  // namespace heddle::observe
