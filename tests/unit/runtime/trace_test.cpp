#include "runtime/trace.h"

#include <gtest/gtest.h>

#include "code/module_code.h"
#include "support/machine_code.h"

namespace heddle::runtime {
namespace {

TEST(Trace, better_code_is_a_slice_in_the_compilers_row) {
  test::MachineModule m;
  const auto f = m.add({}, [](test::Emitter& e) { e.as.ret(); });
  m.export_function("hot", f);
  const auto checked = m.build();
  auto code = code::ModuleCode::create(checked, m);
  ASSERT_TRUE(code.ok());
  Trace trace;
  (*code)->add_listener(trace);
  (*code)->ensure_compiled(f);
  EXPECT_EQ(trace.json().find("tier-up"), std::string::npos) << "first code is no tier-up";
  abi::CompileResult better = m.compile({checked, (*code)->layout(), f});
  ASSERT_TRUE((*code)->publish(std::move(std::get<abi::CodeArtifact>(better)), {"better", 1'500'000}).ok());
  const std::string json = trace.json();
  EXPECT_NE(json.find("\"args\":{\"name\":\"compiler\""), std::string::npos);
  EXPECT_NE(json.find("\"name\":\"tier-up\",\"cat\":\"tier\",\"pid\":1,\"tid\":536870912"), std::string::npos);
  EXPECT_NE(json.find("\"args\":{\"function\":\"hot\",\"tier\":\"better\",\"part\":\"function\"}"), std::string::npos)
      << json;
}

}  // namespace
}  // namespace heddle::runtime
