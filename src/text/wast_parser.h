// Reads the commands of a script from tokens (internal to parse_wast; see wast_script.h for what they are).
#pragma once

#include <string>
#include <vector>

#include "text/cursor.h"
#include "text/wast_script.h"

namespace heddle::text {

class WastParser {
 public:
  WastParser(Cursor& cursor, spec::Features features) : cursor_(cursor), features_(features) {}

  /// Commands up to a closing parenthesis or the end. On failure the cursor holds the error.
  std::vector<ScriptCommand> commands();
  /// The whole source as the fields of one module.
  std::vector<ScriptCommand> inline_module();

 private:
  ScriptCommand command();
  void module_command(ScriptCommand& command);
  void module_body(ScriptModule& module, std::uint32_t close);
  void expect_module(ScriptCommand& command);
  void action(ScriptAction& action);
  void action_or_module(ScriptCommand& command);
  void thread(ScriptCommand& command);
  std::string optional_name();
  std::string expect_string();

  bool number(std::string_view word, ScriptValue& value, ScriptPattern* pattern);
  bool reference(std::string_view word, ScriptValue& value, ScriptPattern* pattern);
  std::uint64_t lane(unsigned bits, bool is_float, NanClass* nan);
  void vector(ScriptValue& value, ScriptPattern* pattern);
  ScriptValue value();
  ScriptPattern pattern();

  Cursor& cursor_;
  spec::Features features_;
  unsigned depth_ = 0;
};

}  // namespace heddle::text
