// Reads every script of the specification's suite: text modules must parse (and decode), quoted malformed ones must be
// refused with the words that the script expects; what the printer makes of a module must parse back to the same bytes
// (custom sections aside). Runs nothing.
//   text_suite FOLDER...
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/leb128.h"
#include "binary/decoder.h"
#include "text/printer.h"
#include "text/wast_script.h"
#include "text/wat_parser.h"

namespace {

using heddle::text::ScriptCommand;
using heddle::text::ScriptModule;
using Kind = ScriptCommand::Kind;

struct Counts {
  unsigned scripts = 0;
  unsigned commands = 0;
  unsigned modules = 0;
  unsigned refused = 0;
  unsigned round_trips = 0;
  unsigned failures = 0;
};

/// The module without its custom sections. The bytes are well-formed.
std::vector<std::uint8_t> without_customs(heddle::base::Bytes bytes) {
  std::vector<std::uint8_t> kept(bytes.begin(), bytes.begin() + 8);
  for (const std::uint8_t* at = bytes.data() + 8; at != bytes.data() + bytes.size();) {
    const std::uint8_t* start = at++;
    std::uint32_t size = 0;
    heddle::base::read_leb128(at, bytes.data() + bytes.size(), size);
    at += size;
    if (*start != 0) kept.insert(kept.end(), start, at);
  }
  return kept;
}

struct Script {
  std::string path;
  Counts& counts;

  void fail(const ScriptCommand& command, const std::string& what) const {
    ++counts.failures;
    std::printf("%s:%u: %s: %s\n", path.c_str(), command.place.line, std::string(command_name(command.kind)).c_str(),
                what.c_str());
  }

  /// The text format itself has to refuse the module, in these words.
  void check_refused(const ScriptCommand& command) const {
    const ScriptModule& m = command.module;
    ++counts.refused;
    if (!m.error)
      fail(command, "accepted, expected: " + command.text);
    else if (!m.error->message.starts_with(command.text))
      fail(command, "expected \"" + command.text + "\", got \"" + m.error->message + "\"");
  }

  void check_accepted(const ScriptCommand& command) const {
    const ScriptModule& m = command.module;
    ++counts.modules;
    if (m.error) return fail(command, "refused: " + m.error->message);
    const auto wire = std::make_shared<heddle::module::OwnedBytes>(m.bytes);
    const auto decoded = heddle::binary::decode_module(wire, heddle::spec::Features::all());
    if (!decoded.ok()) return fail(command, "does not decode: " + decoded.error().message);
    check_round_trip(command, **decoded);
  }

  /// Binary modules may spell things in ways that we do not write: for them the second text is compared with the first.
  void check_round_trip(const ScriptCommand& command, const heddle::module::Module& m) const {
    const auto printed = heddle::text::print_wat(m);
    if (!printed.ok()) return;  // a malformed body
    ++counts.round_trips;
    const auto again = heddle::text::parse_wat(*printed, m.features);
    if (!again.ok()) {
      const auto place = heddle::text::place_of(*printed, again.error().offset);
      return fail(command, "printed module does not parse: " +
                               heddle::text::render_error(*printed, "printed", place, again.error().message));
    }
    if (command.module.form != ScriptModule::Form::binary) {
      if (without_customs(m.bytes()) != without_customs(again->bytes))
        fail(command, "round trip differs:\n" + *printed);
      return;
    }
    const auto wire = std::make_shared<heddle::module::OwnedBytes>(again->bytes);
    const auto decoded = heddle::binary::decode_module(wire, m.features);
    if (!decoded.ok()) return fail(command, "printed module does not decode: " + decoded.error().message);
    const auto second = heddle::text::print_wat(**decoded);
    if (!second.ok() || *second != *printed) fail(command, "second text differs:\n" + *printed);
  }

  void check_binary(const ScriptCommand& command) const {
    const auto wire = std::make_shared<heddle::module::OwnedBytes>(command.module.bytes);
    const auto decoded = heddle::binary::decode_module(wire, heddle::spec::Features::all());
    if (decoded.ok()) check_round_trip(command, **decoded);
  }

  void check(const ScriptCommand& command) const {
    ++counts.commands;
    for (const ScriptCommand& inner : command.commands) check(inner);
    if (!command.has_module) return;
    if (command.module.form == ScriptModule::Form::binary) return check_binary(command);
    const bool malformed = command.kind == Kind::assert_malformed || command.kind == Kind::assert_malformed_custom;
    if (malformed && command.module.form == ScriptModule::Form::quote) return check_refused(command);
    // Text can already tell some invalid modules: those with unknown identifiers, or misplaced annotations.
    const bool invalid = command.kind == Kind::assert_invalid || command.kind == Kind::assert_invalid_custom;
    if (malformed || (invalid && command.module.error)) return check_refused(command);
    check_accepted(command);
  }
};

void run(const std::filesystem::path& path, Counts& counts) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  const std::string source = content.str();
  ++counts.scripts;
  const Script script{path.string(), counts};
  // The scripts of the threads proposal were written for 32-bit memories and expect 32-bit limits.
  heddle::spec::Features features = heddle::spec::Features::all();
  if (script.path.find("proposals/threads") != std::string::npos)
    features = features.without(heddle::spec::Feature::memory64);
  const auto commands = heddle::text::parse_wast(source, features);
  if (!commands.ok()) {
    ++counts.failures;
    const auto place = heddle::text::place_of(source, commands.error().offset);
    std::fputs(heddle::text::render_error(source, script.path, place, commands.error().message).c_str(), stdout);
    return;
  }
  for (const ScriptCommand& command : *commands) script.check(command);
}

}  // namespace

int main(int argc, char** argv) {
  Counts counts;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      // Not one of our features.
      if (entry.path().string().find("custom-descriptors") != std::string::npos) continue;
      if (entry.path().extension() == ".wast") run(entry.path(), counts);
    }
  }
  std::printf("%u scripts, %u commands, %u text modules accepted, %u refused, %u printed and read back, %u failures\n",
              counts.scripts, counts.commands, counts.modules, counts.refused, counts.round_trips, counts.failures);
  return counts.failures == 0 && counts.scripts != 0 ? 0 : 1;
}
