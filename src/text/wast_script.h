// A .wast script as plain data: the commands of the specification's test suite (interpreter README, "Scripts"), with
// those of the threads proposal. parse_wast reads a script whole; whoever executes it needs nothing else from here.
// Text modules are already in the binary format; nothing is decoded, validated or run.
//
// Names ($id) are kept without the dollar sign; an empty string means that none was given.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/features.h"
#include "spec/types.h"
#include "text/source.h"

namespace heddle::text {

/// What a script passes to a function: (i32.const 1), (v128.const i32x4 ...), (ref.null func), (ref.extern 3).
struct ScriptValue {
  enum class Kind : std::uint8_t {
    i32,
    i64,
    f32,
    f64,
    v128,
    ref_null,    ///< of type `heap`
    ref_extern,  ///< the host's object number `bits`, as an externref
    ref_host,    ///< the host's object number `bits`, as an anyref
  };
  Kind kind = Kind::i32;
  std::uint64_t bits = 0;                 ///< numbers (f32, f64: their bits) and the host's object numbers
  std::array<std::uint8_t, 16> vector{};  ///< v128, little-endian
  spec::HeapType heap;                    ///< ref_null; always an abstract type
};

enum class NanClass : std::uint8_t { exact, canonical, arithmetic };
enum class LaneShape : std::uint8_t { i8x16, i16x8, i32x4, i64x2, f32x4, f64x2 };

/// What a script expects of one result.
struct ScriptPattern {
  enum class Kind : std::uint8_t {
    number,     ///< `value` is i32, i64, f32 or f64; `nans[0]` says whether a float may be any NaN of a class
    vector,     ///< `value` is v128, lane by lane as `shape`; `nans` by lane for f32x4 and f64x2
    ref_null,   ///< (ref.null ht): null of a type under `value.heap`; `any_null`: (ref.null), null of any type
    ref_type,   ///< (ref.func), (ref.extern), (ref.struct), (ref.array), (ref.i31), (ref.eq), (ref.any), (ref.exn): any
                ///< reference that is not null and matches `value.heap`
    ref_value,  ///< `value` is ref_extern or ref_host: that object
    either,     ///< one of `alternatives`
  };
  Kind kind = Kind::number;
  ScriptValue value;
  LaneShape shape = LaneShape::i32x4;
  std::array<NanClass, 4> nans{};
  bool any_null = false;
  std::vector<ScriptPattern> alternatives;
};

/// Compares a number or vector with a pattern (also inside `either`); `actual` as little-endian bytes, as many as its
/// type has. The caller has checked the type: false for patterns of another width and for references.
bool matches_bits(const ScriptPattern& pattern, std::span<const std::uint8_t> actual);

/// The pattern as the script would write it, for messages: "(f32.const nan:canonical)", "(ref.null func)".
std::string to_string(const ScriptPattern& pattern);
std::string to_string(const ScriptValue& value);

/// (invoke $M? "name" value*) or (get $M? "name").
struct ScriptAction {
  enum class Kind : std::uint8_t { invoke, get };
  Kind kind = Kind::invoke;
  std::string module_name;  ///< empty: the latest module
  std::string name;         ///< of the export; any bytes
  std::vector<ScriptValue> args;
};

/// (module ...) in any of its forms.
struct ScriptModule {
  enum class Form : std::uint8_t { text, binary, quote };
  Form form = Form::text;
  std::string name;  ///< $id
  /// The module in the binary format: as given (binary) or as made from text (text, quote), then empty if `error`.
  std::vector<std::uint8_t> bytes;
  /// What the text format says against a text or quoted module. Offset: in the script (text) or in `quoted`.
  std::optional<base::Error> error;
  SourceMap map;       ///< into the script (text) or into `quoted` (quote); empty for binary
  std::string quoted;  ///< the quoted source, if form == quote
};

/// One command. Which members count is said behind each kind; the others are empty.
struct ScriptCommand {
  enum class Kind : std::uint8_t {
    module,                   ///< module: define it and instantiate it
    module_definition,        ///< module: define it only
    module_instance,          ///< name: $I of the new instance; of_name: $M of the definition (empty: the latest)
    register_,                ///< text: name to import from; of_name: $M (empty: the latest)
    action,                   ///< action: must end without a trap
    assert_return,            ///< action, expected (one a result, in order)
    assert_trap,              ///< action, or module (instantiation traps) if has_module; text: message
    assert_exhaustion,        ///< action; text: message
    assert_exception,         ///< action
    assert_malformed,         ///< module; text: message
    assert_invalid,           ///< module; text: message
    assert_unlinkable,        ///< module; text: message
    assert_malformed_custom,  ///< module; text: message
    assert_invalid_custom,    ///< module; text: message
    thread,                   ///< name: $T; shared: modules that it may register; commands: its script
    wait,                     ///< of_name: $T
  };
  Kind kind = Kind::module;
  SourcePlace place;         ///< of the opening parenthesis
  std::uint64_t offset = 0;  ///< the same as an offset in the script
  bool has_module = false;
  ScriptModule module;
  ScriptAction action;
  std::vector<ScriptPattern> expected;
  std::string text;
  std::string name;
  std::string of_name;
  std::vector<std::string> shared;  ///< (shared (module $M)*): names of modules of the enclosing script
  std::vector<ScriptCommand> commands;
};

/// "assert_return", "module", ...
std::string_view command_name(ScriptCommand::Kind kind);

/// Reads a whole script. An error in a text module is kept in that module and the script goes on behind it; the
/// script's own errors (offset in `source`) end it. Features only decide which instructions text modules know.
/// Any thread.
base::Result<std::vector<ScriptCommand>> parse_wast(std::string_view source, spec::Features features);

}  // namespace heddle::text
