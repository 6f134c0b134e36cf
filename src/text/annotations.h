// The annotations that mean something (core spec, appendix Custom Sections and Annotations; branch hinting):
// (@custom ...), (@name ...), (@metadata.code.branch_hint ...). Each has its places; one that nobody took is an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/cursor.h"
#include "text/module_builder.h"

namespace heddle::text {

class Annotations {
 public:
  /// Those in front of the tokens [first, last].
  Annotations(const TokenStream& stream, std::uint32_t first, std::uint32_t last);

  bool empty() const { return begin_ == end_; }

  /// (@name "...") in front of the cursor. Empty if there is none.
  std::string_view take_name(Cursor& cursor);
  /// (@custom ...) in front of the cursor, as custom sections.
  void take_customs(Cursor& cursor, ModuleBuilder& builder);
  /// (@metadata.code.branch_hint "\00" or "\01") in front of the cursor.
  std::optional<std::uint8_t> take_branch_hint(Cursor& cursor);
  /// Fails for the first that was not taken.
  void report_unused(Cursor& cursor) const;

 private:
  template <class Fn>
  void take(const Cursor& cursor, std::string_view name, Fn fn);

  const TokenStream& stream_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::vector<bool> taken_;         // by index - begin_
  std::vector<std::string> names_;  // what take_name returned views of; reserved, so that they stay
};

}  // namespace heddle::text
