#include "binary/debug_lines.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

namespace heddle::binary {
namespace {

/// Reads past the end give zeros and set `failed`.
class Cursor {
 public:
  explicit Cursor(base::Bytes bytes) : bytes_(bytes) {}
  bool failed() const { return failed_; }
  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  void skip(std::uint64_t n) {
    if (n > left()) return fail();
    position_ += static_cast<std::size_t>(n);
  }
  /// The next `n` bytes as a cursor of their own.
  Cursor take(std::uint64_t n) {
    const std::size_t from = position_;
    skip(n);
    return Cursor(failed_ ? base::Bytes() : bytes_.subspan(from, static_cast<std::size_t>(n)));
  }
  std::uint64_t fixed(unsigned bytes) {
    std::uint64_t value = 0;
    if (bytes > left()) {
      fail();
      return 0;
    }
    std::memcpy(&value, bytes_.data() + position_, bytes);  // both little-endian
    position_ += bytes;
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
  std::uint64_t uleb() { return leb(nullptr); }
  std::int64_t sleb() {
    bool negative = false;
    unsigned shift = 0;
    const std::uint64_t value = leb(&negative, &shift);
    return static_cast<std::int64_t>(negative && shift < 64 ? value | ~std::uint64_t{0} << shift : value);
  }
  std::string_view string() {
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + position_;
    const std::size_t length = left() == 0 ? 0 : strnlen(begin, left());
    skip(length + 1);
    return failed_ ? std::string_view() : std::string_view(begin, length);
  }

 private:
  std::uint64_t leb(bool* negative, unsigned* bits = nullptr) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t byte = u8();
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) != 0 && !failed_) continue;
      if (negative != nullptr) *negative = (byte & 0x40) != 0;
      if (bits != nullptr) *bits = shift + 7;
      return value;
    }
  }
  void fail() {
    failed_ = true;
    position_ = bytes_.size();
  }
  base::Bytes bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

struct Sections {
  base::Bytes line, str, line_str;
};

base::Bytes custom(const module::Module& m, std::string_view name) {
  const module::CustomSection* section = m.find_custom(name);
  return section != nullptr ? m.bytes_of(section->contents) : base::Bytes();
}

/// Bytes from the module's start to the contents of its code section; 0 if there is none (core spec, Modules).
std::uint64_t code_contents(const module::Module& m) {
  constexpr std::uint8_t kCode = 10;
  Cursor in(m.bytes());
  in.skip(8);
  while (in.left() != 0) {
    const std::uint8_t id = in.u8();
    const std::uint64_t size = in.uleb();
    if (id == kCode) return in.position();
    in.skip(size);
  }
  return 0;
}

std::string_view string_at(base::Bytes section, std::uint64_t offset) {
  Cursor in(section);
  in.skip(offset);
  return in.string();
}

struct File {
  std::string_view name;
  std::uint64_t directory = 0;
};

/// [begin, end) from the start of the code section's contents belongs to this line.
struct LineRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string_view directory;  ///< empty: the compilation's own, or the name needs none
  std::string_view name;
  std::uint32_t line = 0;

  std::string file() const {
    std::string path(directory);
    if (!path.empty()) path += '/';
    return path += name;
  }
};

/// One line program (DWARF 5, 6.2.4 and 6.2.5). `Tell` gets a LineRange for each row.
template <class Tell>
class LineUnit {
 public:
  LineUnit(const Sections& sections, Tell& tell) : sections_(sections), tell_(tell) {}

  void run(Cursor in, unsigned offset_bytes) {
    offset_bytes_ = offset_bytes;
    if (read_header(in)) run_program(in);
  }

 private:
  struct Row {
    std::uint64_t address = 0;
    std::uint64_t file = 1;
    std::int64_t line = 1;
  };

  bool read_header(Cursor& in) {
    version_ = static_cast<unsigned>(in.fixed(2));
    if (version_ < 2 || version_ > 5) return false;
    if (version_ == 5) in.skip(2);  // sizes of addresses and segment selectors
    const std::uint64_t header_bytes = in.fixed(offset_bytes_);
    Cursor header = in.take(header_bytes);
    minimum_length_ = header.u8();
    if (version_ >= 4) header.u8();  // operations an instruction
    header.u8();                     // default is_stmt
    line_base_ = static_cast<std::int8_t>(header.u8());
    line_range_ = header.u8();
    opcode_base_ = header.u8();
    if (opcode_base_ == 0 || line_range_ == 0) return false;
    operands_.assign(opcode_base_, 0);
    for (unsigned i = 1; i < opcode_base_; ++i) operands_[i] = header.u8();
    if (version_ == 5) {
      for (const File& directory : read_entries(header)) directories_.push_back(directory.name);
      files_ = read_entries(header);
    } else {
      read_old_tables(header);
    }
    return !header.failed() && !in.failed();
  }

  void read_old_tables(Cursor& in) {
    directories_.emplace_back();  // 0: the compilation's own
    for (std::string_view name = in.string(); !name.empty(); name = in.string()) directories_.push_back(name);
    files_.emplace_back();  // counted from 1
    for (std::string_view name = in.string(); !name.empty(); name = in.string()) {
      files_.push_back({name, in.uleb()});
      in.uleb();  // time
      in.uleb();  // length
    }
  }

  /// DWARF 5: a list whose columns the header describes.
  std::vector<File> read_entries(Cursor& in) {
    struct Column {
      std::uint64_t content, form;
    };
    std::vector<Column> columns(in.u8());
    for (Column& c : columns) c = {in.uleb(), in.uleb()};
    // Without columns entries take no bytes, and a wrong count would never end.
    const std::uint64_t count = columns.empty() ? 0 : in.uleb();
    std::vector<File> files;
    for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
      File file;
      for (const Column& c : columns) {
        std::string_view text;
        std::uint64_t number = 0;
        if (!read_form(in, c.form, text, number)) return files;
        if (c.content == 1) file.name = text;         // DW_LNCT_path
        if (c.content == 2) file.directory = number;  // DW_LNCT_directory_index
      }
      files.push_back(file);
    }
    return files;
  }

  bool read_form(Cursor& in, std::uint64_t form, std::string_view& text, std::uint64_t& number) const {
    switch (form) {
      case 0x08: text = in.string(); break;                                             // string
      case 0x0e: text = string_at(sections_.str, in.fixed(offset_bytes_)); break;       // strp
      case 0x1f: text = string_at(sections_.line_str, in.fixed(offset_bytes_)); break;  // line_strp
      case 0x0b: number = in.u8(); break;                                               // data1
      case 0x05: number = in.fixed(2); break;                                           // data2
      case 0x06: number = in.fixed(4); break;                                           // data4
      case 0x07: number = in.fixed(8); break;                                           // data8
      case 0x0f: number = in.uleb(); break;                                             // udata
      case 0x1e: in.skip(16); break;                                                    // data16
      case 0x09: in.skip(in.uleb()); break;                                             // block
      default: return false;
    }
    return true;
  }

  void run_program(Cursor in) {
    begin_sequence();
    while (in.left() != 0 && !in.failed()) {
      const unsigned opcode = in.u8();
      if (opcode >= opcode_base_) {
        const unsigned adjusted = opcode - opcode_base_;
        now_.address += std::uint64_t{adjusted / line_range_} * minimum_length_;
        now_.line += line_base_ + static_cast<int>(adjusted % line_range_);
        emit(false);
      } else {
        run_standard(in, opcode);
      }
    }
  }

  void run_standard(Cursor& in, unsigned opcode) {
    switch (opcode) {
      case 0: run_extended(in); break;
      case 1: emit(false); break;                                                            // copy
      case 2: now_.address += in.uleb() * minimum_length_; break;                            // advance_pc
      case 3: now_.line += in.sleb(); break;                                                 // advance_line
      case 4: now_.file = in.uleb(); break;                                                  // set_file
      case 8: now_.address += (255u - opcode_base_) / line_range_ * minimum_length_; break;  // const_add_pc
      case 9: now_.address += in.fixed(2); break;                                            // fixed_advance_pc
      default:
        for (unsigned i = 0; i < operands_[opcode]; ++i) in.uleb();
    }
  }

  void run_extended(Cursor& in) {
    const std::uint64_t length = in.uleb();
    Cursor operands = in.take(length);
    switch (operands.u8()) {
      case 1: emit(true); break;  // end_sequence
      case 2: now_.address = operands.fixed(static_cast<unsigned>(std::min<std::size_t>(operands.left(), 8))); break;
      default: break;
    }
  }

  void begin_sequence() {
    now_ = {};
    before_ = {};
    has_before_ = false;
  }

  /// A row says what holds up to the next one. Sequences from 0 on belong to functions that the linker dropped.
  void emit(bool ends) {
    if (has_before_ && before_.address != 0 && before_.address < now_.address) tell_range();
    if (ends) return begin_sequence();
    before_ = now_;
    has_before_ = true;
  }

  void tell_range() const {
    if (before_.line <= 0 || before_.file >= files_.size()) return;
    const File& file = files_[static_cast<std::size_t>(before_.file)];
    const bool absolute = !file.name.empty() && file.name[0] == '/';
    const bool inside = !absolute && file.directory != 0 && file.directory < directories_.size();
    tell_(LineRange{before_.address, now_.address,
                    inside ? directories_[static_cast<std::size_t>(file.directory)] : std::string_view(), file.name,
                    static_cast<std::uint32_t>(before_.line)});
  }

  const Sections& sections_;
  Tell& tell_;
  unsigned offset_bytes_ = 4;
  unsigned version_ = 0;
  unsigned minimum_length_ = 1;
  int line_base_ = 0;
  unsigned line_range_ = 1;
  unsigned opcode_base_ = 1;
  std::vector<std::uint8_t> operands_;
  std::vector<std::string_view> directories_;
  std::vector<File> files_;
  Row now_, before_;
  bool has_before_ = false;
};

/// Where the code section's contents begin; 0 if there are no lines to tell.
std::uint64_t code_with_lines(const module::Module& m) {
  return custom(m, ".debug_line").empty() ? 0 : code_contents(m);
}

template <class Tell>
void for_each_range(const module::Module& m, Tell tell) {
  const Sections sections{custom(m, ".debug_line"), custom(m, ".debug_str"), custom(m, ".debug_line_str")};
  Cursor in(sections.line);
  while (in.left() != 0 && !in.failed()) {
    std::uint64_t length = in.fixed(4);
    const bool is_64_bit = length == 0xffffffff;
    if (is_64_bit) length = in.fixed(8);
    LineUnit<Tell>(sections, tell).run(in.take(length), is_64_bit ? 8 : 4);
  }
}

}  // namespace

std::vector<SourceLine> find_source_lines(const module::Module& m, const std::vector<std::uint32_t>& module_offsets) {
  struct Wanted {
    std::uint64_t address;
    std::size_t index;
  };
  std::vector<SourceLine> found(module_offsets.size());
  const std::uint64_t code = code_with_lines(m);
  if (code == 0) return found;
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < module_offsets.size(); ++i)
    if (module_offsets[i] >= code) wanted.push_back({module_offsets[i] - code, i});
  std::sort(wanted.begin(), wanted.end(), [](const Wanted& a, const Wanted& b) { return a.address < b.address; });
  for_each_range(m, [&](const LineRange& range) {
    auto at = std::lower_bound(wanted.begin(), wanted.end(), range.begin,
                               [](const Wanted& w, std::uint64_t address) { return w.address < address; });
    for (; at != wanted.end() && at->address < range.end; ++at) found[at->index] = {range.file(), range.line};
  });
  return found;
}

SourceLineTable::SourceLineTable(const module::Module& m) : code_contents_(code_with_lines(m)) {
  if (code_contents_ == 0) return;
  std::map<std::pair<std::string_view, std::string_view>, std::uint32_t> known;
  for_each_range(m, [&](const LineRange& range) {
    const auto [file, is_new] =
        known.try_emplace({range.directory, range.name}, static_cast<std::uint32_t>(files_.size()));
    if (is_new) files_.push_back(range.file());
    ranges_.push_back({range.begin, range.end, {file->second, range.line}});
  });
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
}

SourceLineTable::Place SourceLineTable::find(std::uint32_t module_offset) const {
  if (module_offset < code_contents_) return {};
  const std::uint64_t address = module_offset - code_contents_;
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                       [](std::uint64_t a, const Range& range) { return a < range.begin; });
  if (behind == ranges_.begin() || (behind - 1)->end <= address) return {};
  return (behind - 1)->place;
}

}  // namespace heddle::binary
