// Rules stated as module text: VALID("fields"), INVALID("fields", "words the message begins with").
#pragma once

#include "text/wat_parser.h"

#include "modules.h"

namespace heddle::validate {

/// "valid", or the message that the module's text, bytes or rules give.
inline std::string judge(std::string_view fields, spec::Features features = spec::Features::all()) {
  auto parsed = text::parse_wat("(module " + std::string(fields) + ")", spec::Features::all());
  if (!parsed.ok()) return "text: " + parsed.error().message;
  return message_of(verdict(std::move(parsed->bytes), features));
}

inline testing::AssertionResult begins(const std::string& message, std::string_view words) {
  if (message.starts_with(words)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "said \"" << message << "\", expected \"" << words << " ...\"";
}

}  // namespace heddle::validate

#define VALID(...) EXPECT_EQ(::heddle::validate::judge(__VA_ARGS__), "valid")
#define INVALID(fields, words) EXPECT_TRUE(::heddle::validate::begins(::heddle::validate::judge(fields), words))
#define INVALID_WITH(features, fields, words) \
  EXPECT_TRUE(::heddle::validate::begins(::heddle::validate::judge(fields, features), words))
