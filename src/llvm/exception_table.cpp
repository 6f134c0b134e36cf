#include "llvm/exception_table.h"

#include "llvm/dwarf_cursor.h"

namespace heddle::llvm_tier {
namespace {

// DWARF exception header encodings (LSB, Exception Frames): the format's low four bits.
constexpr std::uint8_t kOmitted = 0xff;
constexpr std::uint8_t kFormatMask = 0x0f;
constexpr std::uint8_t kUleb = 0x01;
constexpr std::uint8_t kUdata4 = 0x03;
constexpr std::uint8_t kSdata4 = 0x0b;

class Table {
 public:
  Table(base::Bytes bytes, const TagAt& tag_at) : bytes_(bytes), tag_at_(tag_at) {}

  bool read() {
    Cursor in(bytes_);
    if (in.u8() != kOmitted) return false;  // landing pads count from the function's start
    const std::uint8_t type_encoding = in.u8();
    if (type_encoding != kOmitted) {
      const std::uint8_t format = type_encoding & kFormatMask;
      if (format != kUdata4 && format != kSdata4) return false;
      const std::uint64_t distance = in.uleb();
      types_end_ = in.position() + distance;
      if (types_end_ > bytes_.size()) return false;
    }
    const std::uint8_t encoding = in.u8();
    if (encoding != kUleb && encoding != kUdata4) return false;
    const auto number = [&] { return encoding == kUleb ? in.uleb() : in.fixed<std::uint32_t>(); };
    const std::uint64_t length = in.uleb();
    actions_ = in.position() + length;
    if (actions_ > bytes_.size()) return false;
    while (in.position() < actions_ && !in.failed()) {
      const auto begin = static_cast<std::uint32_t>(number());
      const auto size = static_cast<std::uint32_t>(number());
      const auto landing = static_cast<std::uint32_t>(number());
      const std::uint64_t action = in.uleb();
      if (landing != 0 && action != 0 && !add_handlers({begin, begin + size, landing, false, {}}, action)) return false;
    }
    return !in.failed();
  }

  std::vector<abi::ExceptionHandler> handlers;

 private:
  /// Follows the chain of actions: one for each clause.
  bool add_handlers(abi::ExceptionHandler handler, std::uint64_t action) {
    Cursor in(bytes_);
    in.seek(actions_ + action - 1);
    while (true) {
      const std::int64_t filter = in.sleb();
      const std::size_t next_field = in.position();
      const std::int64_t next = in.sleb();
      if (in.failed() || filter < 0) return false;
      if (filter > 0) {  // 0: a cleanup, which our code does not have
        const std::uint64_t distance = static_cast<std::uint64_t>(filter) * 4;
        if (distance > types_end_) return false;
        const std::optional<spec::TagIndex> tag = tag_at_(types_end_ - distance);
        handler.catches_all = !tag;
        handler.tag = tag.value_or(spec::TagIndex{});
        handlers.push_back(handler);
      }
      if (next == 0) return true;
      in.seek(static_cast<std::size_t>(static_cast<std::int64_t>(next_field) + next));
    }
  }

  base::Bytes bytes_;
  const TagAt& tag_at_;
  std::size_t types_end_ = 0;
  std::size_t actions_ = 0;
};

}  // namespace

std::optional<std::vector<abi::ExceptionHandler>> read_exception_table(base::Bytes bytes, const TagAt& tag_at) {
  Table table(bytes, tag_at);
  if (!table.read()) return std::nullopt;
  return std::move(table.handlers);
}

}  // namespace heddle::llvm_tier
