// Modules from text, and a store without a group, for tests of instances. The tier refuses every function: what is
// tested here runs no code.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string_view>

#include "binary/decoder.h"
#include "code/module_code.h"
#include "runtime/instance.h"
#include "runtime/linker.h"
#include "text/wat_parser.h"
#include "validate/checked.h"

namespace heddle::runtime {

class NoTier final : public abi::Tier {
 public:
  std::string_view name() const override { return "none"; }
  abi::CompileResult compile(const abi::CompileRequest&) const override { return abi::Unsupported{0, "no tier"}; }
};

inline std::shared_ptr<code::ModuleCode> code_of(std::string_view wat) {
  static const NoTier tier;
  auto parsed = text::parse_wat(wat, spec::Features::all());
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  auto wire = std::make_shared<module::OwnedBytes>(std::move(parsed->bytes));
  auto decoded = binary::decode_module(std::move(wire), spec::Features::all());
  EXPECT_TRUE(decoded.ok()) << decoded.error().message;
  auto checked = validate::check_module(*decoded);
  EXPECT_TRUE(checked.ok()) << checked.error().message;
  auto code = code::ModuleCode::create(*checked, tier);
  EXPECT_TRUE(code.ok()) << code.error().message;
  return *code;
}

class InstanceTest : public testing::Test {
 protected:
  base::Result<Instance::Started> try_instantiate(std::string_view wat, std::vector<Extern> imports = {}) {
    return Instance::instantiate(store, code_of(wat), imports);
  }
  Instance& instantiate(std::string_view wat, std::vector<Extern> imports = {}) {
    auto started = try_instantiate(wat, std::move(imports));
    EXPECT_TRUE(started.ok()) << started.error().message;
    EXPECT_EQ(started->status, EntryStatus::returned);
    return *started->instance;
  }
  /// The message of the error that instantiating gives; empty if there is none.
  std::string refusal(std::string_view wat, std::vector<Extern> imports = {}) {
    auto started = try_instantiate(wat, std::move(imports));
    return started.ok() ? std::string() : started.error().message;
  }
  static Extern get(Instance& instance, std::string_view name) {
    auto object = instance.find_export(name);
    EXPECT_TRUE(object.has_value()) << name;
    return *object;
  }
  /// The exported object itself: TableInstance*, const abi::VmFuncRef* ...
  template <class T>
  static T get_as(Instance& instance, std::string_view name) {
    const Extern object = get(instance, name);
    const T* item = std::get_if<T>(&object.item);
    EXPECT_NE(item, nullptr) << name << " is something else";
    return *item;
  }
  static abi::VmValue global(Instance& instance, std::string_view name) {
    return *get_as<GlobalInstance*>(instance, name)->value;
  }
  static abi::VmTable& table(Instance& instance, std::string_view name) {
    return *get_as<TableInstance*>(instance, name)->vm;
  }
  static GuestMemory memory(Instance& instance, std::string_view name) {
    return GuestMemory(get_as<std::shared_ptr<Memory>>(instance, name)->vm());
  }

  ResourceLimits limits{std::uint64_t{1} << 32, 1'000'000};
  Store store{nullptr, nullptr, &limits};
};

}  // namespace heddle::runtime
