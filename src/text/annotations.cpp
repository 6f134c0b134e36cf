// See annotations.h.
#include "text/annotations.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/utf8.h"

namespace heddle::text {
namespace {

constexpr std::string_view kBranchHint = "metadata.code.branch_hint";

struct SectionWord {
  std::string_view word;
  SectionKind kind;
};
constexpr SectionWord kSectionWords[] = {
    {"type", SectionKind::type},     {"import", SectionKind::import},  {"func", SectionKind::func},
    {"table", SectionKind::table},   {"memory", SectionKind::memory},  {"tag", SectionKind::tag},
    {"global", SectionKind::global}, {"export", SectionKind::export_}, {"start", SectionKind::start},
    {"elem", SectionKind::elem},     {"data", SectionKind::data},      {"datacount", SectionKind::data_count},
    {"code", SectionKind::code},
};

/// (before S), (after S), (before first), (after last): the slot it names. `error` if it names none.
std::size_t parse_placement(Cursor& body, const char*& error) {
  body.advance();
  const bool before = body.at_keyword("before");
  if (!before && !body.at_keyword("after")) {
    error = "malformed placement";
    return 0;
  }
  body.advance();
  const std::string_view word = body.at(TokenKind::keyword) ? body.text() : std::string_view();
  body.advance();
  if (!body.take(TokenKind::close)) {
    error = "malformed section kind";
    return 0;
  }
  if (before && word == "first") return ModuleBuilder::kFirst;
  if (!before && word == "last") return ModuleBuilder::kLast;
  for (const SectionWord& s : kSectionWords)
    if (s.word == word) return before ? ModuleBuilder::slot_before(s.kind) : ModuleBuilder::slot_after(s.kind);
  error = "malformed section kind";
  return 0;
}

/// Adds the section; returns what is wrong, or nullptr.
const char* add_custom(Cursor& body, ModuleBuilder& builder, std::uint32_t offset) {
  std::string name;
  if (!body.take_string(name)) return "missing section name";
  if (!base::is_utf8(name)) return "malformed UTF-8 encoding";
  std::size_t slot = ModuleBuilder::kLast;
  if (body.at(TokenKind::open)) {
    const char* error = nullptr;
    slot = parse_placement(body, error);
    if (error != nullptr) return error;
  }
  std::string contents;
  while (body.take_string(contents)) {
  }
  if (!body.at(TokenKind::end)) return "unexpected token";
  builder.add_custom(slot, name, std::vector<std::uint8_t>(contents.begin(), contents.end()), offset);
  return nullptr;
}

}  // namespace

Annotations::Annotations(const TokenStream& stream, std::uint32_t first, std::uint32_t last) : stream_(stream) {
  const auto by_token = [](const Annotation& a, std::uint32_t token) { return a.token < token; };
  const auto all = stream.annotations.begin();
  const auto begin = std::lower_bound(all, stream.annotations.end(), first, by_token);
  const auto end = std::lower_bound(begin, stream.annotations.end(), last + 1, by_token);
  begin_ = static_cast<std::size_t>(begin - all);
  end_ = static_cast<std::size_t>(end - all);
  taken_.resize(end_ - begin_);
  names_.reserve(end_ - begin_);
}

/// Calls fn(annotation, body cursor) for each annotation of that name in front of the cursor.
template <class Fn>
void Annotations::take(const Cursor& cursor, std::string_view name, Fn fn) {
  if (empty() || cursor.failed()) return;
  const auto all = stream_.annotations.begin();
  const auto end = all + static_cast<std::ptrdiff_t>(end_);
  auto it = std::lower_bound(all + static_cast<std::ptrdiff_t>(begin_), end, cursor.index(),
                             [](const Annotation& a, std::uint32_t token) { return a.token < token; });
  const std::uint32_t token = cursor.index();
  for (; it != end && it->token == token; ++it) {
    if (it->name != name) continue;
    taken_[static_cast<std::size_t>(it - all) - begin_] = true;
    // The lexer has been over the body once, so only what annotations allow beyond tokens could fail: nothing does.
    base::Result<TokenStream> tokens = tokenize(it->body);
    if (!tokens.ok()) tokens = TokenStream{{}, {Token{}}, {}};
    IdPool ids;
    Cursor body(*tokens, ids);
    fn(*it, body);
  }
}

std::string_view Annotations::take_name(Cursor& cursor) {
  std::string_view result;
  take(cursor, "name", [&](const Annotation& a, Cursor& body) {
    std::string name;
    if (!body.take_string(name) || !body.at(TokenKind::end))
      return cursor.fail(a.offset, "@name annotation: unexpected token, expected one string");
    if (!base::is_utf8(name)) return cursor.fail(a.offset, "@name annotation: malformed UTF-8 encoding");
    if (result.data() != nullptr) return cursor.fail(a.offset, "@name annotation: multiple module or field names");
    names_.push_back(std::move(name));
    result = names_.back();
  });
  return result;
}

void Annotations::take_customs(Cursor& cursor, ModuleBuilder& builder) {
  take(cursor, "custom", [&](const Annotation& a, Cursor& body) {
    const char* wrong = add_custom(body, builder, a.offset);
    if (wrong != nullptr) cursor.fail(a.offset, fmt::format("@custom annotation: {}", wrong));
  });
}

std::optional<std::uint8_t> Annotations::take_branch_hint(Cursor& cursor) {
  std::optional<std::uint8_t> hint;
  take(cursor, kBranchHint, [&](const Annotation& a, Cursor& body) {
    auto fail = [&](const char* what) { cursor.fail(a.offset, fmt::format("@{} annotation: {}", kBranchHint, what)); };
    std::string payload;
    while (body.take_string(payload)) {
    }
    if (hint) return fail("duplicate annotation");
    if (!body.at(TokenKind::end) || payload.size() != 1 || (payload[0] != 0 && payload[0] != 1))
      return fail("malformed payload, expected \"\\00\" or \"\\01\"");
    hint = static_cast<std::uint8_t>(payload[0]);
  });
  return hint;
}

void Annotations::report_unused(Cursor& cursor) const {
  if (cursor.failed()) return;
  for (std::size_t i = begin_; i < end_; ++i) {
    const Annotation& a = stream_.annotations[i];
    if (taken_[i - begin_]) continue;
    if (a.name == kBranchHint) return cursor.fail(a.offset, fmt::format("@{} annotation: not in a function", a.name));
    return cursor.fail(a.offset, fmt::format("misplaced @{} annotation", a.name));
  }
}

}  // namespace heddle::text
