// Limits of this implementation (core spec, appendix "Implementation Limitations"), checked before anything is
// reserved. Where the JavaScript API names a number (https://webassembly.github.io/spec/js-api/#limits) we take it, so
// that whatever runs in a browser runs here; the others say where they come from.
#pragma once

#include <cstdint>

namespace heddle::spec {

inline constexpr std::uint64_t kMaxModuleBytes = UINT32_MAX;
inline constexpr std::uint32_t kMaxTypes = 1'000'000;
inline constexpr std::uint32_t kMaxRecGroups = 1'000'000;
inline constexpr std::uint32_t kMaxSubtypingDepth = 63;
inline constexpr std::uint32_t kMaxFunctions = 1'000'000;
inline constexpr std::uint32_t kMaxImports = 1'000'000;
inline constexpr std::uint32_t kMaxExports = 1'000'000;
inline constexpr std::uint32_t kMaxGlobals = 1'000'000;
inline constexpr std::uint32_t kMaxTags = 1'000'000;
inline constexpr std::uint32_t kMaxDataSegments = 100'000;
inline constexpr std::uint32_t kMaxElemSegments = 10'000'000;
inline constexpr std::uint32_t kMaxTables = 100'000;
inline constexpr std::uint32_t kMaxMemories = 100;
inline constexpr std::uint32_t kMaxParams = 1'000;
inline constexpr std::uint32_t kMaxResults = 1'000;
inline constexpr std::uint32_t kMaxFunctionLocals = 50'000;
inline constexpr std::uint32_t kMaxFunctionBodyBytes = 7'654'321;
inline constexpr std::uint32_t kMaxTableInitialEntries = 10'000'000;
inline constexpr std::uint32_t kMaxStructFields = 10'000;
inline constexpr std::uint32_t kMaxArrayNewFixed = 10'000;
/// Chosen: deeper than any compiler's output seen; bounds the control stacks, which cost about 100 bytes a level.
inline constexpr std::uint32_t kMaxControlNesting = 100'000;
/// Chosen: operands live at once in one function. A two-byte call may push kMaxResults of them, so without it a body
/// could ask the validator for a thousand times its own size.
inline constexpr std::uint32_t kMaxOperands = 1'000'000;
/// Entries of one br_table. The encoding spends a byte on each, so the body's size bounds it too.
inline constexpr std::uint32_t kMaxBrTableEntries = kMaxFunctionBodyBytes;

inline constexpr std::uint64_t kWasmPageBytes = 65'536;
/// 4 GiB.
inline constexpr std::uint64_t kMaxMemory32Pages = 65'536;
/// 2^48 pages: what the type section may announce for a 64-bit memory (core spec, Memory Types).
inline constexpr std::uint64_t kMaxMemory64Pages = std::uint64_t{1} << 48;

}  // namespace heddle::spec
