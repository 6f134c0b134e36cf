// The DWARF 4 sections of a debug object, grown function by function.
#pragma once

#include <cstdint>
#include <vector>

#include "observe/debug_object.h"
#include "observe/output.h"

namespace heddle::observe {

class DebugSections {
 public:
  DebugSections();
  void add(const DebugFunction& f);

  const Output& abbreviations() const { return abbreviations_; }
  const Output& info() const { return info_; }
  const Output& lines() const { return lines_; }
  const Output& ranges() const { return ranges_; }
  const Output& frames() const { return frames_; }

 private:
  void write_abbreviations();
  void write_cie();
  void write_lines(const DebugFunction& f);
  void advance(std::uint32_t bytes);
  void write_info(const DebugFunction& f);
  void put_range(const DebugFunction& f);
  void write_inlined(const DebugFunction& f, std::uint32_t around, const std::vector<std::uint32_t>& origins);
  void write_frame(const DebugFunction& f);

  Output abbreviations_, info_, lines_, ranges_, frames_;
  std::uint32_t line_unit_ = 0;  // of the function at hand, in lines_
};

}  // namespace heddle::observe
